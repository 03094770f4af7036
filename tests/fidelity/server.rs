//! One of the two servers, and what it last said of its objects.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use http_body_util::BodyExt;
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;

use super::request::Request;

/// How long an answer is waited for, and a request sent again for the status that it waits for.
const DEADLINE: Duration = Duration::from_secs(20);

/// An API server.
#[derive(Clone)]
pub struct Server {
    client: Client,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub warnings: Vec<String>,
    /// A string where it is no JSON.
    pub body: Value,
}

impl Server {
    pub async fn connect(kubeconfig: Kubeconfig) -> Self {
        // Another test may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        config.default_retry = false;
        Self { client: Client::try_from(config).unwrap() }
    }

    /// Status 0 where no answer came in time.
    pub async fn send(&self, request: &Request) -> Answer {
        let silence = || Answer { status: 0, content_type: String::new(), warnings: Vec::new(), body: Value::Null };
        tokio::time::timeout(DEADLINE, self.exchange(request)).await.unwrap_or_else(|_| silence())
    }

    async fn exchange(&self, request: &Request) -> Answer {
        let mut built = http::Request::builder().method(request.method.as_str()).uri(&request.path);
        built = built.header("accept", &request.accept).header("user-agent", "fidelity/1 (test)");
        if !request.content_type.is_empty() {
            built = built.header("content-type", &request.content_type);
        }
        let built = built.body(Body::from(request.body.clone().into_bytes()));
        let built = built.unwrap_or_else(|error| panic!("{request:?}: {error}"));
        let answer = self.client.send(built).await.unwrap_or_else(|error| panic!("{request:?}: {error}"));
        let header = |name: &str| -> Vec<String> {
            answer
                .headers()
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into())
                .collect()
        };
        let (content_type, warnings) = (header("content-type").join(","), header("warning"));
        let status = answer.status().as_u16();
        let bytes =
            answer.into_body().collect().await.unwrap_or_else(|error| panic!("{request:?}: {error}")).to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into());
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
        Answer { status, content_type, warnings, body }
    }
}

/// A server in the course of one sequence.
pub struct Session {
    server: Server,
    pub namespace: String,
    versions: HashMap<String, String>,
    uids: HashMap<String, String>,
    page: String,
}

impl Session {
    pub fn new(server: Server, namespace: &str) -> Self {
        Self {
            server,
            namespace: namespace.into(),
            versions: HashMap::new(),
            uids: HashMap::new(),
            page: String::new(),
        }
    }

    pub async fn send(&mut self, request: &Request) -> Answer {
        let mut filled = request.clone();
        filled.path = self.fill(&request.path);
        filled.body = self.fill(&request.body);
        let end = Instant::now() + DEADLINE;
        loop {
            let answer = self.server.send(&filled).await;
            if request.until.is_none_or(|status| status == answer.status) || Instant::now() > end {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn fill(&self, text: &str) -> String {
        let mut out = text.replace("{ns}", &self.namespace).replace("{continue}", &self.page);
        for (word, known) in [("rv", &self.versions), ("uid", &self.uids)] {
            let start = format!("{{{word}:");
            while let Some(at) = out.find(&start) {
                let Some(length) = out[at..].find('}') else { break };
                let name = &out[at + start.len()..at + length];
                let value = known.get(name).cloned().unwrap_or_else(|| format!("unknown-{word}"));
                out.replace_range(at..=at + length, &value);
            }
        }
        out
    }

    /// Remembers what was said, and gives whether the object of this name has changed since.
    pub fn note(&mut self, object: &Value) -> &'static str {
        let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
        let kind = object["kind"].as_str().unwrap_or_default();
        let long = format!("{kind}/{}", text("name"));
        for name in [text("name"), long.clone()] {
            self.uids.insert(name.clone(), text("uid"));
            if name != long {
                self.versions.insert(name, text("resourceVersion"));
            }
        }
        match self.versions.insert(long, text("resourceVersion")) {
            Some(before) if before == text("resourceVersion") => "<unchanged>",
            _ => "<new>",
        }
    }

    pub fn note_page(&mut self, list: &Value) {
        if let Some(token) = list["metadata"]["continue"].as_str() {
            self.page = token.into();
        }
    }
}
