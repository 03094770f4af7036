use std::time::Duration;

use http::Method;
use kubectl_evolve::sandbox::http::faults::{Effect, Fault};

use crate::{
    client::{MAPS, start},
    watches::Events,
};

#[tokio::test]
async fn a_status_is_answered_at_the_call_that_is_named() {
    let cluster = start().await;
    // The client repeats what is answered by 503 itself.
    let effect = Effect::Status { code: 500, message: "overloaded".into(), retry_after_seconds: None };
    cluster.sandbox.server().faults().add(Fault::at("GET", "*/configmaps", effect).only(2));
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(cluster.get(MAPS).await.code);
    }
    assert_eq!(codes, [200, 500, 200]);
}

#[tokio::test]
async fn a_cut_connection_gives_no_answer() {
    let cluster = start().await;
    cluster.sandbox.server().faults().add(Fault::at("GET", MAPS, Effect::Cut).only(1));
    assert!(cluster.respond(Method::GET, MAPS, "", "").await.is_err());
    assert_eq!(cluster.get(MAPS).await.code, 200);
}

#[tokio::test]
async fn a_write_can_be_carried_out_though_its_answer_is_lost() {
    let cluster = start().await;
    cluster.sandbox.server().faults().add(Fault::at("POST", MAPS, Effect::CutAfterwards));
    let body = r#"{"metadata": {"name": "a"}}"#;
    assert!(cluster.respond(Method::POST, MAPS, "application/json", body).await.is_err());
    assert_eq!(cluster.get(MAPS).await.names(), ["a"]);
}

#[tokio::test]
async fn a_server_that_restarts_has_what_it_had() {
    let cluster = start().await;
    cluster.map("a", "x").await;
    cluster.sandbox.server().restart(Duration::ZERO);
    let deadline = tokio::time::Instant::now() + crate::client::DEADLINE;
    let names = loop {
        match cluster.respond(Method::GET, MAPS, "", "").await {
            Ok(_) => break cluster.get(MAPS).await.names().join(","),
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
    };
    assert_eq!(names, "a");
}

#[tokio::test]
async fn a_request_that_is_delayed_is_overtaken_by_those_behind_it() {
    let cluster = start().await;
    let effect = Effect::Delay { milliseconds: 500 };
    cluster.sandbox.server().faults().add(Fault::at("POST", MAPS, effect).only(1));
    let order = std::sync::Mutex::new(Vec::new());
    let made = async |name: &str| {
        assert_eq!(cluster.map(name, "x").await.code, 201);
        order.lock().unwrap().push(name.to_owned());
    };
    tokio::join!(made("first"), made("second"));
    assert_eq!(order.into_inner().unwrap(), ["second", "first"]);
}

#[tokio::test]
async fn a_watch_that_is_stale_stays_open_and_says_nothing() {
    let cluster = start().await;
    let version = cluster.map("a", "x").await.version().to_owned();
    let query = format!("resourceVersion={version}&timeoutSeconds=2");
    cluster.sandbox.server().faults().add(Fault::at("WATCH", "*/configmaps?*", Effect::StaleWatch).only(1));
    let mut stale = Events::of(&cluster, &query).await;
    let mut sound = Events::of(&cluster, &query).await;
    cluster.map("b", "x").await;
    assert_eq!(sound.word().await, "ADDED b");
    assert!(stale.next().await.is_none(), "it ends with its time, and has told nothing");
}

#[tokio::test]
async fn a_watch_can_be_told_that_its_version_is_gone() {
    let cluster = start().await;
    let version = cluster.map("a", "x").await.version().to_owned();
    cluster.sandbox.server().faults().add(Fault::at("WATCH", "*", Effect::ExpiredWatch).only(2));
    let query = format!("resourceVersion={version}");
    let mut first = Events::of(&cluster, &query).await;
    let mut second = Events::of(&cluster, &query).await;
    let error = second.next().await.unwrap();
    assert_eq!((error["type"].as_str(), error["object"]["code"].as_u64()), (Some("ERROR"), Some(410)));
    assert_eq!(error["object"]["reason"], "Expired");
    assert!(second.next().await.is_none());
    cluster.map("b", "x").await;
    assert_eq!(first.word().await, "ADDED b", "only the second was hit");
}

#[tokio::test]
async fn a_restart_ends_the_watches_and_loses_nothing_between() {
    let cluster = start().await;
    let version = cluster.map("a", "x").await.version().to_owned();
    let query = format!("resourceVersion={version}");
    let mut before = Events::of(&cluster, &query).await;
    cluster.sandbox.server().restart(Duration::ZERO);
    assert!(before.next().await.is_none());
    let deadline = tokio::time::Instant::now() + crate::client::DEADLINE;
    while let Err(error) = cluster.respond(Method::GET, MAPS, "", "").await {
        assert!(tokio::time::Instant::now() < deadline, "{error}");
    }
    cluster.map("b", "x").await;
    assert_eq!(Events::of(&cluster, &query).await.word().await, "ADDED b");
}
