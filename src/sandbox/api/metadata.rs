//! The metadata that the server owns: what a writer may not change, and when things are gone.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::sandbox::problem::ProblemCause;

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

/// What of the metadata was changed and may not be.
pub(super) fn forbidden_changes(new: &Value, live: &Value) -> Vec<ProblemCause> {
    let mut causes = Vec::new();
    let before = finalizers(live);
    if is_being_deleted(live) {
        let mut added: Vec<&str> = finalizers(new).into_iter().filter(|name| !before.contains(name)).collect();
        added.sort_unstable();
        if !added.is_empty() {
            let added: Vec<String> = added.iter().map(|name| format!("{name:?}")).collect();
            causes.push(ProblemCause {
                reason: "FieldValueForbidden",
                message: format!(
                    "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    added.join(", ")
                ),
                field: "metadata.finalizers".into(),
            });
        }
    }
    for (field, why) in [
        ("uid", "field is immutable"),
        ("deletionTimestamp", "field is immutable; may only be changed via deletion"),
        ("deletionGracePeriodSeconds", "field is immutable; may only be changed via deletion"),
    ] {
        let (new, live) = (&new["metadata"][field], &live["metadata"][field]);
        if new != live {
            causes.push(ProblemCause {
                reason: "FieldValueInvalid",
                message: format!("Invalid value: {new}: {why}"),
                field: format!("metadata.{field}"),
            });
        }
    }
    // The real server validates metadata once for all kinds and once with the kind, and says it twice.
    let again = causes.clone();
    causes.extend(again);
    causes
}
