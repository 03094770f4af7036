//! A cluster that misbehaves: each fault has one exit code, one clear error, and a hint.

use std::time::Duration;

use super::support::{Evolve, Fault, Proxy, Rule, TestCluster};

#[tokio::test]
async fn a_server_that_refuses_connections_is_said() {
    let ended = Evolve::without_cluster().run(&["version"]).await;
    ended.failed(3, &["http://127.0.0.1:1", "not reachable"]);
}

#[tokio::test]
async fn each_refusal_of_the_server_has_its_code() {
    let Some(cluster) = TestCluster::find().await else { return };
    for (status, code, words) in [
        (401, 3, "does not accept the credentials"),
        (403, 1, "cannot do that"),
        (429, 1, "too many requests"),
        (500, 1, "etcdserver: request timed out"),
        (503, 1, "unable to handle the request"),
    ] {
        let proxy = Proxy::start(&cluster, vec![Rule::always(Fault::Answer(status, &[("retry-after", "0")]))]).await;
        proxy.evolve().run(&["version"]).await.failed(code, &[words]);
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_waited_for_for_ever() {
    let Some(cluster) = TestCluster::find().await else { return };
    let proxy = Proxy::start(&cluster, vec![Rule::always(Fault::Hang)]).await;
    let ended = proxy.evolve().run(&["version", "--request-timeout=300ms"]).await;
    ended.failed(3, &["no answer within 0.3 s"]);
}

#[tokio::test]
async fn what_passes_is_asked_again() {
    let Some(cluster) = TestCluster::find().await else { return };
    let restart = Fault::Restart(Duration::from_millis(300));
    for fault in [Fault::Answer(503, &[]), Fault::Answer(429, &[("retry-after", "1")]), Fault::CutBefore, restart] {
        let proxy = Proxy::start(&cluster, vec![Rule::nth(2, fault.clone())]).await;
        let ended = proxy.evolve().run(&["version"]).await;
        ended.succeeded();
        println!("{fault:?}: {:?}", proxy.seen());
    }
}
