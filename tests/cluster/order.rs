//! The order of workloads on a real node.

use super::support::{Evolve, TestCluster};

/// A server that is slow to start, and a Deployment that names it.
const MANIFESTS: &str = "apiVersion: v1
kind: Service
metadata: {name: store}
spec: {selector: {app: store}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: busybox:1.36
          command: [sleep, '1000000']
          env: [{name: STORE_URL, value: 'http://store:8080/'}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: store}
spec:
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: busybox:1.36
          command: [sh, -c, 'sleep 4; echo ready > /tmp/index.html; exec httpd -f -p 8080 -h /tmp']
          readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
";

#[tokio::test]
async fn a_workload_begins_when_what_it_names_is_ready() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("order").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("app.yaml", MANIFESTS);
    let deploy = ["deploy", "-f", "app.yaml", "-n", &namespace.name, "--app", "shop", "--restart-budget=0"];
    evolve.run(&deploy).await.succeeded();
    let pods = namespace.list("/api/v1", "pods").await;
    let pod = |app: &str| pods.iter().find(|pod| pod["metadata"]["labels"]["app"] == app).unwrap();
    let conditions = pod("store")["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready").unwrap();
    let [ready, begun] = [&ready["lastTransitionTime"], &pod("api")["metadata"]["creationTimestamp"]];
    assert!(ready.as_str() <= begun.as_str(), "the store was ready at {ready}, and the api made at {begun}");
}

#[tokio::test]
async fn a_workload_is_not_touched_when_what_it_needs_fails() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("order-fails").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("app.yaml", &MANIFESTS.replace("'sleep 4; ", "'exit 7; "));
    let deploy = ["deploy", "-f", "app.yaml", "-n", &namespace.name, "--app", "shop", "--restart-budget=0"];
    evolve.run(&deploy).await.reported(&["deployment.apps/store", "exit code 7"]);
    assert_eq!(namespace.names("/apis/apps/v1", "deployments").await, ["store"]);
}
