//! A sandbox without controllers, and a client of it.

use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use kubectl_evolve::sandbox::{Options, Sandbox};
use serde_json::{Value, json};

pub const MERGE: &str = "application/merge-patch+json";
pub const APPLY: &str = "application/apply-patch+yaml";
pub const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// Longer than anything here takes; what exceeds it hangs.
pub const DEADLINE: Duration = Duration::from_secs(30);

pub struct Cluster {
    pub sandbox: Sandbox,
    pub client: Client,
}

/// An answer: its status, and its body.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub body: Value,
}

impl Answer {
    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub fn version(&self) -> &str {
        self.body["metadata"]["resourceVersion"].as_str().unwrap_or_default()
    }

    pub fn names(&self) -> Vec<&str> {
        let items = self.body["items"].as_array().into_iter().flatten();
        items.filter_map(|item| item["metadata"]["name"].as_str()).collect()
    }
}

pub async fn start() -> Cluster {
    let sandbox = Sandbox::start(Options { bare: true, ..Options::default() }).await.unwrap();
    let client = connect(sandbox.kubeconfig()).await;
    Cluster { sandbox, client }
}

pub async fn connect(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.read_timeout = Some(DEADLINE);
    Client::try_from(config).unwrap()
}

impl Cluster {
    pub async fn send(&self, method: Method, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let response = self.respond(method, path, content_type, body).await.unwrap();
        let code = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { code, body }
    }

    pub async fn respond(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: impl Into<Vec<u8>>,
    ) -> kube::Result<Response<Body>> {
        let mut request = Request::builder().method(method).uri(path);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let sending = self.client.send(request.body(Body::from(body.into())).unwrap());
        tokio::time::timeout(DEADLINE, sending).await.expect("an answer in time")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "", "").await
    }

    pub async fn post(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::POST, path, "application/json", object.to_string()).await
    }

    pub async fn put(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::PUT, path, "application/json", object.to_string()).await
    }

    pub async fn patch(&self, path: &str, content_type: &str, patch: &Value) -> Answer {
        self.send(Method::PATCH, path, content_type, patch.to_string()).await
    }

    pub async fn delete(&self, path: &str, options: &Value) -> Answer {
        let body = if options.is_null() { String::new() } else { options.to_string() };
        self.send(Method::DELETE, path, "application/json", body).await
    }

    /// Makes a ConfigMap with a label `app` of that value.
    pub async fn map(&self, name: &str, app: &str) -> Answer {
        let labels = json!({"app": app});
        self.post(MAPS, &json!({"metadata": {"name": name, "labels": labels}, "data": {"x": "1"}})).await
    }
}
