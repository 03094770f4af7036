//! Objects as a client wants to see them: whole, as their metadata, or as a table.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{accept::View, query::Query};
use crate::sandbox::{
    kinds::table::{Row, columns, has_columns, row},
    resource::Resource,
};

/// How objects are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub view: View,
    pub in_rows: InRows,
    /// What ages are counted to.
    pub now: Timestamp,
}

/// What of its object each row of a table holds (`includeObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InRows {
    Nothing,
    Metadata,
    Object,
}

impl InRows {
    pub fn of(query: &Query) -> Self {
        match query.text("includeObject") {
            "None" => Self::Nothing,
            "Object" => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// One object in that view.
pub(super) fn one(shown: Shown, resource: &Resource, bytes: Bytes) -> Bytes {
    match shown.view {
        View::Whole => bytes,
        View::Metadata => encode(&metadata(&parse(&bytes))),
        View::Table => {
            let object = parse(&bytes);
            let version = object["metadata"]["resourceVersion"].clone();
            encode(&table(shown, resource, vec![object], json!({"resourceVersion": version}), true))
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
    let mut metadata = object["metadata"].clone();
    if object["kind"] == "DaemonSet" {
        // It is no annotation inside of the server, but a field.
        if let Some(fields) = metadata.as_object_mut()
            && let Some(annotations) = fields.get_mut("annotations").and_then(Value::as_object_mut)
        {
            annotations.shift_remove("deprecated.daemonset.template.generation");
            if annotations.is_empty() {
                fields.shift_remove("annotations");
            }
        }
    }
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

/// Objects as a table of their kind; `head`: with its columns.
pub(super) fn table(shown: Shown, resource: &Resource, objects: Vec<Value>, list: Value, head: bool) -> Value {
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| {
            let Row { cells, conditions } = row(resource, &object, shown.now);
            let mut row = json!({"cells": cells});
            if !conditions.is_empty() {
                row["conditions"] = conditions.into();
            }
            row["object"] = match shown.in_rows {
                InRows::Nothing => Value::Null,
                InRows::Metadata => metadata(&object),
                InRows::Object => object,
            };
            row
        })
        .collect();
    // Kinds without columns of their own have no list of rows where they have none.
    let rows = if rows.is_empty() && !has_columns(resource) { Value::Null } else { Value::from(rows) };
    let columns = if head { json!(columns(resource)) } else { Value::Null };
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": list, "columnDefinitions": columns, "rows": rows})
}
