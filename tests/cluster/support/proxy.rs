//! A server in front of the API server: it counts what a client asks for, and misbehaves as told.
//!
//! Plain HTTP on a loopback port in front, the kubeconfig's credentials behind, so that the client needs none.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::{AbortHandle, JoinSet},
};

use super::{Evolve, TestCluster, binary::kubeconfig};

type Body = UnsyncBoxBody<Bytes, kube::Error>;

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The proxy answers by itself, with a `Status` of this code and these headers.
    Answer(u16, &'static [(&'static str, &'static str)]),
    /// The connection is cut; the server never sees the request.
    CutBefore,
    /// The server acts on the request; the connection is cut in place of its answer.
    CutAfter,
    /// No answer, ever.
    Hang,
    /// A watch begins, and ends at once with 410 Gone.
    WatchGone,
    /// Every connection is cut, and new ones are refused for this time.
    Restart(Duration),
    /// The client is killed; the server never sees the request.
    KillBefore,
    /// The server acts on the request; the client is killed before the answer.
    KillAfter,
}

/// When a fault happens.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The number of the request, from 1.
    nth: Option<usize>,
    method: Option<Method>,
    /// A part of path and query.
    part: String,
    /// How many more times.
    left: usize,
    fault: Fault,
}

impl Rule {
    /// At the nth request of all, from 1.
    pub fn nth(number: usize, fault: Fault) -> Self {
        Self { nth: Some(number), ..Self::always(fault) }
    }

    /// At the first request of this method whose path and query contain `part`.
    pub fn once(method: Method, part: &str, fault: Fault) -> Self {
        Self { method: Some(method), part: part.into(), left: 1, ..Self::always(fault) }
    }

    /// At every request.
    pub fn always(fault: Fault) -> Self {
        Self { nth: None, method: None, part: String::new(), left: usize::MAX, fault }
    }

    pub fn times(mut self, times: usize) -> Self {
        self.left = times;
        self
    }

    fn matches(&self, number: usize, request: &Seen) -> bool {
        self.left > 0
            && self.nth.is_none_or(|nth| nth == number)
            && self.method.as_ref().is_none_or(|method| *method == request.method)
            && request.target.contains(&self.part)
    }
}

/// A request that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: Method,
    /// Path and query.
    pub target: String,
}

/// The running server; it ends when the value is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: AbortHandle,
}

struct Shared {
    upstream: kube::Client,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    kill: Notify,
    restart: Mutex<Duration>,
    restarted: Notify,
}

impl Proxy {
    pub async fn start(cluster: &TestCluster, rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            upstream: cluster.client.clone(),
            rules: Mutex::new(rules),
            seen: Mutex::default(),
            kill: Notify::new(),
            restart: Mutex::default(),
            restarted: Notify::new(),
        });
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, shared.clone())).abort_handle();
        Self { address, shared, server }
    }

    /// A machine whose kubeconfig names the proxy.
    pub fn evolve(&self) -> Evolve {
        let evolve = Evolve::new(&PathBuf::new());
        let file = evolve.file("../kubeconfig", &kubeconfig(&format!("http://{}", self.address), "{}"));
        evolve.with_kubeconfig(&file)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection, and refuses new ones for a time.
    pub fn restart(&self, away: Duration) {
        *self.shared.restart.lock().unwrap() = away;
        self.shared.restarted.notify_one();
    }

    /// Every request so far, in the order in which they came.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Starts anew: no requests seen, other rules.
    pub fn reset(&self, rules: Vec<Rule>) {
        self.shared.seen.lock().unwrap().clear();
        *self.shared.rules.lock().unwrap() = rules;
    }

    /// Returns when a rule asks for the client's death.
    pub async fn asks_to_kill(&self) {
        self.shared.kill.notified().await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts connections, but for the time of a restart.
async fn serve(mut listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let address = listener.local_addr().unwrap();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.unwrap();
                connections.spawn(connection(stream, shared.clone()));
            }
            () = shared.restarted.notified() => {
                drop(listener);
                connections.shutdown().await;
                let away = *shared.restart.lock().unwrap();
                tokio::time::sleep(away).await;
                listener = TcpListener::bind(address).await.unwrap();
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| shared.answer(request));
    // A client that goes away, and a fault that cuts the connection, end here.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Makes the server cut the connection without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut")
    }
}

impl std::error::Error for Cut {}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let fault = self.fault(&request);
        match fault {
            None => self.forward(request).await,
            Some(Fault::Answer(code, headers)) => Ok(status(code, headers)),
            Some(Fault::CutBefore) => Err(Cut),
            Some(Fault::CutAfter) => self.act(request).await.and(Err(Cut)),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::WatchGone) => Ok(watch_gone()),
            Some(Fault::Restart(away)) => {
                *self.restart.lock().unwrap() = away;
                self.restarted.notify_one();
                std::future::pending().await
            }
            Some(Fault::KillBefore) => self.kill().await,
            Some(Fault::KillAfter) => {
                self.act(request).await?;
                self.kill().await
            }
        }
    }

    /// Notes the request, and finds what is to go wrong with it.
    fn fault(&self, request: &Request<Incoming>) -> Option<Fault> {
        let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let seen = Seen { method: request.method().clone(), target };
        let mut all = self.seen.lock().unwrap();
        all.push(seen.clone());
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.iter_mut().find(|rule| rule.matches(all.len(), &seen))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }

    async fn kill(&self) -> Result<Response<Body>, Cut> {
        self.kill.notify_one();
        std::future::pending().await
    }

    /// Sends the request on and waits for the whole answer.
    async fn act(&self, request: Request<Incoming>) -> Result<(), Cut> {
        let is_read = request.method() == Method::GET;
        let response = self.forward(request).await?;
        // A read changes nothing, and the answer to a watch has no end.
        if is_read {
            return Ok(());
        }
        response.into_body().collect().await.map(|_| ()).map_err(|_| Cut)
    }

    /// Sends the request on; the answer comes back piece by piece, as a watch needs it.
    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        head.uri = head.uri.path_and_query().ok_or(Cut)?.to_string().parse().map_err(|_| Cut)?;
        hop_by_hop(&mut head.headers);
        let request = Request::from_parts(head, kube::client::Body::from(body.to_vec()));
        let mut response = self.upstream.send(request).await.map_err(|_| Cut)?;
        hop_by_hop(response.headers_mut());
        Ok(response.map(BodyExt::boxed_unsync))
    }
}

/// Removes what concerns one connection only.
fn hop_by_hop(headers: &mut HeaderMap) {
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
}

/// The API server's words for a code.
fn status(code: u16, headers: &[(&'static str, &'static str)]) -> Response<Body> {
    let (reason, message) = match code {
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "the request is forbidden: User \"tester\" cannot do that"),
        409 => ("Conflict", "the object has been modified; please apply your changes to the latest version"),
        410 => ("Expired", "The resourceVersion for the provided watch is too old."),
        429 => ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
        500 => ("InternalError", "Internal error occurred: etcdserver: request timed out"),
        _ => ("ServiceUnavailable", "the server is currently unable to handle the request"),
    };
    let mut response = json_response(code, &failure(code, reason, message));
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

fn watch_gone() -> Response<Body> {
    let gone = failure(410, "Expired", "too old resource version: 1 (2)");
    json_response(200, &json!({"type": "ERROR", "object": gone}))
}

fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
           "message": message, "reason": reason, "code": code})
}

fn json_response(code: u16, body: &Value) -> Response<Body> {
    let bytes = Full::from(format!("{body}\n")).map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut response = Response::new(bytes);
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    response
}
