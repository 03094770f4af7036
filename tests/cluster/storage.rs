//! Claims and volumes: their states on either cluster, how full they are on a real node.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Evolve, Namespace, TestCluster, wait_until};

/// A StatefulSet whose pods fill 12 of 16 MiB, and a claim that nothing mounts.
const APPLICATION: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, labels: {app: db}}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  volumeClaimTemplates:
  - metadata: {name: data, labels: {app: db}}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 16Mi}}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: 'busybox:1.36'
        command: [sh, -c, 'dd if=/dev/zero of=/data/f bs=1M count=12; sleep 1000000']
        volumeMounts: [{name: data, mountPath: /data}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: lonely}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Mi}}}
";

async fn deployed(cluster: &TestCluster) -> (Namespace, Evolve) {
    let namespace = cluster.namespace("storage").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("app.yaml", APPLICATION);
    evolve.run(&["deploy", "-f", "app.yaml", "-n", &namespace.name, "--app", "shop", "--wait=false"]).await.succeeded();
    let ready = || async {
        let sets = namespace.list("/apis/apps/v1", "statefulsets").await;
        (sets[0]["status"]["readyReplicas"] == 2).then_some(())
    };
    wait_until("two replicas", Duration::from_secs(60), ready).await;
    (namespace, evolve)
}

async fn report(evolve: &Evolve, namespace: &Namespace, words: &[&str]) -> Value {
    let ended = evolve.run(&[&["storage", "-n", &namespace.name, "-o", "json"], words].concat()).await;
    serde_json::from_str(&ended.succeeded().stdout).unwrap()
}

fn item<'r>(report: &'r Value, name: &str) -> &'r Value {
    let mut items = report["items"].as_array().unwrap().iter();
    items.find(|item| item["claim"] == name || item["volume"] == name).unwrap_or_else(|| panic!("{name}: {report:#}"))
}

async fn patch(namespace: &Namespace, path: &str, patch: Value) {
    let path = path.replace("NAMESPACE", &namespace.name);
    namespace.send("PATCH", &path, "application/merge-patch+json", patch.to_string().into_bytes()).await;
}

#[tokio::test]
async fn every_claim_says_its_state_and_why() {
    let cluster = TestCluster::any().await;
    let (namespace, evolve) = deployed(&cluster).await;
    // A deploy would refuse it.
    let nowhere = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "nowhere"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "absent",
            "resources": {"requests": {"storage": "8Mi"}}}});
    let claims = format!("/api/v1/namespaces/{}/persistentvolumeclaims", namespace.name);
    namespace.send("POST", &claims, "application/json", nowhere.to_string().into_bytes()).await;
    let failed = || async {
        let found = report(&evolve, &namespace, &[]).await;
        let reason = item(&found, "nowhere")["reason"].as_str().unwrap_or_default().to_owned();
        reason.contains("ProvisioningFailed").then_some((found, reason))
    };
    let (found, reason) = wait_until("the event of the missing class", Duration::from_secs(30), failed).await;
    assert!(reason.contains("\"absent\" not found"), "{reason}");
    let bound = item(&found, "data-db-0");
    assert_eq!((&bound["state"], &bound["pods"]), (&json!("bound"), &json!(["db-0"])), "{bound:#}");
    assert_eq!((&bound["requested"], &bound["capacity"]), (&json!(16 << 20), &json!(16 << 20)));
    assert_eq!(bound["workloads"], json!(["statefulset/db"]));
    assert_eq!(item(&found, "lonely")["reason"], "it waits for a pod that mounts it");

    patch(&namespace, "/apis/apps/v1/namespaces/NAMESPACE/statefulsets/db", json!({"spec": {"replicas": 1}})).await;
    let unmounted = || async {
        let found = report(&evolve, &namespace, &["data-db-1"]).await;
        (item(&found, "data-db-1")["state"] == "unmounted").then_some(found)
    };
    let found = wait_until("the second replica's end", Duration::from_secs(60), unmounted).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let reason = &item(&found, "data-db-1")["reason"];
    assert_eq!(reason, "statefulset/db made it for its replica 1, and has 1 replicas now");

    let path = format!("/apis/apps/v1/namespaces/{}/statefulsets/db?propagationPolicy=Background", namespace.name);
    namespace.send("DELETE", &path, "application/json", Vec::new()).await;
    let orphaned = || async {
        let found = report(&evolve, &namespace, &["-l", "app=db"]).await;
        (item(&found, "data-db-0")["state"] == "orphaned").then_some(())
    };
    wait_until("the end of the StatefulSet", Duration::from_secs(60), orphaned).await;
    let ended = evolve.run(&["storage", "-n", &namespace.name, "data-dp-0"]).await;
    ended.failed(2, &["is meant by data-dp-0"]).with_hint();
    assert!(ended.stderr.contains("data-db-0"), "{ended}");
}

