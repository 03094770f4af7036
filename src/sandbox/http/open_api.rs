//! The index of OpenAPI documents, and the part of each that kubectl reads.

use hyper::Response;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    answer::{self, Body},
    handle::Ask,
    route::Route,
};
use crate::sandbox::{api::Served, resource::Resource};

pub(super) fn answer(ask: &Ask, route: &Route) -> Response<Body> {
    let served = ask.api.registry().all();
    match route {
        Route::OpenApiOf { group, version } => {
            let found: Vec<&Resource> = served
                .iter()
                .map(|served| &*served.resource)
                .filter(|resource| resource.group == *group && resource.version == *version)
                .collect();
            if found.is_empty() {
                return answer::text(404, "404 page not found\n");
            }
            answer::object(ask.style, 200, &document(&found))
        }
        _ => answer::object(ask.style, 200, &index(&served)),
    }
}

/// Where the document of each group and version is; its hash lets clients keep it.
fn index(served: &[Served]) -> Value {
    let mut paths = Map::new();
    for resource in served.iter().map(|served| &served.resource) {
        let path = path(resource);
        if paths.contains_key(&path) {
            continue;
        }
        let kinds: Vec<&str> = served
            .iter()
            .filter(|other| other.resource.group == resource.group && other.resource.version == resource.version)
            .map(|other| other.resource.kind.as_str())
            .collect();
        let hash: String = Sha256::digest(kinds.join(",")).iter().map(|byte| format!("{byte:02X}")).collect();
        let url = format!("/openapi/v3/{path}?hash={hash}");
        paths.insert(path, json!({"serverRelativeURL": url}));
    }
    json!({ "paths": paths })
}

fn path(resource: &Resource) -> String {
    if resource.group.is_empty() {
        format!("api/{}", resource.version)
    } else {
        format!("apis/{}/{}", resource.group, resource.version)
    }
}

/// The document of one group and version: its paths with the parameters of writes.
fn document(resources: &[&Resource]) -> Value {
    let mut paths = Map::new();
    for resource in resources {
        let scope = if resource.namespaced { "namespaces/{namespace}/" } else { "" };
        let base = format!("/{}/{scope}{}", path(resource), resource.plural);
        let kind = json!({"group": resource.group, "version": resource.version, "kind": resource.kind});
        let parameter =
            |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
        let operation = |action: &str| {
            let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation"].map(parameter).into();
            json!({"parameters": parameters, "x-kubernetes-action": action, "x-kubernetes-group-version-kind": kind})
        };
        if resource.verbs.iter().any(|verb| verb == "create") {
            paths.insert(base.clone(), json!({"post": operation("post")}));
        }
        if resource.verbs.iter().any(|verb| verb == "patch") {
            let item = json!({"put": operation("put"), "patch": operation("patch")});
            paths.insert(format!("{base}/{{name}}"), item);
        }
    }
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.34.4"}, "paths": paths})
}
