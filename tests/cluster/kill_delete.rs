//! The client is killed with SIGKILL at every single API call of a delete and of a rollback. Run again, each must reach
//! the same end.

use futures::{StreamExt, stream};

use super::support::{Evolve, Fault, Namespace, Proxy, Rule, TestCluster};

const SIDE_BY_SIDE: usize = 16;
const FIRST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n---\n\
                     apiVersion: v1\nkind: Service\nmetadata: {name: old}\nspec: {ports: [{port: 80}]}\n";
const SECOND: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: blue}\n---\n\
                      apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: new}\n";

/// Runs a command on the application; false when it was killed.
async fn run(evolve: &Evolve, namespace: &Namespace, words: &[&str], proxy: &Proxy) -> bool {
    let mut words = words.to_vec();
    words.extend(["-n", &namespace.name, "--app", "shop"]);
    match evolve.run_until(&words, proxy.asks_to_kill()).await {
        Some(ended) => {
            ended.succeeded();
            true
        }
        None => false,
    }
}

/// What is there of the application besides revisions: the members, the parent and the lock, and the setting.
async fn state(namespace: &Namespace) -> Vec<String> {
    let mut state = Vec::new();
    for (group, plural) in [
        ("/api/v1", "configmaps"),
        ("/api/v1", "services"),
        ("/api/v1", "serviceaccounts"),
        ("/api/v1", "secrets"),
        ("/apis/coordination.k8s.io/v1", "leases"),
    ] {
        let mut names = namespace.names(group, plural).await;
        names.retain(|name| !name.starts_with("evolve.shop.v") && name != "kube-root-ca.crt" && name != "default");
        state.extend(names.into_iter().map(|name| format!("{plural}/{name}")));
    }
    let settings = namespace.list("/api/v1", "configmaps").await;
    state.extend(settings.iter().filter_map(|object| Some(object["data"]["color"].as_str()?.to_owned())));
    state
}

/// A namespace with two revisions.
async fn prepared(cluster: &TestCluster) -> (Namespace, Proxy, Evolve) {
    let namespace = cluster.namespace("kill").await;
    let proxy = Proxy::start(cluster, Vec::new()).await;
    let evolve = proxy.evolve();
    for manifests in [FIRST, SECOND] {
        evolve.file("shop.yaml", manifests);
        run(&evolve, &namespace, &["deploy", "-f", "shop.yaml", "--wait=false"], &proxy).await;
    }
    (namespace, proxy, evolve)
}

/// Kills the command at its nth request and runs it again. Returns whether it got as far as that request.
async fn kill_and_run_again(cluster: &TestCluster, words: &[&str], nth: usize, wanted: &[String]) -> bool {
    let (namespace, proxy, evolve) = prepared(cluster).await;
    let fault = if nth.is_multiple_of(2) { Fault::KillAfter } else { Fault::KillBefore };
    proxy.reset(vec![Rule::nth(nth, fault)]);
    if run(&evolve, &namespace, words, &proxy).await {
        return false;
    }
    let at = proxy.seen().pop().unwrap();
    proxy.reset(Vec::new());
    // A delete that had done all but the last request has nothing left to delete.
    let mut again = words.to_vec();
    again.extend(["-n", &namespace.name, "--app", "shop"]);
    let ended = evolve.run(&again).await;
    let nothing_left = ended.code == Some(2) && ended.stderr.contains("there is nothing of shop");
    assert!(ended.code == Some(0) || nothing_left, "killed {words:?} at {} {}: {ended}", at.method, at.target);
    assert_eq!(state(&namespace).await, wanted, "killed {words:?} at request {nth}, {} {}", at.method, at.target);
    true
}

async fn at_every_request(words: &[&str], wanted: &[&str]) {
    let cluster = TestCluster::any().await;
    let wanted: Vec<String> = wanted.iter().map(|line| (*line).to_owned()).collect();
    let (namespace, proxy, evolve) = prepared(&cluster).await;
    proxy.reset(Vec::new());
    run(&evolve, &namespace, words, &proxy).await;
    assert_eq!(state(&namespace).await, wanted);
    let requests = proxy.seen().len();
    let killed: Vec<bool> = stream::iter(1..=requests)
        .map(|nth| kill_and_run_again(&cluster, words, nth, &wanted))
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let kills = killed.iter().filter(|killed| **killed).count();
    assert!(kills + 4 >= requests, "only {kills} kills at {requests} requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_that_is_killed_at_any_request_ends_the_same() {
    at_every_request(&["delete", "--yes", "--purge"], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_that_is_killed_at_any_request_ends_the_same() {
    let wanted = ["configmaps/settings", "services/old", "secrets/evolve.shop", "red"];
    at_every_request(&["rollback", "1", "--wait=false"], &wanted).await;
}
