//! One request to the API server: bounded in number and time, repeated where that is safe, counted.

use std::{
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, response::Parts};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use tokio::{sync::Semaphore, time::Instant};

use super::{connect::chain, credentials, discovery::Discovery, lanes::Lanes, upgrade::Upgrades};
use crate::error::{Cause, Error, Refusal, Result};

/// Requests in flight at once. The API server's throughput for writes peaks near this number; see
/// docs/performance.md.
const IN_FLIGHT: usize = 16;
/// Places beyond those, so that a lock can be renewed while every other place is taken by slow requests.
const SPARE: usize = 4;
/// How often an answer of 429 or 5xx is tried again.
const RETRIES: u32 = 6;
/// How long a server that has answered before may refuse connections, as it does while it restarts.
const RESTART: Duration = Duration::from_secs(30);

/// A connection to one API server.
pub struct Cluster {
    client: kube::Client,
    pub(super) upgrades: Upgrades,
    server: String,
    namespace: String,
    timeout: Option<Duration>,
    slots: Semaphore,
    requests: AtomicUsize,
    /// Whether the server has answered anything yet.
    reached: AtomicBool,
    pub(super) discovery: Discovery,
    /// The connections for logs.
    pub(super) lanes: Lanes,
}

/// What is sent.
pub(super) struct Call<'a> {
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// `Content-Type`, with the body.
    pub body: Option<(&'static str, Vec<u8>)>,
    pub accept: &'static str,
    /// What the request does, for errors: `reading deployment.apps/api`.
    pub doing: &'a str,
}

impl<'a> Call<'a> {
    pub fn new(method: Method, path: String, doing: &'a str) -> Self {
        Self { method, path, body: None, accept: "application/json", doing }
    }
}

/// Why one attempt did not bring an answer.
pub(super) enum Attempt {
    /// Nothing answered.
    Transport(String),
    /// The server answered that it cannot now.
    Busy { wait: Option<Duration>, error: Error },
    /// Final.
    Final(Error),
}

impl Cluster {
    pub(super) fn new(
        client: kube::Client,
        config: kube::Config,
        timeout: Option<Duration>,
        cache: Option<PathBuf>,
    ) -> Self {
        let (server, namespace) = (config.cluster_url.to_string(), config.default_namespace.clone());
        let discovery = Discovery::new(cache, &server);
        Self {
            client,
            lanes: Lanes::new(config.clone()),
            upgrades: Upgrades::new(config),
            server: server.trim_end_matches('/').to_owned(),
            namespace,
            timeout,
            slots: Semaphore::new(IN_FLIGHT + SPARE),
            requests: AtomicUsize::new(0),
            reached: AtomicBool::new(false),
            discovery,
        }
    }

    /// The client below, for watches.
    pub(super) fn client(&self) -> &kube::Client {
        &self.client
    }

