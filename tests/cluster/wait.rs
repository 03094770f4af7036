//! Waiting: for pods that run, and for pods that fail in each way a pod can.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kubectl_evolve::{
    cluster::{ApplyMode, Cluster},
    context::Ctx,
    error::ErrorKind,
    event::{Event, Recorder},
    model::{Evidence, Status, WaitReport},
    ops::wait::{Target, WaitRequest, wait},
    rules::{pods::Patience, redact::Redactor},
};
use serde_json::{Value, json};

use super::support::{Fault, Namespace, Proxy, Rule, TestCluster, wait_until};

/// One test's namespace, and what was told while it waited.
struct Stage {
    namespace: Namespace,
    ctx: Ctx,
    events: Arc<Recorder>,
    began: jiff::Timestamp,
}

impl Stage {
    async fn set(cluster: &TestCluster) -> Self {
        let namespace = cluster.namespace("wait").await;
        let events = Arc::new(Recorder::default());
        let mut ctx = namespace.ctx();
        ctx.events = events.clone();
        Self { namespace, ctx, events, began: jiff::Timestamp::now() }
    }

    async fn cluster(&self) -> Arc<Cluster> {
        self.ctx.cluster().await.unwrap()
    }

    /// Applies YAML documents, and returns what to wait for.
    async fn apply(&self, text: &str) -> Vec<Target> {
        let cluster = self.cluster().await;
        let mut targets = Vec::new();
        for document in text.split("---\n") {
            let mut object: Value = serde_saphyr::from_str(document).unwrap();
            object["metadata"]["namespace"] = self.namespace.name.clone().into();
            let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
            // A kind that was defined a moment ago is served a moment later.
            let asked = async || cluster.resource(version, kind).await.unwrap();
            let resource = wait_until("the kind", Duration::from_secs(20), asked).await;
            let applied = cluster.apply(&resource, &object, ApplyMode::default()).await.unwrap();
            targets.push(Target { resource, object: applied.object, changed: true });
        }
        targets
    }

    fn request(&self, targets: Vec<Target>) -> WaitRequest {
        WaitRequest {
            targets,
            timeout: Duration::from_secs(90),
            patience: Patience { grace: Duration::from_secs(3), restart_budget: 1 },
            since: self.began,
            selector: None,
            redactor: Redactor::default(),
            known_secrets: Default::default(),
        }
    }

    async fn wait(&self, request: WaitRequest) -> WaitReport {
        wait(&self.ctx, &*self.cluster().await, request).await.unwrap()
    }

    /// Applies and waits for what has to fail; returns the first evidence.
    async fn failing(&self, text: &str) -> Evidence {
        let began = Instant::now();
        let targets = self.apply(text).await;
        let report = self.wait(self.request(targets)).await;
        assert!(!report.all_current() && !report.timed_out, "{report:#?}");
        println!("{:?} {:#?}", began.elapsed(), report.failure);
        report.failure.into_iter().next().expect("evidence")
    }

    /// Every line that was told of an object's pods.
    fn lines(&self) -> Vec<String> {
        let lines = self.events.events().into_iter().filter_map(|event| match event {
            Event::Health { pods, health, .. } => Some(pods.into_iter().chain([health.message])),
            _ => None,
        });
        lines.flatten().collect()
    }
}

/// A Deployment of one busybox; `container` and `pod` are more of their fields.
fn deployment(name: &str, container: &str, pod: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: main, image: 'busybox:1.36'{container}}}]
{pod}"
    )
}

/// The Deployment with what its containers do in a sandbox; elsewhere the annotation says nothing.
fn behaving(deployment: &str, field: &str, value: &str) -> String {
    let labels = "metadata: {labels: {app: api}}";
    let annotated = format!("metadata: {{labels: {{app: api}}, annotations: {{sandbox.evolve/{field}: '{value}'}}}}");
    deployment.replace(labels, &annotated)
}

fn runs(command: &str) -> String {
    format!(", command: [sh, -c, \"{command}\"]")
}

fn events_tell(evidence: &Evidence, words: &str) -> bool {
    evidence.events.iter().any(|event| event.message.contains(words))
}

#[tokio::test]
async fn a_healthy_rollout_ends_with_everything_current() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let targets = stage
        .apply(&format!(
            "{}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\n---\n{}",
            deployment("api", &runs("sleep 1000000"), ""),
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: 'busybox:1.36', command: ['true']}]}}}\n"
        ))
        .await;
    let cluster = stage.cluster().await;
    let before = cluster.requests();
    let report = stage.wait(stage.request(targets)).await;
    assert!(report.all_current() && report.failure.is_empty(), "{report:#?}");
    // Deployments, Jobs, pods, ReplicaSets and events.
    assert_eq!(cluster.requests() - before, 5);
    let lines = stage.lines();
    assert!(lines.iter().any(|line| line.starts_with("api-") && line.ends_with("(ContainerCreating)")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("watched for an early end")), "{lines:#?}");
}

