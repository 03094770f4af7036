//! What a watch tells of a sequence of requests.

use serde_json::Value;

use super::{
    normal,
    request::Request,
    server::{Server, Session},
};

/// The events of a collection since a version, in the form in which two are compared.
pub async fn events(
    server: &Server,
    session: &Session,
    collection: &str,
    since: &str,
    with_status: bool,
) -> Vec<Value> {
    let joint = if collection.contains('?') { '&' } else { '?' };
    let path = collection.replace("{ns}", &session.namespace);
    let request = Request::new("GET", format!("{path}{joint}watch=1&timeoutSeconds=1&resourceVersion={since}"));
    let body = server.send(&request).await.body;
    let lines = normal::events_of(&body).unwrap_or_default();
    lines.into_iter().map(|event| normal::event(event, with_status)).collect()
}

/// The version of a collection before anything is done.
pub async fn version(server: &Server, session: &Session, collection: &str) -> String {
    let answer = server.send(&Request::new("GET", collection.replace("{ns}", &session.namespace))).await;
    answer.body["metadata"]["resourceVersion"].as_str().unwrap_or("0").into()
}
