//! A server that imitates the part of the Kubernetes API that logs need, and cuts streams wherever a test wants.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// One container, `main`, of one pod, in the namespace `x`.
#[derive(Clone, Default)]
pub struct FakePod {
    /// The log of each instance, whole lines with their times.
    pub instances: Vec<Vec<String>>,
    /// After how many bytes answers break off, one after the other; then they are whole.
    pub cuts: Vec<usize>,
    /// Answers end as if they were whole, instead of breaking off.
    pub clean_cuts: bool,
    /// How many lines of the log are gone when it is asked for again, as after a rotation.
    pub rotated: usize,
    /// Answered in place of the log.
    pub refusal: Option<u16>,
    /// Whether the pod runs after its answers have been whole: else it ends then.
    pub stays: bool,
    /// How often the log was asked for.
    pub asked: usize,
}

#[derive(Clone)]
struct Shared {
    pods: Arc<Mutex<Vec<(String, FakePod)>>>,
    changes: broadcast::Sender<Value>,
}

/// The server.
pub struct LogServer {
    pub url: String,
    shared: Shared,
}

impl LogServer {
    pub async fn start(pods: Vec<(String, FakePod)>) -> Self {
        let shared = Shared { pods: Arc::new(Mutex::new(pods)), changes: broadcast::channel(4096).0 };
        let app = Router::new()
            .route("/api/v1/namespaces/x/pods", get(list))
            .route("/api/v1/namespaces/x/pods/{name}/log", get(log))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared }
    }

    /// How often the log of a pod was asked for.
    pub fn asked(&self, number: usize) -> usize {
        self.shared.pods.lock().unwrap()[number].1.asked
    }

    /// Adds a pod while the server runs.
    pub fn add(&self, name: &str, pod: FakePod) {
        let _ = self.shared.changes.send(json!({"type": "ADDED", "object": object(name, &pod, false)}));
        self.shared.pods.lock().unwrap().push((name.to_owned(), pod));
    }
}

fn object(name: &str, pod: &FakePod, ended: bool) -> Value {
    let restarts = pod.instances.len() - 1;
    let state = match ended {
        true => json!({"terminated": {"exitCode": 0}}),
        false => json!({"running": {}}),
    };
    let last = if restarts > 0 { json!({"terminated": {"exitCode": 1}}) } else { json!({}) };
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "x", "uid": format!("uid-{name}"), "resourceVersion": "7", "labels": {"app": "app"}},
        "spec": {"nodeName": "n", "containers": [{"name": "main"}]},
        "status": {"phase": if ended { "Succeeded" } else { "Running" }, "containerStatuses": [
            {"name": "main", "restartCount": restarts, "state": state, "lastState": last},
        ]},
    })
}

async fn list(State(shared): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Response {
    let objects: Vec<Value> = shared.pods.lock().unwrap().iter().map(|(name, pod)| object(name, pod, false)).collect();
    if !query.contains_key("watch") {
        let list =
            json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": objects});
        return axum::Json(list).into_response();
    }
    let changes = shared.changes.subscribe();
    let done = json!({"type": "BOOKMARK", "object": {"apiVersion": "v1", "kind": "Pod",
        "metadata": {"resourceVersion": "7", "annotations": {"k8s.io/initial-events-end": "true"}}}});
    let first = objects.into_iter().map(|object| json!({"type": "ADDED", "object": object})).chain([done]);
    let later = stream::unfold(changes, async |mut changes| {
        let change = changes.recv().await.ok()?;
        Some((change, changes))
    });
    let lines = stream::iter(first).chain(later).map(|event| Ok::<_, Infallible>(Bytes::from(format!("{event}\n"))));
    Body::from_stream(lines).into_response()
}

/// The time of a line.
fn time(line: &str) -> jiff::Timestamp {
    line.split_once(' ').unwrap().0.parse().unwrap()
}

async fn log(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let is = |key: &str| query.get(key).is_some_and(|value| value == "true");
    let (text, cut, clean, ends) = {
        let mut pods = shared.pods.lock().unwrap();
        let (_, pod) = pods.iter_mut().find(|(known, _)| *known == name).unwrap();
        if let Some(code) = pod.refusal {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "reason": "Forbidden", "message": format!("pods \"{name}\" is forbidden: User \"u\" cannot get resource \"pods/log\"")});
            return (StatusCode::from_u16(code).unwrap(), axum::Json(status)).into_response();
        }
        pod.asked += 1;
        let instance = pod.instances.len() - 1 - usize::from(is("previous"));
        let gone = if pod.asked > 1 { pod.rotated } else { 0 };
        let since: Option<jiff::Timestamp> = query.get("sinceTime").map(|since| since.parse().unwrap());
        let lines = pod.instances[instance].iter().skip(gone);
        let lines = lines.filter(|line| since.is_none_or(|since| time(line) >= since));
        let shown = lines.map(|line| if is("timestamps") { line.as_str() } else { line.split_once(' ').unwrap().1 });
        let text: String = shown.collect();
        let cut = if pod.cuts.is_empty() { None } else { Some(pod.cuts.remove(0)) };
        (text, cut, pod.clean_cuts, (cut.is_none() && !pod.stays).then(|| pod.clone()))
    };
    // Pieces of a prime length, so that they end in the middle of lines and times.
    let whole: Vec<u8> = text.into_bytes();
    let sent = &whole[..cut.unwrap_or(whole.len()).min(whole.len())];
    let mut pieces: Vec<io::Result<Bytes>> = sent.chunks(997).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    if cut.is_some() && !clean {
        pieces.push(Err(io::Error::other("cut")));
    }
    if let Some(pod) = ends {
        let _ = shared.changes.send(json!({"type": "MODIFIED", "object": object(&name, &pod, true)}));
    }
    // A break is to come after what was sent, not in its place.
    let body = stream::iter(pieces).then(async |piece| {
        if piece.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        piece
    });
    Body::from_stream(body).into_response()
}
