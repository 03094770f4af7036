//! A status as it looks at a terminal, at a narrow one, and in a pipe.

use snapbox::{assert_data_eq, str};

use super::draw_status;
use crate::{
    cli::output::Style,
    model::{
        AutoscalerStatus, BudgetStatus, ClaimStatus, ContainerStatus, EndStatus, EndpointCounts, Health, ObjectRef,
        OtherStatus, PodCounts, PodStatus, ServiceStatus, SetStatus, StatusReport, Verdict, WorkloadStatus,
    },
};

fn named(api_version: &str, kind: &str, name: &str) -> ObjectRef {
    ObjectRef { api_version: api_version.into(), kind: kind.into(), name: name.into(), namespace: Some("shop".into()) }
}

fn pod(name: &str, verdict: Verdict) -> PodStatus {
    let crashed = verdict == Verdict::Failed;
    let end = EndStatus {
        exit_code: 1,
        words: "exit code 1: the application reported an error".into(),
        reason: "Error".into(),
        time: "2026-11-21T10:08:00Z".into(),
    };
    let main = ContainerStatus {
        name: "main".into(),
        image: "api:2".into(),
        digest: Some("sha256:0123456789abcdef".into()),
        state: if crashed { "CrashLoopBackOff".into() } else { "running".into() },
        ready: !crashed,
        ..ContainerStatus::default()
    };
    let mut pod = PodStatus {
        name: name.into(),
        namespace: "shop".into(),
        verdict,
        state: if crashed { "CrashLoopBackOff".into() } else { "Ready".into() },
        ready: !crashed,
        node: "node1".into(),
        created: "2026-11-21T09:00:00Z".into(),
        containers: vec![main],
        ..PodStatus::default()
    };
    if crashed {
        pod.message = "main does not keep running (5 times): exit code 1: the application reported an error".into();
        (pod.restarts, pod.last_end) = (4, Some(end));
    }
    pod.usage.cpu.used = Some(3);
    pod.usage.memory.used = Some(20 << 20);
    pod.usage.memory.limit = Some(64 << 20);
    pod
}

fn workload(name: &str, pods: Vec<PodStatus>) -> WorkloadStatus {
    let ready = pods.iter().filter(|pod| pod.ready).count();
    let counts = PodCounts { wanted: pods.len(), total: pods.len(), ready };
    let worst = pods.iter().find(|pod| !pod.ready);
    WorkloadStatus {
        object: named("apps/v1", "Deployment", name),
        verdict: if worst.is_some() { Verdict::Degraded } else { Verdict::Healthy },
        message: worst.map_or_else(String::new, |pod| format!("pod {}: {}", pod.name, pod.message)),
        health: Some(Health::current("2 replicas available")),
        more: worst.map(|pod| format!("kubectl evolve logs pod/{} -c main -p -n shop", pod.name)),
        created: "2026-11-21T09:00:00Z".into(),
        pods: counts,
        sets: vec![SetStatus {
            object: Some(named("apps/v1", "ReplicaSet", &format!("{name}-5d9"))),
            revision: "2".into(),
            newest: true,
            created: "2026-11-21T09:00:00Z".into(),
            counts,
            pods,
            ..SetStatus::default()
        }],
        ..WorkloadStatus::default()
    }
}

fn shop() -> StatusReport {
    let mut api = workload("api", vec![pod("api-5d9-b", Verdict::Failed), pod("api-5d9-a", Verdict::Healthy)]);
    api.services.push(ServiceStatus {
        object: named("v1", "Service", "api"),
        kind: "NodePort".into(),
        endpoints: Some(EndpointCounts { ready: 1, total: 2 }),
        ports: vec!["http 80→8080/TCP (node 30080)".into()],
        urls: vec!["http://192.0.2.2:30080/".into()],
        ..ServiceStatus::default()
    });
    api.claims.push(ClaimStatus {
        object: named("v1", "PersistentVolumeClaim", "data"),
        phase: "Bound".into(),
        capacity: "1Gi".into(),
        class: "standard".into(),
        ..ClaimStatus::default()
    });
    api.autoscaler = Some(AutoscalerStatus {
        object: named("autoscaling/v2", "HorizontalPodAutoscaler", "api"),
        minimum: 2,
        maximum: 5,
        current: 2,
        desired: 2,
        metrics: vec!["cpu 12%/80%".into()],
        ..AutoscalerStatus::default()
    });
    api.budget = Some(BudgetStatus {
        object: named("policy/v1", "PodDisruptionBudget", "api"),
        healthy: 1,
        needed: 1,
        allowed: 0,
    });
    let many = (0..50).map(|number| pod(&format!("web-5d9-{number}"), Verdict::Healthy)).collect();
    let cache = OtherStatus {
        object: named("x.io/v1", "Cache", "c"),
        verdict: Verdict::Progressing,
        message: "is not ready: no room".into(),
        more: Some("kubectl describe cache.x.io/c -n shop".into()),
        ..OtherStatus::default()
    };
    StatusReport {
        application: Some("shop".into()),
        namespaces: vec!["shop".into()],
        time: "2026-11-21T10:10:00Z".into(),
        verdict: Verdict::Degraded,
        summary: format!("deployment.apps/api: {}; 1 more is not healthy", api.message),
        workloads: vec![api, workload("web", many)],
        others: vec![cache],
        notes: vec!["the use of CPU and memory is not shown: forbidden".into()],
        ..StatusReport::default()
    }
}

