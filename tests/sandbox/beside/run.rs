//! Plays a case on one side.

use std::{collections::BTreeSet, time::Duration};

use http::Request;
use kube::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    cases::{Case, Step},
    lines::lines,
};
use crate::client;

/// No step takes longer.
const DEADLINE: Duration = Duration::from_secs(150);

/// Everything that is looked at: where it is served.
const KINDS: [(&str, &str); 14] = [
    ("apis/apps/v1", "deployments"),
    ("apis/apps/v1", "replicasets"),
    ("apis/apps/v1", "statefulsets"),
    ("apis/apps/v1", "daemonsets"),
    ("apis/batch/v1", "jobs"),
    ("apis/batch/v1", "cronjobs"),
    ("apis/autoscaling/v2", "horizontalpodautoscalers"),
    ("apis/policy/v1", "poddisruptionbudgets"),
    ("apis/discovery.k8s.io/v1", "endpointslices"),
    ("api/v1", "pods"),
    ("api/v1", "persistentvolumeclaims"),
    ("api/v1", "services"),
    ("api/v1", "resourcequotas"),
    ("api/v1", "events"),
];

/// A cluster.
pub struct Side(Client);

impl Side {
    pub async fn of(kubeconfig: &str) -> Self {
        Self(client::connect(kubeconfig).await)
    }

    /// What the case comes to.
    pub async fn play(&self, case: &Case) -> BTreeSet<String> {
        let object = json!({"metadata": {"generateName": "evolve-test-beside-"}});
        let namespace = self.send("POST", "/api/v1/namespaces", "application/json", &object).await;
        let namespace = namespace["metadata"]["name"].as_str().unwrap().to_owned();
        // Pods can be made when their account is there.
        while self.list(&namespace, "api/v1", "serviceaccounts").await.is_empty() {
            sleep(Duration::from_millis(50)).await;
        }
        let mut seen = BTreeSet::new();
        for step in &case.steps {
            for document in step.apply.split("---\n") {
                self.apply(&namespace, document).await;
            }
            seen = self.until(&namespace, step).await;
        }
        self.send("DELETE", &format!("/api/v1/namespaces/{namespace}"), "application/json", &Value::Null).await;
        seen
    }

    /// Its lines when all came that has to, or those at the end of the time.
    async fn until(&self, namespace: &str, step: &Step) -> BTreeSet<String> {
        let end = Instant::now() + DEADLINE;
        loop {
            let mut objects = Vec::new();
            for (group, plural) in KINDS {
                objects.extend(self.list(namespace, group, plural).await);
            }
            let seen = lines(namespace, &objects);
            let missing: Vec<&String> =
                step.until.iter().filter(|part| !seen.iter().any(|line| line.contains(part.as_str()))).collect();
            if missing.is_empty() {
                return seen;
            }
            if Instant::now() >= end {
                let told = missing.iter().map(|part| format!("never came: {part}"));
                return told.chain(seen.iter().cloned()).collect();
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn list(&self, namespace: &str, group: &str, plural: &str) -> Vec<Value> {
        let mut list = self.send("GET", &format!("/{group}/namespaces/{namespace}/{plural}"), "", &Value::Null).await;
        let kind = list["kind"].as_str().unwrap_or_default().trim_end_matches("List").to_owned();
        let mut items = list["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        items.iter_mut().for_each(|item| item["kind"] = json!(kind));
        items
    }

    async fn apply(&self, namespace: &str, document: &str) {
        let object: Value = serde_saphyr::from_str(document).unwrap();
        let version = object["apiVersion"].as_str().unwrap();
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        let root = if version.contains('/') { "apis" } else { "api" };
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = format!("/{root}/{version}/namespaces/{namespace}/{kind}s/{name}?fieldManager=beside&force=true");
        self.send("PATCH", &path, client::APPLY, &object).await;
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut request = Request::builder().method(method).uri(path);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        self.0.request(request.body(body).unwrap()).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }
}