    /// The URL of the API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The namespace of `-n`, of the context, or `default`.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// How many requests were sent so far, repeated ones included.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Sends a request and returns the status and the answer. What the server cannot do now, and what breaks off, is
    /// sent again: whoever writes must be content when that has happened twice.
    ///
    /// # Errors
    /// Unreachable when nothing answers in time or the credentials are refused; failed, with the server's refusal,
    /// for every other status of 400 and more.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<(StatusCode, Value)> {
        let (status, bytes) = self.call_bytes(call).await?;
        let value = serde_json::from_slice(&bytes).map_err(|cause| {
            Error::failed(format!("{}: {} did not answer with JSON", call.doing, self.server)).because(cause)
        })?;
        Ok((status, value))
    }

    /// Like `call`, for answers that are not JSON or are parsed by the caller.
    pub(super) async fn call_bytes(&self, call: &Call<'_>) -> Result<(StatusCode, Vec<u8>)> {
        self.persist(call, || self.attempt(call)).await
    }

    /// Tries until there is an answer, or none is to be had.
    pub(super) async fn persist<T, F>(&self, call: &Call<'_>, mut attempt: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Attempt>>,
    {
        let began = Instant::now();
        let mut tries = 0;
        loop {
            let attempt = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(attempt) => attempt,
            };
            tries += 1;
            let backoff = Duration::from_millis(100 << tries.min(6));
            let delay = match attempt {
                Attempt::Final(error) => return Err(error),
                Attempt::Busy { wait, error } => {
                    if tries >= RETRIES {
                        return Err(error);
                    }
                    wait.unwrap_or(backoff)
                }
                Attempt::Transport(message) => {
                    let patience = if self.reached.load(Ordering::Relaxed) { RESTART } else { Duration::ZERO };
                    if began.elapsed() >= patience {
                        return Err(self.silent(call, &message));
                    }
                    backoff
                }
            };
            tokio::time::sleep(delay.min(Duration::from_secs(10))).await;
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<(StatusCode, Vec<u8>), Attempt> {
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(Attempt::Final(Error::interrupted(call.doing.to_owned())));
        };
        let exchange = async {
            let (head, body) = self.send(&self.client, call).await?.into_parts();
            Ok((head, self.collect(body).await?))
        };
        let (head, bytes) = self.in_time(call, exchange).await?;
        match head.status.as_u16() {
            ..400 => Ok((head.status, bytes.into())),
            _ => Err(self.refused(call, head.status, &bytes, retry_after(&head))),
        }
    }

    /// Begins an answer that is read while it is sent, over a client of the caller's: a log, which may last for days.
    /// It takes no place among the requests in flight, and only its begin is waited for.
    pub(super) async fn open(&self, client: &kube::Client, call: &Call<'_>) -> Result<Body> {
        self.persist(call, || self.begin(client, call)).await
    }

    async fn begin(&self, client: &kube::Client, call: &Call<'_>) -> Result<Body, Attempt> {
        let (head, body) = self.in_time(call, self.send(client, call)).await?.into_parts();
        if head.status.as_u16() < 400 {
            return Ok(body);
        }
        let bytes = self.in_time(call, self.collect(body)).await?;
        Err(self.refused(call, head.status, &bytes, retry_after(&head)))
    }

    async fn send(&self, client: &kube::Client, call: &Call<'_>) -> Result<Response<Body>, Attempt> {
        let final_error = |cause: http::Error| Attempt::Final(Error::failed(call.doing.to_owned()).because(cause));
        let mut request = Request::builder().method(&call.method).uri(&call.path).header("accept", call.accept);
        let body = match &call.body {
            Some((kind, body)) => {
                request = request.header("content-type", *kind);
                Body::from(body.clone())
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(final_error)?;
        self.count_request();
        let response = client.send(request).await.map_err(|error| self.transport(error))?;
        self.reached.store(true, Ordering::Relaxed);
        Ok(response)
    }

    async fn collect(&self, body: Body) -> Result<Bytes, Attempt> {
        Ok(body.collect().await.map_err(|error| self.transport(error))?.to_bytes())
    }

    /// Like `call_bytes`, with the answer told in pieces as they arrive. None says that what was told before does not
    /// count, because the request is sent anew. The time that a request may take is here that between two pieces.
    pub(super) async fn call_streamed(
        &self,
        call: &Call<'_>,
        tell: impl FnMut(Option<&[u8]>) -> Result<()>,
    ) -> Result<()> {
        let tell = Mutex::new(tell);
        self.persist(call, || self.stream(call, &tell)).await
    }

    async fn stream(
        &self,
        call: &Call<'_>,
        tell: &Mutex<impl FnMut(Option<&[u8]>) -> Result<()>>,
    ) -> Result<(), Attempt> {
        let tell = |piece: Option<&[u8]>| match tell.lock() {
            Ok(mut tell) => tell(piece).map_err(Attempt::Final),
            Err(_) => Err(Attempt::Final(Error::interrupted(call.doing.to_owned()))),
        };
        tell(None)?;
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(Attempt::Final(Error::interrupted(call.doing.to_owned())));
        };
        let mut body = self.begin(&self.client, call).await?;
        loop {
            let next = async { body.frame().await.transpose().map_err(|error| self.transport(error)) };
            let Some(frame) = self.in_time(call, next).await? else { return Ok(()) };
            if let Some(data) = frame.data_ref() {
                tell(Some(data))?;
            }
        }
    }

    /// The answer, unless it takes longer than `--request-timeout`.
    pub(super) async fn in_time<T>(
        &self,
        call: &Call<'_>,
        exchange: impl Future<Output = Result<T, Attempt>>,
    ) -> Result<T, Attempt> {
        let Some(timeout) = self.timeout else { return exchange.await };
        tokio::time::timeout(timeout, exchange).await.unwrap_or_else(|_| {
            let message = format!("no answer within {} s", timeout.as_secs_f32());
            Err(Attempt::Final(self.silent(call, &message)))
        })
    }

    pub(super) fn transport(&self, error: impl std::error::Error + 'static) -> Attempt {
        if let Some(refused) = credentials::refused(&error, None) {
            return Attempt::Final(refused);
        }
        let message = chain(&error);
        Attempt::Transport(message)
    }

    fn silent(&self, call: &Call<'_>, message: &str) -> Error {
        let error = Error::unreachable(format!("{}: {} is not reachable: {message}", call.doing, self.server));
        if message.contains("ertificate") {
            error
                .hint("the certificate authority in the kubeconfig is not the one that signed the server's certificate")
        } else {
            error.hint("is the cluster running? `kubectl cluster-info` asks the same server")
        }
    }

    /// What an answer of 400 and more means, in the server's own words; `wait` is its `Retry-After`.
    pub(super) fn refused(&self, call: &Call<'_>, status: StatusCode, bytes: &[u8], wait: Option<Duration>) -> Attempt {
        let refusal = refusal(status, bytes);
        let message = format!("{}: {}", call.doing, refusal.message);
        let error = match status.as_u16() {
            401 => Error::unreachable(format!("{}: {} does not accept the credentials (401)", call.doing, self.server))
                .hint("log in again, or check the user of the current context: `kubectl config view --minify`"),
            403 => Error::failed(message).hint("`kubectl auth can-i --list` shows what this user may do"),
            429 => Error::failed(message).hint("the API server is overloaded; try again later"),
            500.. => Error::failed(message).hint(
                "the fault is the API server's; `kubectl get --raw '/readyz?verbose'` shows which of its parts fails",
            ),
            _ => Error::failed(message),
        };
        let error = error.refused(refusal);
        match status.as_u16() {
            429 | 500 | 502 | 503 | 504 => Attempt::Busy { wait, error },
            _ => Attempt::Final(error),
        }
    }
}

fn retry_after(head: &Parts) -> Option<Duration> {
    let seconds = head.headers.get("retry-after").and_then(|text| text.to_str().ok()?.parse().ok());
    seconds.map(Duration::from_secs)
}

/// The server's words in an answer of 400 and more; a body that is no `Status` is quoted, shortened.
fn refusal(status: StatusCode, bytes: &[u8]) -> Refusal {
    let parsed: Option<Value> = serde_json::from_slice(bytes).ok();
    let body = parsed.filter(|body: &Value| body["kind"] == "Status");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let Some(body) = body else {
        let quoted: String = String::from_utf8_lossy(bytes).trim().chars().take(200).collect();
        let message = match quoted.as_str() {
            "" => format!("the server answered {status}"),
            _ => format!("the server answered {status}: {quoted}"),
        };
        return Refusal { code: status.as_u16(), message, ..Refusal::default() };
    };
    let causes = body["details"]["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
    Refusal {
        code: status.as_u16(),
        reason: text(&body["reason"]),
        message: match text(&body["message"]) {
            said if said.is_empty() => format!("the server answered {status}"),
            said => said,
        },
        causes: causes
            .iter()
            .map(|cause| Cause {
                reason: text(&cause["reason"]),
                field: text(&cause["field"]),
                message: text(&cause["message"]),
            })
            .collect(),
    }
}
