//! Objects as a client wants to see them: whole, as their metadata, or as a table.

use bytes::Bytes;
use serde_json::{Value, json};

use super::accept::View;
use crate::sandbox::resource::Resource;

/// One object in that view.
pub(super) fn one(view: View, resource: &Resource, bytes: Bytes) -> Bytes {
    match view {
        View::Whole => bytes,
        View::Metadata => encode(&metadata(&parse(&bytes))),
        View::Table => {
            let object = parse(&bytes);
            let version = object["metadata"]["resourceVersion"].clone();
            encode(&table(resource, &[object], json!({"resourceVersion": version}), true))
        }
    }
}

pub(super) fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

pub(super) fn encode(value: &Value) -> Bytes {
    serde_json::to_vec(value).map(Bytes::from).unwrap_or_default()
}

/// An object without all but its metadata.
pub(super) fn metadata(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// Objects as a table of their kind.
pub(super) fn table(resource: &Resource, objects: &[Value], list: Value, head: bool) -> Value {
    let columns = json!([
        {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
        {"name": "Created At", "type": "date", "format": "", "description": "", "priority": 0},
    ]);
    let _ = resource;
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells = json!([object["metadata"]["name"], object["metadata"]["creationTimestamp"]]);
            json!({"cells": cells, "object": metadata(object)})
        })
        .collect();
    let columns = if head { columns } else { Value::Null };
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": list, "columnDefinitions": columns, "rows": rows})
}
