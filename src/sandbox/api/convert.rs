//! Versions of one object: each table keeps one, the others are made of it.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::sandbox::resource::Resource;

/// The fields that events have by other names in `events.k8s.io`.
const EVENT_NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// How the bytes of an object of this version begin.
fn beginning(resource: &Resource) -> String {
    format!("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",", resource.kind, resource.api_version())
}

/// What is stored, in the version of the resource.
pub(super) fn bytes(resource: &Resource, stored: Bytes) -> Bytes {
    if stored.starts_with(beginning(resource).as_bytes()) {
        return stored;
    }
    let object = value(resource, &stored);
    serde_json::to_vec(&object).map(Bytes::from).unwrap_or_default()
}

/// What is stored, in the version of the resource.
pub(super) fn value(resource: &Resource, stored: &[u8]) -> Value {
    let mut object: Value = serde_json::from_slice(stored).unwrap_or_default();
    let wanted = resource.api_version();
    if object["apiVersion"] != wanted.as_str() {
        let known = object["apiVersion"].as_str().unwrap_or_default().to_owned();
        object = between(object, &known, &wanted);
    }
    object
}

/// The object as it is stored: its kind first, in the version that its table keeps.
pub(super) fn to_storage(resource: &Resource, object: Value) -> Value {
    let kept = match (resource.group.as_str(), resource.plural.as_str()) {
        ("events.k8s.io", "events") => Cow::Borrowed("v1"),
        ("autoscaling", _) => Cow::Borrowed("autoscaling/v2"),
        _ => Cow::Owned(resource.api_version()),
    };
    arrange(resource, between(object, &resource.api_version(), &kept), &kept)
}

/// The object with its kind and version first, and its metadata next.
pub(super) fn arrange(resource: &Resource, object: Value, api_version: &str) -> Value {
    let Value::Object(mut fields) = object else { return object };
    let mut arranged = Map::with_capacity(fields.len() + 2);
    arranged.insert("kind".into(), resource.kind.as_str().into());
    arranged.insert("apiVersion".into(), api_version.into());
    arranged.insert("metadata".into(), fields.shift_remove("metadata").unwrap_or_else(|| Value::Object(Map::new())));
    fields.retain(|key, _| key != "kind" && key != "apiVersion");
    if !resource.is_custom() {
        // An empty list does not outlive the real store, which knows none: what is always written is null then.
        for value in fields.values_mut().filter(|value| value.as_array().is_some_and(Vec::is_empty)) {
            *value = Value::Null;
        }
    }
    arranged.extend(fields);
    Value::Object(arranged)
}

fn between(mut object: Value, from: &str, to: &str) -> Value {
    if from == to {
        return object;
    }
    let Some(fields) = object.as_object_mut() else { return object };
    match (from, to) {
        ("v1", "events.k8s.io/v1") => rename(fields, EVENT_NAMES.iter().copied()),
        ("events.k8s.io/v1", "v1") => rename(fields, EVENT_NAMES.iter().map(|(a, b)| (*b, *a))),
        ("autoscaling/v1", "autoscaling/v2") => to_metrics(fields),
        ("autoscaling/v2", "autoscaling/v1") => from_metrics(fields),
        _ => {}
    }
    fields.insert("apiVersion".into(), to.into());
    object
}

fn rename<'a>(fields: &mut Map<String, Value>, names: impl Iterator<Item = (&'a str, &'a str)>) {
    for (from, to) in names {
        if let Some(found) = fields.shift_remove(from) {
            fields.insert(to.into(), found);
        }
    }
}

/// An autoscaler of version 1 knows one metric: the part of the CPU that is used.
fn to_metrics(fields: &mut Map<String, Value>) {
    let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if let Some(percent) = spec.shift_remove("targetCPUUtilizationPercentage").filter(|percent| !percent.is_null()) {
        let target = serde_json::json!({"type": "Utilization", "averageUtilization": percent});
        let metric = serde_json::json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        spec.insert("metrics".into(), Value::Array(vec![metric]));
    }
    if let Some(status) = fields.get_mut("status").and_then(Value::as_object_mut) {
        status.shift_remove("currentCPUUtilizationPercentage");
    }
}

fn from_metrics(fields: &mut Map<String, Value>) {
    let cpu = |metric: &Value| {
        let resource = metric.get("resource").filter(|resource| resource["name"] == "cpu")?;
        resource["target"].get("averageUtilization").or_else(|| resource["current"].get("averageUtilization")).cloned()
    };
    for (part, many, one) in [
        ("spec", "metrics", "targetCPUUtilizationPercentage"),
        ("status", "currentMetrics", "currentCPUUtilizationPercentage"),
    ] {
        let Some(part) = fields.get_mut(part).and_then(Value::as_object_mut) else { continue };
        let metrics = part.shift_remove(many);
        if let Some(percent) = metrics.as_ref().and_then(Value::as_array).into_iter().flatten().find_map(cpu) {
            part.insert(one.into(), percent);
        }
        part.shift_remove("behavior");
        part.shift_remove("conditions");
    }
}
