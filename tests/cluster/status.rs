//! What is told of what runs.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout},
};

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

/// A command that goes on.
struct Following {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Following {
    /// Reads until a line says this.
    async fn until(&mut self, words: &str) {
        let reading = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.contains(words) {
                    return;
                }
            }
            panic!("it ended before it said {words:?}");
        };
        tokio::time::timeout(Duration::from_secs(60), reading)
            .await
            .unwrap_or_else(|_| panic!("it never said {words:?}"));
    }

    /// Stops reading; returns the exit code and what was said on stderr.
    async fn leave(self) -> (Option<i32>, String) {
        drop(self.lines);
        let output = self.child.wait_with_output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

impl Shop {
    fn follow(&self, words: &[&str]) -> Following {
        let mut child =
            self.evolve.command(&[&["status", "-n", &self.namespace.name], words].concat()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Following { child, lines }
    }

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
    ended.reported(&["fails: deployment.apps/broken: pod broken-", "exit code 3", "$ kubectl evolve logs pod/broken-"]);
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
async fn a_wait_ends_when_all_is_ready_and_when_it_cannot_be() {
    let shop = Shop::on(&TestCluster::any().await, APP).await;
    shop.status(&["api", "--wait"]).await.succeeded();
    let broken: Value = serde_saphyr::from_str(BROKEN).unwrap();
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", shop.namespace.name);
    shop.namespace.send("POST", &path, "application/json", broken.to_string().into_bytes()).await;
    let ended = shop.status(&["broken", "--wait", "--grace=2s", "--timeout=90s"]).await;
    ended.reported(&["failed: deployment.apps/broken", "exit code 3"]);
    assert!(!ended.stdout.contains("not ready after"), "it does not wait for its time to be over\n{ended}");
    shop.status(&["api", "--wait", "--for=complete"]).await.failed(2, &["never completes"]).with_hint();
}

#[tokio::test]
async fn a_wait_for_a_deletion_ends_with_it_or_says_what_holds_it() {
    let shop = Shop::on(&TestCluster::any().await, APP).await;
    let held = shop.status(&["service/api", "--wait", "--for=deleted", "--timeout=1s"]).await;
    held.reported(&["service/api: still there after 1 s: is there, and nobody has deleted it"]);
    shop.status(&["service/none", "--wait", "--for=deleted"]).await.succeeded();
    let waiting = shop.status(&["service/api", "--wait", "--for=deleted", "--timeout=60s"]);
    let (ended, ()) = tokio::join!(waiting, shop.namespace.delete("/api/v1", "services", "api"));
    assert!(ended.succeeded().stdout.contains("everything is gone"), "{ended}");
}

#[tokio::test]
async fn a_watch_in_a_pipe_tells_each_change_on_a_line() {
    let shop = Shop::on(&TestCluster::any().await, APP).await;
    let name = shop.namespace.name.clone();
    let mut lines = shop.follow(&["-w"]);
    lines.until("deployment.apps/api healthy 2/2 ready").await;
    let path = format!("/apis/apps/v1/namespaces/{name}/deployments/api");
    let three = json!({"spec": {"replicas": 3}}).to_string().into_bytes();
    shop.namespace.send("PATCH", &path, "application/merge-patch+json", three).await;
    lines.until("deployment.apps/api healthy 3/3 ready").await;
    shop.namespace.delete("/apis/apps/v1", "deployments", "api").await;
    lines.until("deployment.apps/api is gone").await;
}

#[tokio::test]
async fn what_differs_from_a_revision_is_what_going_back_would_change() {
    let shop = Shop::on(&TestCluster::any().await, APP).await;
    shop.evolve.file("app.yaml", &APP.replace("sleep, '1000000'", "sleep, '2000000'"));
    let name = shop.namespace.name.clone();
    shop.evolve.run(&["deploy", "-f", "app.yaml", "-n", &name, "--app", "shop"]).await.succeeded();
    let status = async |revision: &str| shop.status(&["--app", "shop", "--as-of-revision", revision]).await;
    let first = status("1").await;
    assert!(first.succeeded().stdout.contains("going back to revision 1 would:\n~ deployment.apps/api"), "{first}");
    let second = status("2").await;
    assert!(second.succeeded().stdout.contains("nothing differs from revision 2"), "{second}");
    status("9").await.failed(2, &["9"]);
}

#[tokio::test]
async fn a_reader_that_leaves_ends_it_quietly() {
    let shop = Shop::on(&TestCluster::any().await, APP).await;
    let mut lines = shop.follow(&["-o", "jsonl"]);
    lines.until("WorkloadStatus").await;
    assert_eq!(lines.leave().await, (Some(0), String::new()));
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
