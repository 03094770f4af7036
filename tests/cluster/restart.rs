//! Rolling restarts on a real node.

use super::support::{Evolve, TestCluster};

const WORKLOAD: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: 'busybox:1.36', command: [sleep, '1000000']}]
";

#[tokio::test]
async fn a_restart_replaces_the_pods_of_what_is_named() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("restart").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("api.yaml", WORKLOAD);
    evolve.run(&["deploy", "-f", "api.yaml", "-n", &namespace.name, "--app", "shop"]).await.succeeded();
    for target in [&["deployment/api"][..], &["api"], &["-l", "applyset.kubernetes.io/part-of"], &["--app", "shop"]] {
        let before = namespace.names("/api/v1", "pods").await;
        let ended = evolve.run(&[&["restart", "-n", &namespace.name], target].concat()).await;
        ended.succeeded();
        assert!(ended.stdout.contains("restarted and healthy: deployment.apps/api"), "{ended}");
        let objects = namespace.list("/apis/apps/v1", "deployments").await;
        assert!(
            objects.iter().all(|object| object["status"]["updatedReplicas"] == 1 && object["status"]["replicas"] == 1)
        );
        assert!(namespace.names("/api/v1", "pods").await.iter().any(|pod| !before.contains(pod)), "{target:?}");
    }
    let ended = evolve.run(&["restart", "-n", &namespace.name, "nothing"]).await;
    ended.failed(2, &["no Deployment, StatefulSet or DaemonSet nothing", "there are deployment/api"]);
    evolve.run(&["restart", "-n", &namespace.name, "apis"]).await.failed(2, &["did you mean deployment/api?"]);
    evolve.run(&["restart", "-n", &namespace.name, "service/api"]).await.failed(2, &["service cannot be restarted"]);
}

#[tokio::test]
async fn a_restart_waits_for_the_lock_of_the_application_and_reads_its_settings() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("restart-lock").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("api.yaml", WORKLOAD);
    evolve.run(&["deploy", "-f", "api.yaml", "-n", &namespace.name, "--app", "shop"]).await.succeeded();
    let lease = serde_json::json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "evolve.shop"},
        "spec": {"holderIdentity": "ann@laptop", "leaseDurationSeconds": 3600,
            "acquireTime": "2999-01-01T00:00:00.000000Z", "renewTime": "2999-01-01T00:00:00.000000Z"},
    });
    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", namespace.name);
    namespace.send("POST", &leases, "application/json", lease.to_string().into_bytes()).await;
    for target in [&["api"][..], &["--app", "shop"], &["-l", "applyset.kubernetes.io/part-of"]] {
        let ended = evolve.run(&[&["restart", "-n", &namespace.name, "--lock-timeout=1s"], target].concat()).await;
        ended.failed(1, &["shop is locked by", "ann@laptop"]).with_hint();
    }
    namespace.delete("/apis/coordination.k8s.io/v1", "leases", "evolve.shop").await;
    evolve.file("evolve.yaml", "name: shop\ndeploy:\n  timeout: 1s\n");
    let stuck = serde_json::json!({"spec": {"template": {"spec": {"nodeSelector": {"no": "such-node"}}}}});
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/api", namespace.name);
    namespace.send("PATCH", &path, "application/merge-patch+json", stuck.to_string().into_bytes()).await;
    let ended = evolve.run(&["restart", "-n", &namespace.name, "api", "--grace=1m"]).await;
    ended.reported(&["not ready after 1 s"]);
}