#[tokio::test]
async fn a_volume_that_lost_its_claim_is_released() {
    let cluster = TestCluster::any().await;
    let (namespace, evolve) = deployed(&cluster).await;
    let found = report(&evolve, &namespace, &["data-db-1"]).await;
    let volume = item(&found, "data-db-1")["volume"].as_str().unwrap().to_owned();
    let keep = json!({"spec": {"persistentVolumeReclaimPolicy": "Retain"}});
    patch(&namespace, &format!("/api/v1/persistentvolumes/{volume}"), keep).await;
    patch(&namespace, "/apis/apps/v1/namespaces/NAMESPACE/statefulsets/db", json!({"spec": {"replicas": 1}})).await;
    namespace.delete("/api/v1", "persistentvolumeclaims", "data-db-1").await;
    let released = || async {
        let ended = evolve.run(&["storage", "-n", &namespace.name]).await;
        ended.succeeded().stdout.contains(&format!("released pv/{volume}: its claim data-db-1")).then_some(())
    };
    wait_until("the volume's release", Duration::from_secs(60), released).await;
    let _: Value = cluster
        .client
        .request(http::Request::delete(format!("/api/v1/persistentvolumes/{volume}")).body(Vec::new()).unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_volume_that_fills_is_measured_by_its_node_and_forecast() {
    let Some(cluster) = TestCluster::real().await else { return };
    let (namespace, evolve) = deployed(&cluster).await;
    let measured = || async {
        let found = report(&evolve, &namespace, &["data-db-0"]).await;
        item(&found, "data-db-0").get("usage").cloned()
    };
    let usage = wait_until("the kubelet's count", Duration::from_secs(150), measured).await;
    assert_eq!((&usage["used"], &usage["size"]), (&json!(12 << 20), &json!(16 << 20)), "{usage:#}");
    let table = evolve.run(&["storage", "-n", &namespace.name, "-o", "wide", "--sort", "used"]).await;
    assert!(table.succeeded().stdout.contains("75%"), "{table}");
    assert_eq!(
        evolve.run(&["storage", "-n", &namespace.name, "-o", "name", "lonely"]).await.stdout,
        "persistentvolumeclaim/lonely\n"
    );
}

#[tokio::test]
async fn what_may_not_be_read_is_said_and_never_dropped() {
    let Some(cluster) = TestCluster::real().await else { return };
    let (namespace, evolve) = deployed(&cluster).await;
    let (_, rest) = include_str!("../../docs/storage.md").split_once("```yaml\n").unwrap();
    let role = rest.split("---\n").next().unwrap();
    let user = format!("storage-{}", namespace.name);
    let binding = format!(
        "{role}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: reader}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: storage-reader}}\n\
         subjects: [{{kind: User, name: {user}, apiGroup: rbac.authorization.k8s.io}}]\n"
    );
    evolve.file("role.yaml", &binding);
    evolve.run(&["deploy", "-f", "role.yaml", "-n", &namespace.name, "--app", "rbac"]).await.succeeded();
    let ended = evolve.run(&["storage", "-n", &namespace.name, "--as", &user]).await;
    let said = &ended.succeeded().stdout;
    assert!(said.contains("note: volumes without a claim are not listed"), "{ended}");
    assert!(said.contains("not measured data-db-0, data-db-1: "), "{ended}");
    assert!(said.contains("nodes/proxy") || said.contains("nodes \"testbed\""), "{ended}");
    evolve
        .run(&["storage", "-n", &namespace.name, "--as", "nobody"])
        .await
        .failed(1, &["persistentvolumeclaims"])
        .with_hint();
}