#[tokio::test]
async fn what_is_done_already_costs_no_request() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let targets = stage.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n").await;
    let cluster = stage.cluster().await;
    let before = cluster.requests();
    assert!(stage.wait(stage.request(targets)).await.all_current());
    assert_eq!(cluster.requests(), before);
}

#[tokio::test]
async fn an_image_that_does_not_exist_is_told_soon_after_the_grace_time() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let text = deployment("api", "", "").replace("busybox:1.36", "localhost:5999/shop/api:missing");
    let began = Instant::now();
    let evidence = stage.failing(&text).await;
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    assert!(matches!(evidence.reason.as_str(), "ErrImagePull" | "ImagePullBackOff"), "{evidence:#?}");
    assert!(
        evidence.summary.contains("the image localhost:5999/shop/api:missing cannot be had"),
        "{}",
        evidence.summary
    );
    assert_eq!(evidence.image.as_deref(), Some("localhost:5999/shop/api:missing"));
    assert!(events_tell(&evidence, "Failed to pull image") && events_tell(&evidence, "Successfully assigned"));
}

#[tokio::test]
async fn a_crash_loop_brings_the_log_of_its_last_instance() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let evidence =
        stage.failing(&deployment("api", &runs("echo starting; echo password=hunter2 >&2; exit 3"), "")).await;
    assert_eq!((evidence.reason.as_str(), evidence.exit_code), ("CrashLoopBackOff", Some(3)));
    assert!(evidence.restarts >= 1 && evidence.summary.contains("exit code 3"), "{evidence:#?}");
    let said = [evidence.log.clone(), evidence.previous_log.clone()].concat();
    assert!(said.contains(&"starting".into()) && said.contains(&"password=***".into()), "{evidence:#?}");
    assert!(!format!("{evidence:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_container_out_of_memory_is_told_with_its_limit() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let hungry = runs("a=x; while true; do a=$a$a; done") + ", resources: {limits: {memory: 16Mi}}";
    let hungry = behaving(&deployment("api", &hungry, ""), "exit", "{oom: true}");
    let evidence = stage.failing(&hungry).await;
    assert_eq!((evidence.reason.as_str(), evidence.exit_code), ("OOMKilled", Some(137)));
    assert!(evidence.exit.as_deref().is_some_and(|exit| exit.contains("limit of 16Mi")), "{evidence:#?}");
}

#[tokio::test]
async fn a_missing_key_is_named() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let variable =
        runs("sleep 1000") + ", env: [{name: A, valueFrom: {configMapKeyRef: {name: kube-root-ca.crt, key: nowhere}}}]";
    let evidence = stage.failing(&deployment("api", &variable, "")).await;
    assert_eq!(evidence.reason, "CreateContainerConfigError");
    assert!(evidence.summary.contains("couldn't find key nowhere in ConfigMap"), "{}", evidence.summary);
    assert_eq!(evidence.hints, ["add the key, or correct its name"]);
}

#[tokio::test]
async fn a_volume_without_its_object_is_named() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let mounts = runs("sleep 1000") + ", volumeMounts: [{name: v, mountPath: /v}]";
    let evidence =
        stage.failing(&deployment("api", &mounts, "      volumes: [{name: v, secret: {secretName: absent}}]\n")).await;
    assert_eq!(evidence.reason, "FailedMount");
    assert!(evidence.summary.contains("secret \"absent\" not found"), "{}", evidence.summary);
}

#[tokio::test]
async fn a_pod_that_fits_no_node_is_told_with_the_schedulers_words() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let large = runs("sleep 1000") + ", resources: {requests: {cpu: '500'}}";
    let evidence = stage.failing(&deployment("api", &large, "")).await;
    assert_eq!(evidence.reason, "Unschedulable");
    assert!(evidence.summary.contains("Insufficient cpu"), "{}", evidence.summary);
    assert!(events_tell(&evidence, "Insufficient cpu"));
}

#[tokio::test]
async fn a_probe_that_never_passes_is_told_after_its_window() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let probe = runs("echo listening on nothing; sleep 1000")
        + ", readinessProbe: {httpGet: {port: 8080, path: /health}, periodSeconds: 1, timeoutSeconds: 1}";
    let evidence = stage.failing(&behaving(&deployment("api", &probe, ""), "startup", "1h")).await;
    assert_eq!((evidence.reason.as_str(), evidence.container.as_deref()), ("Unhealthy", Some("main")));
    assert!(
        evidence.summary.contains("Readiness probe failed") && evidence.summary.contains("refused"),
        "{}",
        evidence.summary
    );
    assert_eq!(evidence.log, ["listening on nothing"]);
}

