//! `check` with a cluster at hand, with one that tells nothing, and with none.

use serde_json::{Value, json};

use super::support::{Evolve, Namespace, TestCluster};

const APP: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      serviceAccountName: api
      containers:
      - name: api
        image: api:1
        env:
        - {name: A, valueFrom: {secretKeyRef: {name: db, key: password}}}
        - {name: B, valueFrom: {secretKeyRef: {name: db, key: user}}}
        - {name: C, valueFrom: {secretKeyRef: {name: gone, key: user, optional: true}}}
        envFrom:
        - configMapRef: {name: settings}
        - configMapRef: {name: others}
";

/// A namespace that has some of what the application refers to.
async fn prepared(cluster: &TestCluster) -> Namespace {
    let namespace = cluster.namespace("check").await;
    let path = |plural: &str| format!("/api/v1/namespaces/{}/{plural}", namespace.name);
    let secret = json!({"metadata": {"name": "db"}, "stringData": {"password": "hunter2"}});
    let settings = json!({"metadata": {"name": "settings"}});
    for (plural, object) in [("secrets", secret), ("configmaps", settings)] {
        namespace.send("POST", &path(plural), "application/json", object.to_string().into_bytes()).await;
    }
    namespace
}

#[tokio::test]
async fn references_outside_of_the_manifests_are_looked_up() {
    let cluster = TestCluster::any().await;
    let namespace = prepared(&cluster).await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("app.yaml", APP);
    let ended = evolve.run(&["check", "-f", "app.yaml", "-n", &namespace.name, "-o", "json"]).await;
    assert_eq!(ended.code, Some(1), "{ended}");
    ended.never_says("hunter2");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let found: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["message"].as_str().unwrap()).collect();
    let missing =
        |what: &str| format!("{what} of namespace {} is neither in the manifests nor in the cluster", namespace.name);
    let expected = [
        missing("ServiceAccount \"api\""),
        "Secret \"db\" has no key \"user\"".to_owned(),
        missing("ConfigMap \"others\""),
    ];
    assert_eq!(found, expected);
    assert!(report.get("skipped").is_none(), "{report}");
}

#[tokio::test]
async fn what_may_not_be_read_is_said_and_stops_nothing() {
    let Some(cluster) = TestCluster::real().await else { return };
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("app.yaml", APP);
    let ended = evolve.run(&["check", "-f", "app.yaml", "--as", "nobody-in-particular"]).await;
    ended.succeeded();
    for words in ["skipped: secret/db could not be looked up", "forbidden", "1 object: in order"] {
        assert!(ended.stdout.contains(words), "{words}\n{ended}");
    }
}

#[tokio::test]
async fn a_deploy_of_faulty_manifests_sends_nothing() {
    let cluster = TestCluster::any().await;
    let namespace = prepared(&cluster).await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file(
        "app.yaml",
        &format!("{APP}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: first}}\ndatum: {{}}\n"),
    );
    let ended = evolve.run(&["deploy", "-f", "app.yaml", "-n", &namespace.name, "--app", "shop"]).await;
    ended.failed(2, &["app.yaml:10:7", "[reference-missing], and 3 more errors", "kubectl evolve check"]);
    assert!(!namespace.names("/api/v1", "configmaps").await.contains(&"first".to_owned()));
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_a_remark() {
    let evolve = Evolve::without_cluster();
    evolve.file("app.yaml", APP);
    let ended = evolve.run(&["check", "-f", "app.yaml"]).await;
    ended.succeeded();
    for words in ["skipped: no cluster was asked whether it has", "is not reachable", "1 object: 5 warnings"] {
        assert!(ended.stdout.contains(words), "{words}\n{ended}");
    }
}

#[tokio::test]
async fn a_secret_from_a_variable_is_not_in_plain_text() {
    let evolve = Evolve::without_cluster().variable("PASSWORD", "hunter2");
    evolve.file("evolve.yaml", "name: shop\nmanifests: [app.yaml]\nsubstitute: {env: [PASSWORD]}\n");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  user: app\n";
    evolve.file("app.yaml", &format!("{secret}  password: ${{PASSWORD}}\n  url: \"pg://app:${{PASSWORD}}@db\"\n"));
    let ended = evolve.run(&["check"]).await;
    ended.succeeded().never_says("hunter2");
    assert!(ended.stdout.contains("the values of user are in the file"), "{ended}");
}
