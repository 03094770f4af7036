//! The client is killed with SIGKILL at every single API call of a deploy. Run again, it must reach the same end state
//! as an undisturbed deploy, with no object lost, no history lost and no lock stuck.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::support::{Evolve, Fault, Namespace, Proxy, Rule, TestCluster};

/// Deploys that are killed at the same time, each in a namespace of its own.
const SIDE_BY_SIDE: usize = 24;
/// The kinds of the set: where they are served, and their plural.
const KINDS: [(&str, &str); 4] =
    [("/api/v1", "configmaps"), ("/api/v1", "secrets"), ("/api/v1", "services"), ("/apis/apps/v1", "deployments")];
const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// The manifests of a version: the second changes an object of each kind, adds one and no longer has `legacy`.
fn manifests(version: u8) -> String {
    let port = 8000 + u16::from(version);
    let labels = json!({"app": "shop"});
    let container =
        json!({"name": "shop", "image": "busybox:1.36", "env": [{"name": "VERSION", "value": version.to_string()}]});
    let named =
        |api: &str, kind: &str, name: &str| json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
    let with = |mut object: Value, fields: Value| {
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        object
    };
    let extra = if version == 1 { "legacy" } else { "fresh" };
    let objects = [
        with(named("v1", "ConfigMap", "settings"), json!({"data": {"version": version.to_string()}})),
        with(named("v1", "ConfigMap", extra), json!({"data": {"version": version.to_string()}})),
        with(named("v1", "Secret", "keys"), json!({"stringData": {"key": format!("s3cr3t-{version}")}})),
        with(named("v1", "Service", "shop"), json!({"spec": {"selector": labels, "ports": [{"port": port}]}})),
        // Without replicas it is ready at once, and the wait for it is made all the same.
        with(
            named("apps/v1", "Deployment", "shop"),
            json!({"spec": {"replicas": 0, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}}),
        ),
    ];
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

/// A deploy of one version.
async fn deploy(evolve: &Evolve, namespace: &Namespace, version: u8) {
    evolve.file("shop.yaml", &manifests(version));
    evolve.run(&arguments(namespace)).await.succeeded();
}

fn arguments(namespace: &Namespace) -> [&str; 7] {
    ["deploy", "-f", "shop.yaml", "-n", &namespace.name, "--app", "shop"]
}

/// What the set's objects mean, by kind and name, with what differs between namespaces and runs left out.
async fn state(namespace: &Namespace) -> BTreeMap<String, Value> {
    let mut state = BTreeMap::new();
    for (group, plural) in KINDS {
        for mut object in namespace.list(group, plural).await {
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            // Records of ours are compared by what `history` says, and the rest belongs to the cluster.
            if name.starts_with("evolve.") || name == "kube-root-ca.crt" {
                continue;
            }
            let metadata = object["metadata"].as_object_mut().unwrap();
            metadata.retain(|key, _| matches!(key.as_str(), "name" | "labels" | "annotations" | "deletionTimestamp"));
            // The set's id is made from the namespace: only that the object is a member can be compared.
            let member = object.pointer_mut("/metadata/labels").and_then(|labels| labels.get_mut(PART_OF));
            *member.unwrap_or_else(|| panic!("{plural}/{name} is no member of the set")) = "the set".into();
            if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
                annotations.remove("deployment.kubernetes.io/revision");
            }
            object.as_object_mut().unwrap().remove("status");
            for field in ["clusterIP", "clusterIPs"] {
                object.get_mut("spec").and_then(Value::as_object_mut).map(|spec| spec.remove(field));
            }
            state.insert(format!("{plural}/{name}"), object);
        }
    }
    state
}

/// The outcomes of the application's revisions by number, from the records themselves.
async fn history(namespace: &Namespace) -> BTreeMap<u64, String> {
    let mut revisions = BTreeMap::new();
    for secret in namespace.list("/api/v1", "secrets").await {
        let labels = &secret["metadata"]["labels"];
        if let (Some(number), Some(outcome)) = (labels["evolve/revision"].as_str(), labels["evolve/outcome"].as_str()) {
            revisions.insert(number.parse().unwrap(), outcome.to_owned());
        }
    }
    revisions
}

/// Kills a deploy of `version` at its nth request, runs it again, and holds the outcome against `wanted`.
///
/// Returns whether the deploy got as far as its nth request.
async fn kill_and_run_again(
    cluster: &TestCluster,
    version: u8,
    nth: usize,
    wanted: &[BTreeMap<String, Value>; 2],
) -> bool {
    let namespace = cluster.namespace("kill").await;
    let proxy = Proxy::start(cluster, Vec::new()).await;
    let evolve = proxy.evolve();
    if version == 2 {
        deploy(&evolve, &namespace, 1).await;
    }
    evolve.file("shop.yaml", &manifests(version));
    let fault = if nth.is_multiple_of(2) { Fault::KillAfter } else { Fault::KillBefore };
    proxy.reset(vec![Rule::nth(nth, fault)]);
    if evolve.run_until(&arguments(&namespace), proxy.asks_to_kill()).await.is_some() {
        return false;
    }
    let at = proxy.seen().pop().unwrap();
    let what = format!("killed version {version} at request {nth}, {} {}", at.method, at.target);
    deploy(&evolve, &namespace, version).await;
    assert_eq!(state(&namespace).await, wanted[usize::from(version) - 1], "{what}");
    let revisions = history(&namespace).await;
    assert_eq!(revisions.values().next_back().map(String::as_str), Some("deployed"), "{what}: {revisions:?}");
    if version == 2 {
        assert_eq!(revisions.get(&1).map(String::as_str), Some("deployed"), "{what}: {revisions:?}");
    }
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_that_is_killed_at_any_request_converges_when_it_is_run_again() {
    let Some(cluster) = TestCluster::find().await else { return };
    let namespace = cluster.namespace("kill").await;
    let proxy = Proxy::start(&cluster, Vec::new()).await;
    let evolve = proxy.evolve();
    let mut requests = Vec::new();
    let mut wanted = Vec::new();
    for version in [1, 2] {
        proxy.reset(Vec::new());
        deploy(&evolve, &namespace, version).await;
        requests.push(proxy.seen().len());
        wanted.push(state(&namespace).await);
    }
    let wanted: [_; 2] = wanted.try_into().unwrap();
    assert!(wanted[0].contains_key("configmaps/legacy") && !wanted[1].contains_key("configmaps/legacy"), "{wanted:?}");
    // Requests that run side by side may come in another order and in another number; a few more are tried.
    let attempts = [1, 2]
        .into_iter()
        .zip(&requests)
        .flat_map(|(version, requests)| (1..=requests + 3).map(move |nth| (version, nth)));
    let killed: Vec<bool> = stream::iter(attempts)
        .map(|(version, nth)| kill_and_run_again(&cluster, version, nth, &wanted))
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let kills = killed.iter().filter(|killed| **killed).count();
    println!("{kills} kills; an undisturbed deploy takes {} requests, its update {}", requests[0], requests[1]);
    assert!(kills + 6 >= requests.iter().sum(), "only {kills} kills at {requests:?} requests");
}