#[tokio::test]
async fn an_init_container_that_fails_is_the_one_that_is_named() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let init = "      initContainers: [{name: migrate, image: 'busybox:1.36', command: [sh, -c, 'echo no database; exit 4']}]\n";
    let evidence = stage.failing(&deployment("api", &runs("sleep 1000"), init)).await;
    assert_eq!((evidence.container.as_deref(), evidence.exit_code), (Some("migrate"), Some(4)));
    assert!([evidence.log, evidence.previous_log].concat().contains(&"no database".into()));
}

#[tokio::test]
async fn pods_that_a_quota_refuses_are_told_though_none_exists() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    stage.apply("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: small}\nspec: {hard: {pods: '0'}}\n").await;
    let stateful_set = deployment("db", &runs("sleep 1000"), "")
        .replace("kind: Deployment", "kind: StatefulSet")
        .replace("spec:\n  selector", "spec:\n  serviceName: db\n  selector");
    for text in [deployment("api", &runs("sleep 1000"), ""), stateful_set] {
        let evidence = stage.failing(&text).await;
        assert_eq!((evidence.reason.as_str(), evidence.pod), ("FailedCreate", None));
        assert!(evidence.summary.contains("exceeded quota: small"), "{}", evidence.summary);
    }
}

#[tokio::test]
async fn a_job_that_gives_up_brings_the_log_of_its_pod() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    for policy in ["Never", "OnFailure"] {
        let job = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: migrate-{}}}\nspec: {{backoffLimit: 1, template: {{spec: {{restartPolicy: {policy}, terminationGracePeriodSeconds: 0, containers: [{{name: main, image: 'busybox:1.36', command: [sh, -c, 'echo cannot migrate; exit 7']}}]}}}}}}\n",
            policy.to_lowercase()
        );
        let evidence = stage.failing(&job).await;
        assert_eq!(evidence.exit_code, Some(7), "{policy}: {evidence:#?}");
        assert!([evidence.log, evidence.previous_log].concat().contains(&"cannot migrate".into()), "{policy}");
    }
}

#[tokio::test]
async fn a_rolling_update_judges_the_new_pods_and_keeps_the_old() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    // Without the probe, Kubernetes would take the moment before the crash for success and end the old pod.
    let probe = ", readinessProbe: {exec: {command: ['true']}, initialDelaySeconds: 1, periodSeconds: 1}";
    let good = deployment("api", &(runs("sleep 1000000") + probe), "");
    let targets = stage.apply(&good).await;
    assert!(stage.wait(stage.request(targets)).await.all_current());
    let before = stage.namespace.names("/api/v1", "pods").await;
    let evidence = stage.failing(&deployment("api", &(runs("exit 9") + probe), "")).await;
    let failed = evidence.pod.expect("the new pod").name;
    assert!(!before.contains(&failed) && evidence.exit_code == Some(9));
    let after = stage.namespace.names("/api/v1", "pods").await;
    assert!(before.iter().all(|pod| after.contains(pod)), "the old pods stay: {after:?}");
    // The way back: the pods that fail are now the old ones.
    let targets = stage.apply(&good).await;
    let report = stage.wait(stage.request(targets)).await;
    assert!(report.all_current(), "{report:#?}");
}

#[tokio::test]
async fn a_stateful_set_that_its_broken_pod_blocks_is_told() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let text = |command: &str| {
        deployment("db", &runs(command), "")
            .replace("kind: Deployment", "kind: StatefulSet")
            .replace("spec:\n  selector", "spec:\n  serviceName: db\n  selector")
    };
    stage.failing(&text("exit 5")).await;
    let evidence = stage.failing(&text("sleep 1000")).await;
    assert!(evidence.summary.contains("of the old revision"), "{}", evidence.summary);
    assert_eq!(evidence.hints, ["delete that pod, and the new revision takes its place"]);
}

#[tokio::test]
async fn known_false_alarms_are_said_and_not_waited_for() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let targets = stage
        .apply(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n\
             ---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n",
        )
        .await;
    let report = stage.wait(stage.request(targets)).await;
    assert!(report.all_current(), "{report:#?}");
    assert!(
        report.notes.iter().any(|note| note.starts_with("persistentvolumeclaim/data: not bound")),
        "{:?}",
        report.notes
    );
    assert!(report.notes.iter().any(|note| note.starts_with("service/web: no address")), "{:?}", report.notes);
}

#[tokio::test]
async fn a_claim_of_a_class_that_does_not_exist_fails() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let evidence = stage
        .failing("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {storageClassName: absent, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n")
        .await;
    assert_eq!(evidence.reason, "ProvisioningFailed");
    assert!(evidence.summary.contains("\"absent\" not found"), "{}", evidence.summary);
}

