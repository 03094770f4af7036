//! The metadata that the server owns: what a writer may not change, and when things are gone.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A field of the metadata that is text; empty where it is absent.
pub(super) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object["metadata"].get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The metadata, made where it is missing.
pub(super) fn of(object: &mut Value) -> &mut Map<String, Value> {
    map(map(object).entry("metadata").or_insert(Value::Null))
}

fn map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made one above"),
    }
}

/// As the API writes times.
pub(super) fn time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn finalizers(object: &Value) -> Vec<&str> {
    let found = object["metadata"].get("finalizers").and_then(Value::as_array);
    found.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Puts the finalizers, or takes the field away where there are none.
pub(super) fn set_finalizers(object: &mut Value, finalizers: &[&str]) {
    let metadata = of(object);
    if finalizers.is_empty() {
        metadata.shift_remove("finalizers");
    } else {
        metadata.insert("finalizers".into(), finalizers.iter().copied().collect());
    }
}

pub(super) fn is_being_deleted(object: &Value) -> bool {
    object["metadata"].get("deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// Keeps what a writer cannot change, whatever it sent (`ValidateObjectMetaAccessorUpdate` of apimachinery).
pub(super) fn keep(new: &mut Value, live: &Value) {
    let metadata = of(new);
    for field in ["creationTimestamp", "generation"] {
        match live["metadata"].get(field) {
            Some(kept) => metadata.insert(field.into(), kept.clone()),
            None => metadata.shift_remove(field),
        };
    }
    metadata.shift_remove("selfLink");
    for field in ["uid", "namespace"] {
        if metadata.get(field).and_then(Value::as_str).is_none_or(str::is_empty)
            && let Some(kept) = live["metadata"].get(field)
        {
            metadata.insert(field.into(), kept.clone());
        }
    }
    if is_being_deleted(live) {
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
            if let Some(kept) = live["metadata"].get(field) {
                metadata.insert(field.into(), kept.clone());
            }
        }
    }
}
