use std::time::Duration;

use http::Method;
use kubectl_evolve::sandbox::http::faults::{Effect, Fault};

use crate::client::{MAPS, start};

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