#[tokio::test]
async fn the_end_of_the_time_says_what_was_seen_last() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let probe = runs("sleep 1000") + ", readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}";
    let targets = stage.apply(&behaving(&deployment("api", &probe, ""), "startup", "1h")).await;
    let report = stage.wait(WaitRequest { timeout: Duration::from_secs(4), ..stage.request(targets) }).await;
    assert!(report.timed_out && report.objects.iter().all(|object| object.health.status == Status::InProgress));
    let evidence = report.failure.first().expect("evidence");
    assert!(evidence.summary.starts_with("not ready after 4 s: pod api-"), "{}", evidence.summary);
}

#[tokio::test]
async fn an_interruption_says_what_was_left() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let targets = stage.apply(&deployment("api", &runs("sleep 1000"), "      nodeSelector: {none: such}\n")).await;
    let request = stage.request(targets);
    let cancel = async {
        wait_until("a line of the pod", Duration::from_secs(10), async || {
            stage.lines().iter().any(|line| line.contains("no node takes it")).then_some(())
        })
        .await;
        stage.ctx.cancel.cancel();
        std::future::pending::<()>().await
    };
    let cluster = stage.cluster().await;
    let error = tokio::select! {
        ended = wait(&stage.ctx, &cluster, request) => ended.unwrap_err(),
        () = cancel => unreachable!(),
    };
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(
        error.message().starts_with("interrupted while waiting for deployment.apps/api (0 of 1 available"),
        "{error}"
    );
}

#[tokio::test]
async fn missing_permissions_are_notes() {
    let cluster = TestCluster::any().await;
    let mut stage = Stage::set(&cluster).await;
    let targets = stage.apply(&deployment("api", &runs("exit 3"), "")).await;
    let refuse = |part: &str| Rule::once(http::Method::GET, part, Fault::Answer(403, &[])).times(9);
    let proxy = Proxy::start(&cluster, vec![refuse("/events"), refuse("/log")]).await;
    let mut ctx = stage.namespace.ctx();
    ctx.connect.server = Some(proxy.url());
    stage.ctx = ctx;
    let report = stage.wait(stage.request(targets)).await;
    let evidence = report.failure.first().expect("evidence");
    assert_eq!((evidence.exit_code, evidence.log.is_empty()), (Some(3), true));
    assert!(report.notes.iter().any(|note| note.starts_with("a log is missing")), "{:?}", report.notes);
    assert!(report.notes.iter().any(|note| note.contains("watching events")), "{:?}", report.notes);
}

#[tokio::test]
async fn a_wait_goes_on_through_a_restart_of_the_server() {
    let cluster = TestCluster::any().await;
    let mut stage = Stage::set(&cluster).await;
    let targets = stage.apply(&deployment("api", &runs("sleep 1000000"), "")).await;
    let proxy = Proxy::start(&cluster, vec![]).await;
    let mut ctx = stage.namespace.ctx();
    ctx.connect.server = Some(proxy.url());
    stage.ctx = ctx;
    let request = stage.request(targets);
    let restart = async {
        wait_until("the watches", Duration::from_secs(10), async || (proxy.seen().len() >= 4).then_some(())).await;
        proxy.restart(Duration::from_millis(1500));
    };
    let (report, ()) = tokio::join!(stage.wait(request), restart);
    assert!(report.all_current(), "{report:#?}");
}

#[tokio::test]
async fn a_custom_kind_gets_a_moment_to_react() {
    let cluster = TestCluster::any().await;
    let stage = Stage::set(&cluster).await;
    let name = format!("caches.{}.example.com", stage.namespace.name);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
        "spec": {"group": format!("{}.example.com", stage.namespace.name), "scope": "Namespaced",
                 "names": {"plural": "caches", "kind": "Cache"},
                 "versions": [{"name": "v1", "served": true, "storage": true,
                               "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}
    });
    let connected = stage.cluster().await;
    let kind = connected.resource("apiextensions.k8s.io/v1", "CustomResourceDefinition").await.unwrap().unwrap();
    let applied = connected.apply(&kind, &definition, ApplyMode::default()).await.unwrap();
    let report =
        stage.wait(stage.request(vec![Target { resource: kind.clone(), object: applied.object, changed: true }])).await;
    assert!(report.all_current(), "{report:#?}");
    connected.forget_resources().await;
    let targets = stage
        .apply(&format!("apiVersion: {}.example.com/v1\nkind: Cache\nmetadata: {{name: a}}\n", stage.namespace.name))
        .await;
    let began = Instant::now();
    assert!(stage.wait(stage.request(targets)).await.all_current());
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
    connected.delete(&kind, None, &name, &Default::default()).await.unwrap();
}
