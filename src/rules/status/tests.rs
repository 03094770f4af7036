//! Whole scenes, judged.

use jiff::Timestamp;

use super::{Scene, Subject, report};
use crate::{
    model::{StatusReport, Verdict},
    rules::fields::yaml,
};

fn now() -> Timestamp {
    "2026-11-21T10:10:00Z".parse().unwrap()
}

fn deployment(name: &str, replicas: u32, available: u32) -> String {
    let progressing = "{type: Progressing, status: 'True', reason: NewReplicaSetAvailable}";
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: shop, uid: {name}, generation: 1, creationTimestamp: 2026-11-21T09:00:00Z, annotations: {{deployment.kubernetes.io/revision: '2'}}}}, spec: {{replicas: {replicas}, selector: {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}}}}}, status: {{observedGeneration: 1, replicas: {replicas}, updatedReplicas: {replicas}, readyReplicas: {available}, availableReplicas: {available}, conditions: [{progressing}]}}}}"
    )
}

fn replica_set(of: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: {of}-5d9, namespace: shop, uid: {of}-5d9, creationTimestamp: 2026-11-21T09:00:00Z, annotations: {{deployment.kubernetes.io/revision: '2'}}, ownerReferences: [{{kind: Deployment, uid: {of}, controller: true}}]}}, spec: {{replicas: 2}}}}"
    )
}

const READY: &str = "phase: Running, hostIP: 10.1.2.3, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: main, ready: true, restartCount: 0, imageID: 'r/api@sha256:0123456789abcdef0', state: {running: {}}}]";
const CRASHES: &str = "phase: Running, hostIP: 10.1.2.3, containerStatuses: [{name: main, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error, finishedAt: 2026-11-21T10:08:00Z}}}]";

fn pod(name: &str, owner: &str, status: &str) -> String {
    let owner = match owner {
        "" => String::new(),
        owner => format!(
            ", ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {owner}, uid: {owner}, controller: true}}]"
        ),
    };
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: shop, uid: {name}, creationTimestamp: 2026-11-21T09:00:00Z{owner}}}, spec: {{nodeName: n1, restartPolicy: Always, containers: [{{name: main, image: 'api:1', resources: {{requests: {{cpu: 10m}}, limits: {{memory: 64Mi}}}}}}]}}, status: {{{status}}}}}"
    )
}

/// A scene of a whole namespace.
fn scene(objects: &[(Subject, String)]) -> Scene {
    let mut scene = Scene::of(None, vec!["shop".into()], true);
    objects.iter().for_each(|(subject, text)| scene.seen(*subject, yaml(text)));
    scene
}

fn shop(second: &str) -> StatusReport {
    let objects = [
        (Subject::Workload, deployment("api", 2, if second == READY { 2 } else { 1 })),
        (Subject::ReplicaSet, replica_set("api")),
        (Subject::Pod, pod("api-5d9-a", "api-5d9", READY)),
        (Subject::Pod, pod("api-5d9-b", "api-5d9", second)),
    ];
    report(&scene(&objects), now())
}

#[test]
fn what_is_well_is_said_with_its_numbers() {
    let report = shop(READY);
    assert_eq!((report.verdict, report.summary.as_str()), (Verdict::Healthy, "1 workload, 2 of 2 pods ready"));
    let set = &report.workloads[0].sets[0];
    assert_eq!((set.revision.as_str(), set.newest, set.pods.len()), ("2", true, 2));
    assert_eq!(report.workloads[0].usage.cpu.requested, Some(20));
}

#[test]
fn one_pod_that_fails_beside_one_that_serves_is_a_degradation() {
    let report = shop(CRASHES);
    assert_eq!(report.verdict, Verdict::Degraded);
    assert!(
        report
            .summary
            .starts_with("deployment.apps/api: pod api-5d9-b: main does not keep running (5 times): exit code 1"),
        "{}",
        report.summary
    );
    assert_eq!(report.workloads[0].more.as_deref(), Some("kubectl evolve logs pod/api-5d9-b -c main -p -n shop"));
    assert_eq!(report.workloads[0].sets[0].pods[0].name, "api-5d9-b", "what needs attention comes first");
}

#[test]
fn a_service_and_an_unread_replica_set_find_their_workload() {
    let service = "{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {selector: {app: api}, ports: [{port: 80}]}}";
    let objects = [
        (Subject::Workload, deployment("api", 1, 1)),
        (Subject::Pod, pod("api-5d9-a", "api-5d9", READY)),
        (Subject::Service, service.into()),
    ];
    let mut scene = scene(&objects);
    scene.cannot_read(Subject::EndpointSlice, "ready endpoints are not counted: forbidden".into());
    let report = report(&scene, now());
    assert_eq!(report.workloads.len(), 1, "{report:?}");
    assert_eq!(report.workloads[0].sets[0].pods.len(), 1);
    assert_eq!((report.workloads[0].services[0].endpoints, report.verdict), (None, Verdict::Healthy));
    assert_eq!(report.notes, ["ready endpoints are not counted: forbidden"]);
}

#[test]
fn pods_without_a_known_owner_stand_for_themselves() {
    let objects = [(Subject::Pod, pod("lone", "", READY)), (Subject::Pod, pod("x-1", "x", CRASHES))];
    let report = report(&scene(&objects), now());
    let names: Vec<String> = report.workloads.iter().map(|status| status.object.to_string()).collect();
    assert_eq!(names, ["pod/lone", "replicaset.apps/x"]);
    assert_eq!((report.workloads[1].verdict, report.verdict), (Verdict::Failed, Verdict::Failed));
}

#[test]
fn a_custom_resource_is_judged_by_its_conditions() {
    let cache = |status: &str| {
        let text = format!(
            "{{apiVersion: x.io/v1, kind: Cache, metadata: {{name: c, namespace: shop, uid: c}}, status: {{conditions: [{{type: Ready, status: '{status}', reason: Waits, message: no room}}]}}}}"
        );
        report(&scene(&[(Subject::Workload, text)]), now())
    };
    assert_eq!(cache("True").verdict, Verdict::Healthy);
    let waiting = cache("False");
    assert_eq!(waiting.verdict, Verdict::Progressing);
    assert_eq!(waiting.summary, "cache.x.io/c: is not ready: no room");
    assert_eq!(waiting.others[0].more.as_deref(), Some("kubectl describe cache.x.io/c -n shop"));
}

#[test]
fn a_workload_at_zero_has_nothing_wrong() {
    let service = "{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {selector: {app: api}, ports: [{port: 80}]}}";
    let report =
        report(&scene(&[(Subject::Workload, deployment("api", 0, 0)), (Subject::Service, service.into())]), now());
    assert_eq!(report.verdict, Verdict::Healthy, "{report:?}");
    assert_eq!(report.workloads[0].services[0].message, "nothing runs behind it now");
}

#[test]
fn an_empty_scope_is_said() {
    assert_eq!(report(&scene(&[]), now()).summary, "there is nothing here");
}
