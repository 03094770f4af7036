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

/// A deploy that was killed in the middle.
struct Killed {
    namespace: Namespace,
    evolve: Evolve,
    /// The server that the machine's kubeconfig names.
    _proxy: Proxy,
    /// What was killed, for messages.
    what: String,
}

/// Kills a deploy of `version`, the second in a namespace that has the first, at its nth request. None when the deploy
/// did not get as far as that.
async fn kill(cluster: &TestCluster, version: u8, nth: usize) -> Option<Killed> {
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
        return None;
    }
    let at = proxy.seen().pop().unwrap();
    let what = format!("killed version {version} at request {nth}, {} {}", at.method, at.target);
    proxy.reset(Vec::new());
    Some(Killed { namespace, evolve, _proxy: proxy, what })
}

/// Runs a killed deploy of `version` again, and holds the outcome against `wanted`.
async fn run_again(killed: &Killed, version: u8, wanted: &BTreeMap<String, Value>) {
    let Killed { namespace, evolve, what, .. } = killed;
    deploy(evolve, namespace, version).await;
    assert_eq!(state(namespace).await, *wanted, "{what}");
    let revisions = history(namespace).await;
    assert_eq!(revisions.values().next_back().map(String::as_str), Some("deployed"), "{what}: {revisions:?}");
    if version == 2 {
        assert_eq!(revisions.get(&1).map(String::as_str), Some("deployed"), "{what}: {revisions:?}");
    }
}

/// Undisturbed deploys of both versions: how many requests each took, and the state that each left.
async fn undisturbed(cluster: &TestCluster) -> ([usize; 2], [BTreeMap<String, Value>; 2]) {
    let namespace = cluster.namespace("kill").await;
    let proxy = Proxy::start(cluster, Vec::new()).await;
    let evolve = proxy.evolve();
    let mut requests = [0; 2];
    let mut wanted = [BTreeMap::new(), BTreeMap::new()];
    for version in [1, 2] {
        proxy.reset(Vec::new());
        deploy(&evolve, &namespace, version).await;
        requests[usize::from(version) - 1] = proxy.seen().len();
        wanted[usize::from(version) - 1] = state(&namespace).await;
    }
    (requests, wanted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_that_is_killed_at_any_request_can_be_gone_back_from() {
    let cluster = TestCluster::any().await;
    let ([_, requests], [before, _]) = undisturbed(&cluster).await;
    let gone_back: Vec<bool> = stream::iter(1..=requests)
        .map(async |nth| {
            let Some(Killed { namespace, evolve, _proxy, what }) = kill(&cluster, 2, nth).await else { return false };
            evolve.run(&["rollback", "1", "-n", &namespace.name, "--app", "shop"]).await.succeeded();
            assert_eq!(state(&namespace).await, before, "{what}");
            true
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let kills = gone_back.iter().filter(|killed| **killed).count();
    assert!(kills + 3 >= requests, "only {kills} kills at {requests} requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_that_is_killed_at_any_request_converges_when_it_is_run_again() {
    let cluster = TestCluster::any().await;
    let (requests, wanted) = undisturbed(&cluster).await;
    assert!(wanted[0].contains_key("configmaps/legacy") && !wanted[1].contains_key("configmaps/legacy"), "{wanted:?}");
    // Requests that run side by side may come in another order and in another number; a few more are tried.
    let attempts = [1, 2]
        .into_iter()
        .zip(&requests)
        .flat_map(|(version, requests)| (1..=requests + 3).map(move |nth| (version, nth)));
    let killed: Vec<bool> = stream::iter(attempts)
        .map(async |(version, nth)| {
            let Some(killed) = kill(&cluster, version, nth).await else { return false };
            run_again(&killed, version, &wanted[usize::from(version) - 1]).await;
            true
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let kills = killed.iter().filter(|killed| **killed).count();
    println!("{kills} kills; an undisturbed deploy takes {} requests, its update {}", requests[0], requests[1]);
    assert!(kills + 6 >= requests.iter().sum(), "only {kills} kills at {requests:?} requests");
}
