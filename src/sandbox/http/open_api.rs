//! The index of OpenAPI documents, and the part of each that kubectl reads.

use bytes::Bytes;
use hyper::Response;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    answer::{self, Body},
    handle::Ask,
    route::Route,
};
use crate::{
    sandbox::{api::Served, resource::Resource},
    schema::{Schema, Shape, Type, TypeId},
};

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
        Route::OldOpenApi => answer::plain(200, OLD_TYPE, Bytes::from_static(OLD_DOCUMENT)),
        _ => answer::object(ask.style, 200, &index(&served)),
    }
}

/// The document of OpenAPI 2 as protobuf, the only form that kubectl reads, and it does so before it applies a list. It
/// describes nothing, and then kubectl leaves it to the server to validate.
const OLD_TYPE: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/// The fields `swagger`, `info` (`title`, `version`) and `paths`.
const OLD_DOCUMENT: &[u8] = b"\x0a\x032.0\x12\x15\x0a\x0aKubernetes\x12\x07v1.34.4\x42\x00";

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
    json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.34.4"}, "paths": paths,
        "components": {"schemas": components(resources)},
    })
}

/// The types of the resources, and all that they are made of.
fn components(resources: &[&Resource]) -> Value {
    let mut schemas = Map::new();
    for resource in resources {
        let Some(root) = resource.root else { continue };
        add(&resource.schema, root, &mut schemas);
        if let Some(known) = resource.schema.get(root).and_then(|known| schemas.get_mut(&known.name)) {
            let kind = json!({"group": resource.group, "version": resource.version, "kind": resource.kind});
            known["x-kubernetes-group-version-kind"] = json!([kind]);
        }
    }
    schemas.into()
}

fn add(schema: &Schema, id: TypeId, schemas: &mut Map<String, Value>) {
    let Some(known) = schema.get(id).filter(|known| !schemas.contains_key(&known.name)) else { return };
    schemas.insert(known.name.clone(), Value::Null);
    let written = structure(schema, known, schemas);
    schemas.insert(known.name.clone(), written);
}

/// A type with its fields.
fn structure(schema: &Schema, known: &Type, schemas: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in &known.fields {
        let mut property = property(schema, &field.shape, schemas);
        if !field.values.is_empty() && field.shape == Shape::String {
            property["enum"] = json!(field.values);
        }
        if !field.merge_key.is_empty() {
            property["x-kubernetes-patch-merge-key"] = field.merge_key.as_str().into();
        }
        if !field.patch_strategy.is_empty() {
            property["x-kubernetes-patch-strategy"] = field.patch_strategy.as_str().into();
        }
        properties.insert(field.name.clone(), property);
    }
    let required: Vec<&str> =
        known.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    let mut written = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        written["required"] = json!(required);
    }
    written
}

fn property(schema: &Schema, shape: &Shape, schemas: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Any => json!({"type": "object"}),
        Shape::String | Shape::Quantity => json!({"type": "string"}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Int32 => json!({"type": "integer", "format": "int32"}),
        Shape::Int64 => json!({"type": "integer", "format": "int64"}),
        Shape::Number => json!({"type": "number", "format": "double"}),
        Shape::IntOrString => json!({"type": "string", "format": "int-or-string"}),
        Shape::Time => json!({"type": "string", "format": "date-time"}),
        Shape::Bytes => json!({"type": "string", "format": "byte"}),
        Shape::List(items) => json!({"type": "array", "items": property(schema, items, schemas)}),
        Shape::Map(values) => json!({"type": "object", "additionalProperties": property(schema, values, schemas)}),
        // The types of a definition have no names.
        Shape::Object(id) if schema.is_custom() => {
            schema.get(*id).map_or_else(|| json!({"type": "object"}), |known| structure(schema, known, schemas))
        }
        Shape::Object(id) => {
            add(schema, *id, schemas);
            let name = schema.get(*id).map_or("", |known| known.name.as_str());
            json!({"allOf": [{"$ref": format!("#/components/schemas/{name}")}]})
        }
    }
}
