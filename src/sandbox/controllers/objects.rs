//! Parts of objects that several controllers read and write.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::action::safe_encode;
use crate::rules::fields::{list, text};

/// A time as objects carry it: in whole seconds.
pub fn time(at: Timestamp) -> Value {
    let seconds = Timestamp::from_second(at.as_second()).unwrap_or(at);
    Value::String(seconds.to_string())
}

/// A time of events: in millionths of a second.
pub fn micro_time(at: Timestamp) -> Value {
    Value::String(at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
}

/// The time at a pointer.
pub fn read_time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// So many seconds later.
pub fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub fn is_deleted(object: &Value) -> bool {
    object["metadata"].get("deletionTimestamp").is_some()
}

/// The reference that makes an owner the controller of what it creates.
pub fn owner_reference(owner: &Value) -> Value {
    json!({"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true})
}

/// A pod from the template of its controller, without a name.
pub fn pod_of(owner: &Value, template: &Value) -> Value {
    let mut metadata = Map::new();
    metadata.insert("namespace".into(), owner["metadata"]["namespace"].clone());
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template["metadata"].get(field).filter(|value| !value.is_null()) {
            metadata.insert(field.into(), value.clone());
        }
    }
    metadata.insert("ownerReferences".into(), json!([owner_reference(owner)]));
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// JSON with the keys of every object in order, as Go writes maps.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut entries: Vec<(&String, &Value)> = fields.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// The hash of a pod template for labels and names. It is not the real one's, which is of Go's memory layout.
pub fn template_hash(template: &Value, collisions: Option<i64>) -> String {
    let mut bytes = sorted(template).to_string().into_bytes();
    bytes.extend(collisions.map(|count| count.to_string()).unwrap_or_default().bytes());
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    safe_encode(&hash.to_string())
}

/// Whether two templates make the same pods, apart from the label of the hash.
pub fn same_template(one: &Value, other: &Value) -> bool {
    let plain = |template: &Value| {
        let mut template = template.clone();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.shift_remove("pod-template-hash");
        }
        template
    };
    plain(one) == plain(other)
}

/// Sets a condition of `status.conditions`; the time of its last transition stays where its status does.
pub fn set_condition(status: &mut Value, mut condition: Value) {
    let conditions = list(status, "/conditions");
    let at = conditions.iter().position(|found| found["type"] == condition["type"]);
    if let Some(found) = at.and_then(|at| conditions.get(at))
        && found["status"] == condition["status"]
        && !found["lastTransitionTime"].is_null()
    {
        condition["lastTransitionTime"] = found["lastTransitionTime"].clone();
    }
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    if let Some(conditions) = status["conditions"].as_array_mut() {
        match at {
            Some(at) => conditions[at] = condition,
            None => conditions.push(condition),
        }
    }
}

/// Removes a condition.
pub fn remove_condition(status: &mut Value, kind: &str) {
    if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        conditions.retain(|condition| condition["type"] != kind);
    }
}

/// Leaves out of a status the counts that are zero, as the API writes it.
pub fn without_zeros(mut status: Value) -> Value {
    if let Some(fields) = status.as_object_mut() {
        fields.retain(|_, value| value.as_i64() != Some(0) && !value.is_null());
    }
    status
}

/// Sets or removes an annotation or label.
pub fn set_text(object: &mut Value, field: &str, key: &str, value: &str) {
    if !object["metadata"][field].is_object() {
        object["metadata"][field] = json!({});
    }
    object["metadata"][field][key] = json!(value);
}

pub fn annotation<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    object["metadata"]["annotations"].get(key).and_then(Value::as_str)
}

/// Removes a finalizer; says whether it was there.
pub fn remove_finalizer(object: &mut Value, name: &str) -> bool {
    let Some(finalizers) = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) else {
        return false;
    };
    let before = finalizers.len();
    finalizers.retain(|finalizer| finalizer != name);
    finalizers.len() != before
}
