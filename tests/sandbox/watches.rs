use http::{Method, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use crate::client::{Cluster, DEADLINE, MAPS, MERGE, start};

/// The events of a watch as they come.
pub struct Events {
    body: Body,
    read: Vec<u8>,
}

impl Events {
    pub async fn of(cluster: &Cluster, query: &str) -> Self {
        let path = format!("{MAPS}?watch=1&{query}");
        let response: Response<Body> = cluster.respond(Method::GET, &path, "", "").await.unwrap();
        assert_eq!(response.status(), 200);
        Self { body: response.into_body(), read: Vec::new() }
    }

    /// The next event; None at the end.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = tokio::time::timeout(DEADLINE, self.body.frame()).await.expect("an event in time")?;
            // A connection that is cut is an end too.
            self.read.extend_from_slice(&frame.ok()?.into_data().unwrap());
        }
    }

    /// `ADDED a`
    pub async fn word(&mut self) -> String {
        let event = self.next().await.expect("an event");
        let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default();
        format!("{} {name}", event["type"].as_str().unwrap())
    }
}

#[tokio::test]
async fn a_watch_sees_what_happens_after_its_version() {
    let cluster = start().await;
    let version = cluster.map("a", "x").await.version().to_owned();
    let mut events = Events::of(&cluster, &format!("resourceVersion={version}")).await;
    cluster.map("b", "x").await;
    cluster.patch(&format!("{MAPS}/a"), MERGE, &json!({"data": {"x": "2"}})).await;
    cluster.delete(&format!("{MAPS}/a"), &Value::Null).await;
    for wanted in ["ADDED b", "MODIFIED a", "DELETED a"] {
        assert_eq!(events.word().await, wanted);
    }
}

#[tokio::test]
async fn a_watch_can_begin_with_all_there_is() {
    let cluster = start().await;
    cluster.map("a", "x").await;
    cluster.map("b", "x").await;
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut events = Events::of(&cluster, query).await;
    assert_eq!((events.word().await, events.word().await), ("ADDED a".into(), "ADDED b".into()));
    let end = events.next().await.unwrap();
    assert_eq!(end["type"], "BOOKMARK");
    assert_eq!(end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    cluster.map("c", "x").await;
    assert_eq!(events.word().await, "ADDED c");
}

#[tokio::test]
async fn an_object_comes_to_and_leaves_a_watch_by_its_labels() {
    let cluster = start().await;
    let version = cluster.map("a", "x").await.version().to_owned();
    let mut events = Events::of(&cluster, &format!("resourceVersion={version}&labelSelector=app%3Dy")).await;
    for (app, wanted) in [("y", "ADDED a"), ("z", "DELETED a"), ("y", "ADDED a")] {
        cluster.patch(&format!("{MAPS}/a"), MERGE, &json!({"metadata": {"labels": {"app": app}}})).await;
        assert_eq!(events.word().await, wanted);
    }
}

#[tokio::test]
async fn a_watch_of_a_version_that_is_compacted_is_told_so_and_ends() {
    let cluster = start().await;
    let version = cluster.map("a", "x").await.version().to_owned();
    cluster.map("b", "x").await;
    let store = cluster.sandbox.api().store();
    store.compact(store.revision());
    let mut events = Events::of(&cluster, &format!("resourceVersion={version}")).await;
    let error = events.next().await.unwrap();
    assert_eq!((&error["type"], &error["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(error["object"]["reason"], "Expired");
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_up() {
    let cluster = start().await;
    let mut events = Events::of(&cluster, "timeoutSeconds=1").await;
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_client_that_never_reads_costs_no_memory_and_is_cut() {
    let cluster = start().await;
    let version = cluster.map("a", "x").await.version().to_owned();
    let mut events = Events::of(&cluster, &format!("resourceVersion={version}")).await;
    let large = "x".repeat(100_000);
    for number in 0..100 {
        let data = json!({"data": {"x": format!("{number}{large}")}});
        assert_eq!(cluster.patch(&format!("{MAPS}/a"), MERGE, &data).await.code, 200);
    }
    let store = cluster.sandbox.api().store();
    store.compact(store.revision());
    // What had been sent before comes, and then the end.
    let mut last = Value::Null;
    while let Some(event) = events.next().await {
        last = event;
    }
    assert_eq!(last["object"]["code"], 410);
}
