//! A cluster that misbehaves: what passes is outlived, and for the rest there is one exit code, one clear error, a hint.

use std::time::Duration;

use futures::{StreamExt, stream};
use http::Method;
use serde_json::json;

use super::support::{Ended, Evolve, Fault, Namespace, Proxy, Rule, TestCluster};

/// Deploys that meet a fault at the same time, each in a namespace of its own.
const SIDE_BY_SIDE: usize = 8;
const VALUE: &str = "s3cr3t-v4lue";

/// A ConfigMap, a Secret, and a Deployment that is ready at once.
fn manifests() -> String {
    let labels = json!({"app": "shop"});
    let containers = json!([{"name": "shop", "image": "busybox:1.36"}]);
    let objects = [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"key": "value"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": VALUE}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}}}),
    ];
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

/// Deploys through a proxy with these rules.
async fn deploy(cluster: &TestCluster, namespace: &Namespace, rules: Vec<Rule>, more: &[&str]) -> (Ended, Proxy) {
    let proxy = Proxy::start(cluster, rules).await;
    let evolve = proxy.evolve();
    evolve.file("shop.yaml", &manifests());
    let arguments = [&["deploy", "-f", "shop.yaml", "-n", &namespace.name, "--app", "shop"], more].concat();
    let ended = evolve.run(&arguments).await;
    ended.never_says(VALUE);
    (ended, proxy)
}

async fn assert_deployed(namespace: &Namespace) {
    assert!(namespace.names("/api/v1", "configmaps").await.contains(&"settings".into()));
    assert_eq!(namespace.names("/apis/apps/v1", "deployments").await, ["shop"]);
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_said() {
    let evolve = Evolve::without_cluster();
    evolve.file("shop.yaml", &manifests());
    let ended = evolve.run(&["deploy", "-f", "shop.yaml", "--app", "shop"]).await;
    ended.failed(3, &["http://127.0.0.1:1", "not reachable"]).with_hint();
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_waited_for_for_ever() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("faults").await;
    let (ended, _) = deploy(&cluster, &namespace, vec![Rule::always(Fault::Hang)], &["--request-timeout=300ms"]).await;
    ended.failed(3, &["no answer within 0.3 s"]).with_hint();
}

#[tokio::test]
async fn a_server_that_falls_silent_is_not_asked_for_every_object() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("silent").await;
    let proxy = Proxy::start(&cluster, vec![Rule::once(Method::PATCH, "/configmaps/", Fault::Hang).times(100)]).await;
    let evolve = proxy.evolve();
    let config_map =
        |number: usize| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": number.to_string()}});
    evolve.file("many.yaml", &(0..100).map(|number| format!("---\n{}\n", config_map(number))).collect::<String>());
    let arguments = ["deploy", "-f", "many.yaml", "-n", &namespace.name, "--app", "shop", "--request-timeout=2s"];
    evolve.run(&arguments).await.failed(3, &["no answer within 2 s"]).with_hint();
    let asked = proxy.seen().iter().filter(|request| request.target.contains("/configmaps/")).count();
    assert!(asked < 50, "{asked} of 100 objects were sent to a server that does not answer");
}

#[tokio::test]
async fn each_refusal_of_the_server_has_its_code() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("faults").await;
    for (status, code, words) in [
        (401, 3, "does not accept the credentials"),
        (403, 1, "cannot do that"),
        (429, 1, "too many requests"),
        (500, 1, "etcdserver: request timed out"),
        (503, 1, "unable to handle the request"),
    ] {
        let fault = Fault::Answer(status, &[("retry-after", "0")]);
        let (ended, _) = deploy(&cluster, &namespace, vec![Rule::always(fault)], &[]).await;
        ended.failed(code, &[words]).with_hint();
    }
}

#[tokio::test]
async fn an_object_that_may_not_be_written_is_named_and_the_next_deploy_completes_the_set() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("faults").await;
    let rule = Rule::once(Method::PATCH, "/configmaps/settings", Fault::Answer(403, &[]));
    let (ended, _) = deploy(&cluster, &namespace, vec![rule], &[]).await;
    ended.reported(&["configmap/settings", "cannot do that"]);
    let (ended, _) = deploy(&cluster, &namespace, Vec::new(), &[]).await;
    ended.succeeded();
    assert_deployed(&namespace).await;
}

/// Every request of a deploy, one deploy for each, meets the same fault once. Only at the first one, when nothing has been
/// begun, it may be told instead.
async fn outlives_at_every_request(purpose: &str, fault: Fault) {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace(purpose).await;
    let (ended, proxy) = deploy(&cluster, &namespace, Vec::new(), &[]).await;
    ended.succeeded();
    let (cluster, fault) = (&cluster, &fault);
    let meet = async |nth: usize| {
        let namespace = cluster.namespace(purpose).await;
        let (ended, proxy) = deploy(cluster, &namespace, vec![Rule::nth(nth, fault.clone())], &[]).await;
        if nth == 1 && ended.code == Some(3) {
            return;
        }
        assert_eq!(ended.code, Some(0), "{fault:?} at request {nth}, {:?}\n{ended}", proxy.seen().get(nth - 1));
        assert_deployed(&namespace).await;
    };
    stream::iter(1..=proxy.seen().len()).for_each_concurrent(SIDE_BY_SIDE, meet).await;
}

#[tokio::test]
async fn a_server_that_is_overloaded_for_a_moment_is_asked_again() {
    outlives_at_every_request("overloaded", Fault::Answer(429, &[("retry-after", "0")])).await;
}

#[tokio::test]
async fn a_server_that_is_unavailable_for_a_moment_is_asked_again() {
    outlives_at_every_request("unavailable", Fault::Answer(503, &[])).await;
}

#[tokio::test]
async fn an_api_server_restarted_in_the_middle_is_waited_for() {
    outlives_at_every_request("restarted", Fault::Restart(Duration::from_millis(300))).await;
}

#[tokio::test]
async fn a_watch_whose_history_the_server_forgets_is_begun_anew() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("forgotten").await;
    let rule = Rule::once(Method::GET, "watch=true", Fault::WatchGone).times(2);
    let (ended, proxy) = deploy(&cluster, &namespace, vec![rule], &[]).await;
    ended.succeeded();
    let watches = proxy.seen().iter().filter(|request| request.target.contains("watch=true")).count();
    assert!(watches > 2, "{:?}", proxy.seen());
    assert_deployed(&namespace).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_before_a_request_is_sent_anew() {
    outlives_at_every_request("cut", Fault::CutBefore).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_does_not_make_the_deploy_fail() {
    outlives_at_every_request("lost", Fault::CutAfter).await;
}
