//! Requests, and sequences of them that begin in an empty namespace.

use serde::Deserialize;
use serde_json::Value;

/// A request to both servers. `{ns}` is the namespace of the sequence; `{rv:NAME}` and `{uid:NAME}` are what the server
/// last said of the object with that name, or of `Kind/name`, `{continue}` its last token for the next page.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    /// With the query.
    pub path: String,
    pub content_type: String,
    pub accept: String,
    pub body: String,
    /// Sent again until the answer has this status.
    pub until: Option<u16>,
}

/// Requests that follow each other.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    pub requests: Vec<Request>,
    /// The collection whose watch events are compared, if any.
    pub watched: Option<String>,
}

impl Request {
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            content_type: String::new(),
            accept: "application/json".into(),
            body: String::new(),
            until: None,
        }
    }

    pub fn body(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        if self.content_type.is_empty() {
            self.content_type = "application/json".into();
        }
        self
    }

    pub fn content_type(mut self, content_type: &str) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Where the object is that the request is about; None where that is not said.
    pub fn object_path(&self) -> Option<String> {
        let path = self.path.split('?').next()?;
        let mut parts: Vec<&str> = path.split('/').collect();
        let group = if parts.get(1) == Some(&"apis") { 4 } else { 3 };
        let resource =
            if parts.get(group) == Some(&"namespaces") && parts.len() > group + 2 { group + 2 } else { group };
        match parts.len() {
            length if length == resource + 1 => {
                let body: Value = serde_json::from_str(&self.body).ok()?;
                Some(format!("{path}/{}", body["metadata"]["name"].as_str()?))
            }
            length if length > resource + 1 => {
                parts.truncate(resource + 2);
                Some(parts.join("/"))
            }
            _ => None,
        }
    }

    pub fn accept(mut self, accept: &str) -> Self {
        self.accept = accept.into();
        self
    }
}

/// A request in `requests.yaml`: `PATCH /api/v1/…` with the short name of its content type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "do")]
    line: String,
    #[serde(default, rename = "as")]
    content_type: String,
    #[serde(default)]
    accept: String,
    #[serde(default)]
    body: Option<Value>,
    /// A body that is no JSON.
    #[serde(default)]
    raw: String,
    #[serde(default)]
    until: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenScenario {
    name: String,
    #[serde(default)]
    watched: Option<String>,
    requests: Vec<Written>,
}

/// The sequences that are written down: by hand, and recorded from kubectl and our own commands.
pub fn fixed() -> Vec<Scenario> {
    let files = [include_str!("requests.yaml"), include_str!("recorded.yaml")];
    let scenarios = files.iter().flat_map(|text| serde_yaml::from_str::<Vec<WrittenScenario>>(text).unwrap());
    scenarios
        .map(|scenario| Scenario {
            name: scenario.name,
            watched: scenario.watched,
            requests: scenario.requests.into_iter().map(read).collect(),
        })
        .collect()
}

fn read(written: Written) -> Request {
    let (method, path) = written.line.split_once(' ').unwrap();
    let mut request = Request::new(method, path).content_type(long_type(&written.content_type));
    if let Some(body) = &written.body {
        request = request.body(body);
    }
    if !written.raw.is_empty() {
        request.body = written.raw;
        if request.content_type.is_empty() {
            request.content_type = "application/json".into();
        }
    }
    request.until = written.until;
    if !written.accept.is_empty() {
        request.accept = long_accept(&written.accept).into();
    }
    request
}

/// The media type that a short name stands for.
pub fn long_type(short: &str) -> &str {
    match short {
        "apply" => "application/apply-patch+yaml",
        "merge" => "application/merge-patch+json",
        "strategic" => "application/strategic-merge-patch+json",
        "json-patch" => "application/json-patch+json",
        other => other,
    }
}

pub fn long_accept(short: &str) -> &str {
    match short {
        "table" => "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        "metadata" => "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
        "metadata list" => "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
        other => other,
    }
}
