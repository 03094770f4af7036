//! Custom resources: the columns of their definition.
//!
//! Source: `k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{super::edit::Read, words::age};
use crate::rules::jsonpath;
use crate::sandbox::resource::Resource;

/// The columns of a definition that names none: the age.
fn defined(resource: &Resource) -> Vec<Value> {
    let version = resource.custom.as_deref().unwrap_or(&Value::Null);
    match version.items(&["additionalPrinterColumns"]) {
        [] => vec![json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})],
        columns => columns.to_vec(),
    }
}

pub(super) fn columns(resource: &Resource, describe: fn(&str) -> String) -> Value {
    let mut all = vec![
        json!({"name": "Name", "type": "string", "format": "name", "description": describe("name"), "priority": 0}),
    ];
    let version = resource.custom.as_deref().unwrap_or(&Value::Null);
    let own = version.items(&["additionalPrinterColumns"]).is_empty();
    for column in defined(resource) {
        let path = column.text(&["jsonPath"]);
        let description = match column.text(&["description"]) {
            "" if own => describe("creationTimestamp"),
            "" => format!("Custom resource definition column (in JSONPath format): {path}"),
            description => description.to_owned(),
        };
        all.push(json!({
            "name": column.text(&["name"]), "type": column.text(&["type"]), "format": column.text(&["format"]),
            "description": description, "priority": column.number(&["priority"]).unwrap_or_default(),
        }));
    }
    all.into()
}

pub(super) fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let mut cells = vec![json!(object.text(&["metadata", "name"]))];
    for column in defined(resource) {
        let found = jsonpath::first(column.text(&["jsonPath"]), object);
        cells.push(found.map_or(Value::Null, |value| cell(column.text(&["type"]), value, now)));
    }
    Some(cells)
}

fn cell(kind: &str, value: &Value, now: Timestamp) -> Value {
    match (kind, value) {
        (_, Value::Null) if kind != "string" => Value::Null,
        ("string", Value::String(text)) => json!(text),
        ("string", other) => json!(other.to_string()),
        ("integer", Value::Number(number)) => match number.as_i64() {
            Some(whole) => json!(whole),
            #[expect(clippy::cast_possible_truncation, reason = "the API server cuts off the fraction too")]
            None => json!(number.as_f64().unwrap_or_default() as i64),
        },
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(text)) => match age(text, now) {
            unknown if unknown == "<unknown>" && !text.is_empty() => json!("<invalid>"),
            age => json!(age),
        },
        _ => Value::Null,
    }
}
