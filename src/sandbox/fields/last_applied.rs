//! What `kubectl apply --server-side` inherits from `kubectl apply` (`lastappliedmanager.go`, `lastappliedupdater.go`).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{check, compare::compare, conflict::FieldConflict, managers::Writer, owned::fields_of, types::Types};

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The manager that this is for.
const KUBECTL: &str = "kubectl";
/// All annotations of an object together have no more bytes than this.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// The conflicts without those in fields that `kubectl apply` wrote last and nobody changed since.
pub(super) fn not_of_kubectl(
    types: Types<'_>,
    live: &Value,
    conflicts: Vec<FieldConflict>,
    writer: &Writer<'_>,
) -> Vec<FieldConflict> {
    let last = (writer.manager == KUBECTL).then(|| annotation(live)).flatten();
    let last = last.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(last) = last.filter(|last| last["apiVersion"] == writer.api_version) else { return conflicts };
    let place = types.top();
    if !check::faults(place, &last).is_empty() {
        return conflicts;
    }
    let difference = compare(place, &last, live);
    let unchanged = fields_of(place, &last).difference(&difference.changed).difference(&difference.removed);
    let allowed: HashSet<String> = unchanged.paths().into_iter().collect();
    conflicts.into_iter().filter(|conflict| !allowed.contains(&conflict.field)).collect()
}

/// Writes what was applied into the annotation of `kubectl apply`, where the object has one.
pub(super) fn keep(object: &mut Value, applied: &Value, writer: &Writer<'_>) {
    if writer.manager != KUBECTL || annotation(object).is_none_or(str::is_empty) {
        return;
    }
    let mut applied = applied.clone();
    if let Some(Value::Object(annotations)) = applied.pointer_mut("/metadata/annotations") {
        annotations.remove(ANNOTATION);
    }
    let text = sorted(&applied).to_string();
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026") + "\n";
    let Some(Value::Object(annotations)) = object.pointer_mut("/metadata/annotations") else { return };
    annotations.insert(ANNOTATION.into(), Value::String(text));
    let size: usize = annotations.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
    if size > ANNOTATIONS_LIMIT {
        annotations.remove(ANNOTATION);
    }
}

fn annotation(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str()
}

/// With the keys of its maps in order, as Go writes maps.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            Value::Object(fields.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
