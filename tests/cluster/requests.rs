//! How many requests a deploy takes, beside `kubectl apply` and `kubectl rollout status` of the same objects.

use serde_json::json;
use tokio::process::Command;

use super::support::{Evolve, Proxy, TestCluster};

/// Twenty objects of five kinds, with two workloads that are ready at once.
const OBJECTS: usize = 20;
const KINDS: usize = 5;
const WORKLOADS: [&str; 2] = ["api", "web"];

fn manifests() -> String {
    let mut objects = Vec::new();
    for number in 0..8 {
        objects.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("config-{number}")},
            "data": {"number": number.to_string()}}));
    }
    for number in 0..6 {
        objects.push(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("secret-{number}")},
            "stringData": {"number": number.to_string()}}));
    }
    for name in WORKLOADS {
        let labels = json!({"app": name});
        objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}));
        objects.push(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": labels, "ports": [{"port": 80}]}}));
        objects.push(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"serviceAccountName": name, "containers": [{"name": name, "image": "busybox:1.36"}]}}}}));
    }
    assert_eq!(objects.len(), OBJECTS);
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

/// The requests of our deploy: with nothing known about the cluster, and in another namespace with discovery cached.
async fn ours(cluster: &TestCluster, proxy: &Proxy) -> [usize; 2] {
    let evolve = proxy.evolve();
    evolve.file("all.yaml", &manifests());
    let mut counts = [0; 2];
    for count in &mut counts {
        let namespace = cluster.namespace("requests").await;
        proxy.reset(Vec::new());
        let ended = evolve.run(&["deploy", "-f", "all.yaml", "-n", &namespace.name, "--app", "shop", "-v"]).await;
        ended.succeeded();
        *count = proxy.seen().len();
        let said = format!("{count} requests");
        assert!(ended.stderr.contains(&said) || ended.stdout.contains(&said), "-v does not say {said}\n{ended}");
    }
    counts
}

/// The requests of kubectl for the same objects, cold and with discovery cached.
async fn kubectls(cluster: &TestCluster, proxy: &Proxy) -> [usize; 2] {
    let evolve = proxy.evolve();
    evolve.file("all.yaml", &manifests());
    let mut counts = [0; 2];
    for count in &mut counts {
        let namespace = cluster.namespace("requests").await;
        proxy.reset(Vec::new());
        kubectl(&evolve, &["apply", "-f", "all.yaml", "-n", &namespace.name]).await;
        for workload in WORKLOADS {
            kubectl(&evolve, &["rollout", "status", "deployment", workload, "-n", &namespace.name]).await;
        }
        *count = proxy.seen().len();
    }
    counts
}

async fn kubectl(evolve: &Evolve, arguments: &[&str]) {
    let mut command = Command::new("kubectl");
    command
        .args(arguments)
        .current_dir(evolve.folder())
        .env("HOME", evolve.home())
        .env("KUBECONFIG", evolve.kubeconfig());
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "kubectl {arguments:?}: {output:?}");
}

#[tokio::test]
async fn a_deploy_of_20_objects_takes_fewer_requests_than_kubectl() {
    let Some(cluster) = TestCluster::real().await else { return };
    let proxy = Proxy::start(&cluster, Vec::new()).await;
    let [cold, cached] = ours(&cluster, &proxy).await;
    let [kubectl_cold, kubectl_cached] = kubectls(&cluster, &proxy).await;
    println!(
        "{OBJECTS} objects: {cold} requests, {cached} with discovery cached; kubectl: {kubectl_cold}, {kubectl_cached}"
    );
    assert!(cold <= OBJECTS + 2 * KINDS + 12, "{cold}");
    assert!(cold < kubectl_cold && cached < kubectl_cached, "{cold} and {cached}, {kubectl_cold} and {kubectl_cached}");
}

#[tokio::test]
async fn a_deploy_of_1000_objects_that_changes_nothing_takes_a_few_requests() {
    let cluster = TestCluster::any().await;
    let proxy = Proxy::start(&cluster, Vec::new()).await;
    let namespace = cluster.namespace("unchanged").await;
    let evolve = proxy.evolve();
    let object = |number| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("config-{number}")}, "data": {"key": "value"}});
    evolve.file("all.yaml", &(0..1000).map(|number| format!("---\n{}\n", object(number))).collect::<String>());
    let deploy = ["deploy", "-f", "all.yaml", "-n", &namespace.name, "--app", "many"];
    evolve.run(&deploy).await.succeeded();
    let revisions = namespace.names("/api/v1", "secrets").await;
    proxy.reset(Vec::new());
    evolve.run(&deploy).await.succeeded();
    assert!(proxy.seen().len() <= 10, "{:?}", proxy.seen());
    assert_eq!(namespace.names("/api/v1", "secrets").await, revisions, "a deploy that changes nothing made a revision");
}