fn drawn(report: &StatusReport, width: Option<usize>, wide: bool) -> String {
    let mut out = Vec::new();
    draw_status(&mut out, &Style { color: false, width }, report, wide).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn in_a_pipe_nothing_is_folded() {
    assert_data_eq!(
        drawn(&shop(), None, false),
        str![[r#"
! shop in namespace shop is degraded: deployment.apps/api: pod api-5d9-b: main does not keep running (5 times): exit code 1: the application reported an error; 1 more is not healthy

! deployment.apps/api  1/2 ready  70m
│ pod api-5d9-b: main does not keep running (5 times): exit code 1: the application reported an error
│ $ kubectl evolve logs pod/api-5d9-b -c main -p -n shop
├─ ✗ revision 2 (api-5d9)  1/2 ready  70m
│  │ image api:2 (sha256:0123456789ab)
│  ├─ ✗ api-5d9-b  CrashLoopBackOff  4 restarts, the last 2m ago (exit code 1: the application reported an error)  cpu 3m  memory 20Mi/64Mi  70m
│  └─ ✓ api-5d9-a  Ready  cpu 3m  memory 20Mi/64Mi  70m
├─ ✓ service/api           NodePort  1/2 endpoints  http 80→8080/TCP (node 30080)  http://192.0.2.2:30080/
├─ ✓ claim/data            Bound  1Gi  standard
├─ ✓ autoscaler/api        2..5 replicas, 2 now  cpu 12%/80%
└─ ✓ budget/api            0 may be disrupted (1 healthy, 1 needed)
✓ deployment.apps/web  50/50 ready  70m
└─ ✓ revision 2 (web-5d9)  50/50 ready  70m
   │ image api:2 (sha256:0123456789ab)
   └─ ✓ 50 pods ready
… cache.x.io/c         is not ready: no room
  $ kubectl describe cache.x.io/c -n shop
note: the use of CPU and memory is not shown: forbidden

"#]]
    );
}

#[test]
fn at_a_terminal_long_lines_are_folded() {
    assert_data_eq!(
        drawn(&shop(), Some(80), false),
        str![[r#"
! shop in namespace shop is degraded: deployment.apps/api: pod api-5d9-b: main
    does not keep running (5 times): exit code 1: the application reported an
    error; 1 more is not healthy

! deployment.apps/api  1/2 ready  70m
│ pod api-5d9-b: main does not keep running (5 times): exit code 1: the
│   application reported an error
│ $ kubectl evolve logs pod/api-5d9-b -c main -p -n shop
├─ ✗ revision 2 (api-5d9)  1/2 ready  70m
│  │ image api:2 (sha256:0123456789ab)
│  ├─ ✗ api-5d9-b  CrashLoopBackOff  4 restarts, the last 2m ago (exit code 1:
│  │      the application reported an error)  cpu 3m  memory 20Mi/64Mi  70m
│  └─ ✓ api-5d9-a  Ready  cpu 3m  memory 20Mi/64Mi  70m
├─ ✓ service/api           NodePort  1/2 endpoints  http 80→8080/TCP (node
│      30080)  http://192.0.2.2:30080/
├─ ✓ claim/data            Bound  1Gi  standard
├─ ✓ autoscaler/api        2..5 replicas, 2 now  cpu 12%/80%
└─ ✓ budget/api            0 may be disrupted (1 healthy, 1 needed)
✓ deployment.apps/web  50/50 ready  70m
└─ ✓ revision 2 (web-5d9)  50/50 ready  70m
   │ image api:2 (sha256:0123456789ab)
   └─ ✓ 50 pods ready
… cache.x.io/c         is not ready: no room
  $ kubectl describe cache.x.io/c -n shop
note: the use of CPU and memory is not shown: forbidden

"#]]
    );
}

#[test]
fn forty_columns_are_enough() {
    let text = drawn(&shop(), Some(40), false);
    let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 40).collect();
    // A word that is longer than a line stays whole, so that it can be copied.
    assert!(
        long.iter().all(|line| line.trim_start_matches(['│', '├', '└', '─', ' ']).split(' ').count() <= 2),
        "{long:#?}"
    );
}

#[test]
fn wide_shows_each_container_on_its_node() {
    let text = drawn(&shop(), None, true);
    assert_eq!(text.matches("container main").count(), 52);
    assert!(
        text.contains("on node1") && text.contains("limit 64Mi") && text.contains("api:2 (sha256:0123456789ab)"),
        "{text}"
    );
}

#[test]
fn many_workloads_have_a_line_each_or_are_counted() {
    let report = |number: usize| {
        let workloads = (0..number).map(|number| workload(&format!("w{number}"), vec![pod("p", Verdict::Healthy)]));
        StatusReport { workloads: workloads.collect(), namespaces: vec!["shop".into()], ..StatusReport::default() }
    };
    assert_eq!(drawn(&report(20), None, false).lines().count(), 22);
    let counted = drawn(&report(100), None, false);
    assert!(counted.ends_with("✓ 100 workloads healthy, 100 pods ready\n"), "{counted}");
}
