//! Objects as rows of a table, with the columns of `kubectl get`: a file for each family of kinds.
//!
//! Source: `pkg/printers/internalversion/printers.go` of Kubernetes 1.34. `columns.json.gz` is what the API server says of
//! its columns; `tools/schema-table/` writes it.

mod columns;
mod custom;
mod others;
mod pod;
mod storage;
mod traffic;
mod words;
mod workload;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use self::columns::{columns, has_columns};
use self::words::age_of;
use super::edit::Read;
use crate::sandbox::resource::Resource;

/// A row: a cell for each column, and what is said of the row as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub cells: Vec<Value>,
    /// The row's `conditions`; empty for most.
    pub conditions: Vec<Value>,
}

/// The row of an object, as old as it is at `now`.
pub fn row(resource: &Resource, object: &Value, now: Timestamp) -> Row {
    let cells = match (resource.is_custom(), resource.group.as_str()) {
        (true, _) => custom::cells(resource, object, now),
        (_, "" | "apps" | "batch") => pod::cells(resource, object, now)
            .or_else(|| workload::cells(resource, object, now))
            .or_else(|| traffic::cells(resource, object, now))
            .or_else(|| storage::cells(resource, object, now))
            .or_else(|| others::cells(resource, object, now)),
        (_, "networking.k8s.io" | "discovery.k8s.io") => traffic::cells(resource, object, now),
        (_, "storage.k8s.io") => storage::cells(resource, object, now),
        _ => others::cells(resource, object, now),
    };
    let cells = cells.unwrap_or_else(|| {
        vec![json!(object.text(&["metadata", "name"])), json!(object.text(&["metadata", "creationTimestamp"]))]
    });
    Row { cells, conditions: pod::conditions(resource, object) }
}

/// The name of an object, and its age.
fn name_and_age(object: &Value, now: Timestamp) -> (Value, Value) {
    (json!(object.text(&["metadata", "name"])), json!(age_of(object, &["metadata", "creationTimestamp"], now)))
}

#[cfg(test)]
mod tests;
