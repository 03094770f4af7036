//! Claims that grow, and a StatefulSet that is replaced under its pods: also when the command is killed at any request.

use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::support::{Evolve, Fault, Namespace, Proxy, Rule, TestCluster, wait_until};

const SIDE_BY_SIDE: usize = 6;
const APPLICATION: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, labels: {app: db}, annotations: {note: kept}}
spec:
  serviceName: db
  replicas: 1
  selector: {matchLabels: {app: db}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 16Mi}}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: 'busybox:1.36'
        command: [sh, -c, 'echo kept > /data/file; sleep 1000000']
        volumeMounts: [{name: data, mountPath: /data}]
";
const SETS: &str = "/apis/apps/v1";

async fn deploy(evolve: &Evolve, namespace: &Namespace) {
    evolve.file("app.yaml", APPLICATION);
    evolve.run(&["deploy", "-f", "app.yaml", "-n", &namespace.name, "--app", "shop"]).await.succeeded();
}

/// The uid of the pod, the amounts that template and claim ask for, and who owns which fields of the StatefulSet.
async fn state(namespace: &Namespace) -> Value {
    let set = namespace.list(SETS, "statefulsets").await.pop().unwrap_or_default();
    let claims = namespace.list("/api/v1", "persistentvolumeclaims").await;
    let pods = namespace.list("/api/v1", "pods").await;
    let mut owners: Vec<String> = set["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry.get("subresource").is_none())
        .map(|entry| format!("{} {} {}", entry["manager"], entry["operation"], entry["fieldsV1"]))
        .collect();
    owners.sort();
    let records = namespace.names("/api/v1", "secrets").await;
    let storage = |spec: &Value| spec["resources"]["requests"]["storage"].clone();
    json!({
        "pods": pods.iter().map(|pod| pod["metadata"]["uid"].clone()).collect::<Vec<_>>(),
        "claims": claims.iter().map(|claim| storage(&claim["spec"])).collect::<Vec<_>>(),
        "template": storage(&set["spec"]["volumeClaimTemplates"][0]["spec"]),
        "annotations": set["metadata"]["annotations"]["note"],
        "owners": owners,
        "records": records.iter().filter(|name| name.starts_with("evolve.replaces.")).count(),
    })
}

#[tokio::test]
async fn a_stateful_set_grows_under_its_pods() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("expand").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    deploy(&evolve, &namespace).await;
    let before = state(&namespace).await;
    let expand =
        async |words: &[&str]| evolve.run(&[&["storage", "expand", "-n", &namespace.name], words].concat()).await;
    let planned = expand(&["db", "+8Mi", "--dry-run"]).await;
    assert!(planned.succeeded().stdout.contains("statefulset/db would be replaced"), "{planned}");
    assert_eq!(state(&namespace).await, before);
    let ended = expand(&["db", "24Mi"]).await;
    assert!(ended.succeeded().stdout.contains("statefulset/db has 24Mi"), "{ended}");
    let mut wanted = before.clone();
    wanted["claims"] = json!(["24Mi"]);
    wanted["template"] = json!("24Mi");
    assert_eq!(state(&namespace).await, wanted);
    let again = expand(&["statefulset/db", "24Mi"]).await;
    assert!(!again.succeeded().stdout.contains("replaced"), "{again}");
    let claim = expand(&["data-db-0", "+8Mi", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&claim.succeeded().stdout).unwrap();
    assert_eq!((&report["claims"][0]["capacity"], &report["complete"]), (&json!("32Mi"), &json!(true)));
    assert!(report["notes"][0].as_str().unwrap().contains("statefulset/db made this claim"), "{report:#}");
}

#[tokio::test]
async fn what_stands_in_the_way_is_found_before_anything_changes() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("expand").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    deploy(&evolve, &namespace).await;
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"},
        "spec": {"hard": {"requests.storage": "20Mi"}}});
    let quotas = format!("/api/v1/namespaces/{}/resourcequotas", namespace.name);
    namespace.send("POST", &quotas, "application/json", quota.to_string().into_bytes()).await;
    let counted = || async {
        let quotas = namespace.list("/api/v1", "resourcequotas").await;
        quotas[0]["status"]["used"].get("requests.storage").is_some().then_some(())
    };
    wait_until("the quota's count", Duration::from_secs(30), counted).await;
    let before = state(&namespace).await;
    let expand =
        async |words: &[&str]| evolve.run(&[&["storage", "expand", "-n", &namespace.name], words].concat()).await;
    expand(&["db", "1Gi"]).await.reported(&["the quota small allows 20Mi of requests.storage", "nothing was changed"]);
    expand(&["db", "8Mi"]).await.failed(2, &["volumes cannot shrink"]).with_hint();
    expand(&["db", "8MB"]).await.failed(2, &["is no size"]);
    expand(&["bd", "1Gi"]).await.failed(2, &["there is no claim and no StatefulSet bd"]).with_hint();
    expand(&["configmap/x", "1Gi"]).await.failed(2, &["a configmap cannot grow"]).with_hint();
    assert_eq!(state(&namespace).await, before);
}

/// Kills the command at its nth request and runs it again. Returns whether it got as far as that request.
async fn kill_and_run_again(cluster: &TestCluster, nth: usize) -> bool {
    let namespace = cluster.namespace("expand-kill").await;
    let proxy = Proxy::start(cluster, Vec::new()).await;
    let evolve = proxy.evolve();
    deploy(&evolve, &namespace).await;
    let mut wanted = state(&namespace).await;
    let words = ["storage", "expand", "statefulset/db", "24Mi", "--timeout=30s", "-n", &namespace.name];
    let fault = if nth.is_multiple_of(2) { Fault::KillAfter } else { Fault::KillBefore };
    proxy.reset(vec![Rule::nth(nth, fault)]);
    if evolve.run_until(&words, proxy.asks_to_kill()).await.is_some() {
        return false;
    }
    let at = proxy.seen().pop().unwrap();
    proxy.reset(Vec::new());
    let ended = evolve.run(&words).await;
    assert_eq!(ended.code, Some(0), "killed at {} {}: {ended}", at.method, at.target);
    wanted["claims"] = json!(["24Mi"]);
    wanted["template"] = json!("24Mi");
    assert_eq!(state(&namespace).await, wanted, "killed at request {nth}, {} {}", at.method, at.target);
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expansion_that_is_killed_at_any_request_loses_nothing() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("expand-kill").await;
    let proxy = Proxy::start(&cluster, Vec::new()).await;
    let evolve = proxy.evolve();
    deploy(&evolve, &namespace).await;
    proxy.reset(Vec::new());
    evolve
        .run(&["storage", "expand", "statefulset/db", "24Mi", "--timeout=30s", "-n", &namespace.name])
        .await
        .succeeded();
    let requests = proxy.seen().len();
    let killed: Vec<bool> = stream::iter(1..=requests)
        .map(|nth| kill_and_run_again(&cluster, nth))
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let kills = killed.iter().filter(|killed| **killed).count();
    println!("{kills} kills at {requests} requests");
    assert!(kills + 6 >= requests, "only {kills} kills at {requests} requests");
}
