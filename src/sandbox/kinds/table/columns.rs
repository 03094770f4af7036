//! What the columns are called, and what they hold.

use std::{collections::HashMap, io::Read as _, sync::OnceLock};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::{super::edit::Read, custom};
use crate::sandbox::resource::Resource;

static PACKED: &[u8] = include_bytes!("columns.json.gz");

/// The `columnDefinitions` of a kind's table.
pub fn columns(resource: &Resource) -> Value {
    if resource.is_custom() {
        return custom::columns(resource, describe);
    }
    let known = table().get(&format!("{} {}", resource.api_version(), resource.kind));
    known.cloned().unwrap_or_else(|| {
        json!([
            {"name": "Name", "type": "string", "format": "name", "description": describe("name"), "priority": 0},
            {"name": "Created At", "type": "date", "format": "", "description": describe("creationTimestamp"), "priority": 0},
        ])
    })
}

/// Whether the kind has columns of its own.
pub fn has_columns(resource: &Resource) -> bool {
    let columns = columns(resource);
    resource.is_custom() || columns.get(1).is_none_or(|second| second["name"] != "Created At")
}

fn table() -> &'static HashMap<String, Value> {
    static TABLE: OnceLock<HashMap<String, Value>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut json = Vec::new();
        let read = GzDecoder::new(PACKED).read_to_end(&mut json);
        // A table that does not unpack is a broken build, which the tests find.
        read.ok().and_then(|_| serde_json::from_slice(&json).ok()).unwrap_or_default()
    })
}

/// How the API server describes a field of the metadata.
fn describe(field: &str) -> String {
    let position = if field == "name" { 0 } else { 1 };
    let of_role = table().get("rbac.authorization.k8s.io/v1 Role").and_then(|columns| columns.get(position));
    of_role.map(|column| column.text(&["description"]).to_owned()).unwrap_or_default()
}
