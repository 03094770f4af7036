//! What is told of what runs.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Ended, Evolve, Namespace, TestCluster, wait_until};

const APP: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: busybox:1.36
        command: [sleep, '1000000']
        resources: {requests: {cpu: 1m, memory: 4Mi}, limits: {cpu: 50m, memory: 32Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
";

const BROKEN: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: broken}
spec:
  selector: {matchLabels: {app: broken}}
  template:
    metadata: {labels: {app: broken}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: 'busybox:1.36', command: [sh, -c, 'exit 3']}]
";

struct Shop {
    evolve: Evolve,
    namespace: Namespace,
}

impl Shop {
    async fn on(cluster: &TestCluster, manifests: &str) -> Self {
        let namespace = cluster.namespace("status").await;
        let shop = Self { evolve: Evolve::new(&cluster.kubeconfig), namespace };
        shop.evolve.file("app.yaml", manifests);
        shop.evolve.run(&["deploy", "-f", "app.yaml", "-n", &shop.namespace.name, "--app", "shop"]).await.succeeded();
        shop
    }

    async fn status(&self, words: &[&str]) -> Ended {
        self.evolve.run(&[&["status", "-n", &self.namespace.name], words].concat()).await
    }

    async fn report(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.status(&[words, &["-o", "json"]].concat()).await.stdout).unwrap()
    }
}

#[tokio::test]
async fn a_healthy_application_is_shown_as_a_tree() {
    let shop = Shop::on(&TestCluster::any().await, APP).await;
    let ended = shop.status(&[]).await;
    ended.succeeded();
    let name = &shop.namespace.name;
    assert!(
        ended.stdout.starts_with(&format!("✓ namespace {name} is healthy: 1 workload, 2 of 2 pods ready\n")),
        "{ended}"
    );
    for part in ["✓ deployment.apps/api", "revision 1 (api-", "image busybox:1.36", "service/api", "80→8080/TCP"] {
        assert!(ended.stdout.contains(part), "{part}\n{ended}");
    }
    let report = shop.report(&["api"]).await;
    assert_eq!((report["kind"].as_str(), report["verdict"].as_str()), (Some("StatusReport"), Some("healthy")));
    let pods = &report["workloads"][0]["sets"][0]["pods"];
    assert_eq!(pods.as_array().map(Vec::len), Some(2), "{report:#}");
    assert_eq!(pods[0]["containers"][0]["usage"]["memory"]["limit"], 32 << 20);
    let members = shop.status(&["--app", "shop"]).await;
    assert!(members.succeeded().stdout.starts_with(&format!("✓ shop in namespace {name} is healthy")), "{members}");
    let labelled = shop.status(&["-l", "applyset.kubernetes.io/part-of"]).await;
    assert!(labelled.succeeded().stdout.contains("deployment.apps/api"), "{labelled}");
}

#[tokio::test]
async fn what_does_not_keep_running_is_told_with_its_exit_code() {
    let shop = Shop::on(&TestCluster::any().await, APP).await;
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", shop.namespace.name);
    let broken: Value = serde_saphyr::from_str(BROKEN).unwrap();
    shop.namespace.send("POST", &path, "application/json", broken.to_string().into_bytes()).await;
    let ended = wait_until("the second crash", Duration::from_secs(60), async || {
        Some(shop.status(&[]).await).filter(|ended| ended.stdout.contains("(2 times)"))
    })
    .await;
    ended.reported(&["fails: deployment.apps/broken: pod broken-", "exit code 3", "$ kubectl logs broken-"]);
    assert!(ended.stdout.contains("✓ deployment.apps/api"), "{ended}");
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_is() {
    let shop = Shop::on(&TestCluster::any().await, APP).await;
    shop.status(&["apii"]).await.failed(2, &["apii", "did you mean deployment/api?"]).with_hint();
    shop.status(&["deployment/none"]).await.failed(2, &["there is no Deployment none"]).with_hint();
    shop.status(&["nokind/x"]).await.failed(2, &["has no kind nokind"]).with_hint();
}

#[tokio::test]
async fn the_documented_permissions_are_enough_and_fewer_leave_parts_out() {
    let Some(cluster) = TestCluster::real().await else { return };
    let shop = Shop::on(&cluster, APP).await;
    let name = shop.namespace.name.clone();
    let (_, rest) = include_str!("../../docs/status.md").split_once("```yaml\n").unwrap();
    let role: Value = serde_saphyr::from_str(rest.split_once("```").unwrap().0).unwrap();
    let few = json!([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]);
    for (user, rules) in [("reader", role["rules"].clone()), ("few", few)] {
        let named = format!("{user}-{name}");
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": user}, "rules": rules});
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
            "subjects": [{"kind": "User", "name": named, "apiGroup": "rbac.authorization.k8s.io"}]});
        for (kind, object) in [("roles", role), ("rolebindings", binding)] {
            let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/{kind}");
            shop.namespace.send("POST", &path, "application/json", object.to_string().into_bytes()).await;
        }
        let ended = shop.status(&["--as", &named]).await;
        let notes = ended.succeeded().stdout.lines().filter(|line| line.starts_with("note:")).count();
        match user {
            "reader" => assert_eq!((notes, ended.stderr.as_str()), (0, ""), "{ended}"),
            _ => assert!(notes >= 5 && ended.stdout.contains("note: Services are not shown: "), "{ended}"),
        }
        assert!(ended.stdout.contains("✓ deployment.apps/api"), "{ended}");
    }
}
