//! Numbers of replicas: changed, brought back, put to sleep and woken.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Namespace, Shop, wait_until};

const APP: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: 'busybox:1.36', command: [sleep, '1000000'], resources: {requests: {cpu: 10m}}}]
";

const AUTOSCALER: &str = "---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  minReplicas: 1
  maxReplicas: 4
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 99}}}]
";

async fn replicas(namespace: &Namespace) -> u64 {
    let found = namespace.list("/apis/apps/v1", "deployments").await;
    found[0]["spec"]["replicas"].as_u64().unwrap()
}

#[tokio::test]
async fn a_number_is_changed_waited_for_and_brought_back() {
    let shop = Shop::open("scale").await;
    shop.deploy(APP, &[]).await.succeeded();
    let ended = shop.command(&["scale", "api", "3"]).await;
    assert!(ended.succeeded().stdout.contains("deployment.apps/api 1 → 3: scaled and healthy"), "{ended}");
    assert_eq!(shop.namespace.names("/api/v1", "pods").await.len(), 3);
    shop.command(&["scale", "api", "-1", "--current", "2"]).await.failed(1, &["has 3 replicas, not 2"]).with_hint();
    shop.command(&["scale", "api", "-1", "--current", "3", "-o", "json"]).await.succeeded();
    assert_eq!(replicas(&shop.namespace).await, 2);
    let dry = shop.command(&["scale", "api", "+1", "--dry-run"]).await;
    assert!(dry.succeeded().stdout.contains("2 → 3: would be scaled"), "{dry}");
    shop.command(&["scale", "api", "--undo"]).await.succeeded();
    assert_eq!(replicas(&shop.namespace).await, 3);
    shop.command(&["scale", "--undo"]).await.succeeded();
    assert_eq!(replicas(&shop.namespace).await, 2);
    shop.command(&["scale", "api", "6"]).await.failed(2, &["more than the 5 of scale.max"]).with_hint();
    shop.command(&["scale", "api"]).await.failed(2, &["a target and a number"]).with_hint();
    shop.command(&["scale", "apj", "2"]).await.failed(2, &["apj"]).with_hint();
    shop.command(&["scale", "api", "2..4"]).await.failed(2, &["has no autoscaler"]).with_hint();
}

#[tokio::test]
async fn a_deploy_does_not_undo_a_scaling_in_silence() {
    let shop = Shop::open("scale").await;
    shop.deploy(APP, &[]).await.succeeded();
    shop.command(&["scale", "api", "2"]).await.succeeded();
    let diff = shop.run(APP, &["diff", "-f", "app.yaml"]).await;
    assert!((diff.stdout.clone() + &diff.stderr).contains("kubectl-evolve-scale"), "{diff}");
    let refused = shop.deploy(APP, &[]).await;
    assert_eq!(refused.code, Some(1), "{refused}");
    assert_eq!(replicas(&shop.namespace).await, 2);
    shop.command(&["scale", "api", "--undo"]).await.succeeded();
    shop.deploy(APP, &[]).await.succeeded();
    shop.command(&["scale", "api", "2"]).await.succeeded();
    shop.deploy(APP, &["--force-conflicts"]).await.succeeded();
    assert_eq!(replicas(&shop.namespace).await, 1);
}

#[tokio::test]
async fn an_autoscaler_is_named_and_its_bounds_are_set() {
    let shop = Shop::open("scale").await;
    shop.deploy(&format!("{APP}{AUTOSCALER}").replace("  replicas: 1\n", ""), &[]).await.succeeded();
    let refused = shop.command(&["scale", "api", "3"]).await;
    refused.failed(2, &["is scaled by horizontalpodautoscaler.autoscaling/api, between 1..4", "1..4"]).with_hint();
    let ended = shop.command(&["scale", "api", "2..3"]).await;
    assert!(ended.succeeded().stdout.contains("horizontalpodautoscaler.autoscaling/api 1..4 → 2..3"), "{ended}");
    let bounds = async || {
        let found = shop.namespace.list("/apis/autoscaling/v2", "horizontalpodautoscalers").await;
        (found[0]["spec"]["minReplicas"].clone(), found[0]["spec"]["maxReplicas"].clone())
    };
    assert_eq!(bounds().await, (json!(2), json!(3)));
    shop.command(&["scale", "api", "--undo"]).await.succeeded();
    assert_eq!(bounds().await, (json!(1), json!(4)));
}

#[tokio::test]
async fn what_sleeps_wakes_as_it_was() {
    let shop = Shop::open("scale").await;
    let web =
        APP.replace("name: api", "name: web").replace("app: api", "app: web").replace("replicas: 1", "replicas: 2");
    shop.deploy(&format!("{APP}---\n{web}"), &[]).await.succeeded();
    // Twice, as after a process that was killed: the second one must not take the zero for how it was.
    for _ in 0..2 {
        shop.command(&["scale", "--to-zero"]).await.succeeded();
        assert!(shop.namespace.names("/api/v1", "pods").await.is_empty());
    }
    let ended = shop.command(&["scale", "--wake"]).await;
    assert!(ended.succeeded().stdout.contains("deployment.apps/web 0 → 2: scaled and healthy"), "{ended}");
    let found: Vec<Value> = shop.namespace.list("/apis/apps/v1", "deployments").await;
    let numbers: Vec<&Value> = found.iter().map(|object| &object["spec"]["replicas"]).collect();
    assert_eq!(numbers, [&json!(1), &json!(2)]);
    let ended = shop.command(&["scale", "--wake"]).await;
    assert!(ended.succeeded().stdout.contains("was not put to sleep"), "{ended}");
}

#[tokio::test]
async fn a_quota_that_is_too_small_is_in_the_way() {
    let shop = Shop::open("scale").await;
    let quota = "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec: {hard: {requests.cpu: 25m}}\n";
    shop.deploy(&format!("{APP}{quota}"), &[]).await.succeeded();
    let used =
        async || shop.get("resourcequotas", "few").await["status"]["used"]["requests.cpu"].as_str() == Some("10m");
    let told = async || used().await.then_some(());
    wait_until("the quota to be counted", Duration::from_secs(30), told).await;
    let ended = shop.command(&["scale", "api", "4"]).await;
    ended.reported(&["in the way: resourcequota/few allows 25m of requests.cpu", "not scaled"]);
    assert_eq!(replicas(&shop.namespace).await, 1);
}

#[tokio::test]
async fn the_documented_permissions_for_scaling_are_enough() {
    let Some(shop) = Shop::real("scale").await else { return };
    let namespace = &shop.namespace;
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", namespace.name);
    let object: Value = serde_saphyr::from_str(APP).unwrap();
    namespace.send("POST", &path, "application/json", object.to_string().into_bytes()).await;
    let user = super::forward::allow(&shop.evolve, namespace, include_str!("../../docs/scale.md")).await;
    let ended = shop.evolve.run(&["scale", "api", "2", "-n", &namespace.name, "--as", &user]).await;
    assert!(ended.succeeded().stderr.contains("--undo will not know"), "{ended}");
    assert_eq!(replicas(namespace).await, 2);
}
