//! The fields in which two states of an object differ, with the values of secrets masked.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::FieldChange;

/// Metadata that the server writes; it says nothing about what is wanted.
const SERVER_METADATA: [&str; 7] =
    ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink", "deletionTimestamp"];
/// What kubectl's client-side apply keeps; it repeats the whole object.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Fields by which the items of a list are told apart, the first that all items have.
const KEYS: [&str; 6] = ["name", "containerPort", "mountPath", "port", "ip", "key"];
/// Shown in place of a secret value.
pub const MASK: &str = "***";

/// What an object means: without status and without what the server writes about it.
pub fn meaning(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !SERVER_METADATA.contains(&key.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    object
}

/// A digest of what an object means, to tell whether it has changed.
///
/// That of a Secret says only which version of it was seen: a digest of its values would let short ones be guessed.
pub fn digest(object: &Value) -> String {
    let mut hasher = Sha256::new();
    if object["kind"] == "Secret" {
        let metadata = &object["metadata"];
        hash(&Value::from(vec![metadata["uid"].clone(), metadata["resourceVersion"].clone()]), &mut hasher);
    } else {
        hash(&meaning(object), &mut hasher);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes a value whatever the order of its keys.
fn hash(value: &Value, hasher: &mut Sha256) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            hasher.update(format!("{{{}", keys.len()));
            for key in keys {
                hasher.update(format!("{}:{key}", key.len()));
                hash(&fields[key], hasher);
            }
        }
        Value::Array(items) => {
            hasher.update(format!("[{}", items.len()));
            items.iter().for_each(|item| hash(item, hasher));
        }
        scalar => {
            let text = scalar.to_string();
            hasher.update(format!("{}:{text}", text.len()));
        }
    }
}

/// The fields that differ between two states of an object, in the order of the fields.
pub fn changes(old: &Value, new: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare("", &meaning(old), &meaning(new), &mut changes);
    if new["kind"] == "Secret" || old["kind"] == "Secret" {
        changes.iter_mut().for_each(mask);
    }
    changes
}

/// Whether a field of a Secret holds its values.
fn is_secret_field(path: &str) -> bool {
    path.starts_with("data") || path.starts_with("stringData")
}

/// The values of a Secret differ visibly and are never seen. The mask says nothing of the values' lengths.
fn mask(change: &mut FieldChange) {
    if !is_secret_field(&change.path) {
        return;
    }
    let (old, new) = (change.old.is_some(), change.new.is_some());
    change.old = old.then(|| format!("{MASK} (old)").into());
    change.new = new.then(|| format!("{MASK} (new)").into());
}

/// An object with the values of a Secret replaced, for every view.
pub fn masked(object: &Value) -> Value {
    let mut object = object.clone();
    if object["kind"] == "Secret" {
        for field in ["data", "stringData"] {
            if let Some(values) = object.get_mut(field).and_then(Value::as_object_mut) {
                values.values_mut().for_each(|value| *value = MASK.into());
            }
        }
        if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    object
}

fn compare(path: &str, old: &Value, new: &Value, changes: &mut Vec<FieldChange>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => compare_maps(path, old, new, changes),
        (Value::Array(old), Value::Array(new)) => compare_lists(path, old, new, changes),
        _ if old == new => {}
        _ => changes.push(FieldChange { path: path.into(), old: Some(old.clone()), new: Some(new.clone()) }),
    }
}

fn compare_maps(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, changes: &mut Vec<FieldChange>) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let path = join(path, key);
        pair(&path, old.get(key), new.get(key), changes);
    }
}

/// Items are paired by their key where they have one, else by position.
fn compare_lists(path: &str, old: &[Value], new: &[Value], changes: &mut Vec<FieldChange>) {
    let Some(key) = KEYS.into_iter().find(|key| is_key(key, old) && is_key(key, new)) else {
        for index in 0..old.len().max(new.len()) {
            pair(&format!("{path}[{index}]"), old.get(index), new.get(index), changes);
        }
        return;
    };
    let named = |items: &'_ [Value], name: &Value| items.iter().find(|item| item[key] == *name).cloned();
    let order = |items: &[Value], others: &[Value]| -> Vec<Value> {
        items.iter().map(|item| item[key].clone()).filter(|name| named(others, name).is_some()).collect()
    };
    let (old_order, new_order) = (order(old, new), order(new, old));
    if old_order != new_order {
        let path = format!("{path} (order)");
        changes.push(FieldChange { path, old: Some(old_order.into()), new: Some(new_order.into()) });
    }
    let added = new.iter().filter(|item| named(old, &item[key]).is_none());
    for item in old.iter().chain(added) {
        let name = &item[key];
        let shown = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
        let path = format!("{path}[{key}={shown}]");
        pair(&path, named(old, name).as_ref(), named(new, name).as_ref(), changes);
    }
}

fn pair(path: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<FieldChange>) {
    match (old, new) {
        (Some(old), Some(new)) => compare(path, old, new, changes),
        (old, new) => changes.push(FieldChange { path: path.into(), old: old.cloned(), new: new.cloned() }),
    }
}

/// Whether every item has a scalar under the key, each another one.
fn is_key(key: &str, items: &[Value]) -> bool {
    let mut seen: Vec<&Value> = Vec::with_capacity(items.len());
    items.iter().all(|item| {
        let name = item.get(key).filter(|name| name.is_string() || name.is_number());
        name.is_some_and(|name| {
            let first = !seen.contains(&name);
            seen.push(name);
            first
        })
    })
}

fn join(path: &str, key: &str) -> String {
    if key.contains(['.', '/', '[', '"']) {
        format!("{path}[{key:?}]")
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_named_as_a_person_would() {
        let old = json!({"spec": {"containers": [{"name": "api", "image": "api:1"}, {"name": "log"}], "x": 1}});
        let new = json!({"spec": {"containers": [{"name": "log"}, {"name": "api", "image": "api:2"}], "y": [1]}});
        let changes: Vec<String> = changes(&old, &new).into_iter().map(|change| change.path).collect();
        let expected = ["spec.containers (order)", "spec.containers[name=api].image", "spec.x", "spec.y"];
        assert_eq!(changes, expected);
    }

    #[test]
    fn what_the_server_writes_is_no_change() {
        let old = json!({"metadata": {"name": "a", "resourceVersion": "1", "uid": "x"}, "status": {"ready": 1}});
        let new = json!({"metadata": {"name": "a", "resourceVersion": "2", "annotations": {LAST_APPLIED: "{}"}}});
        assert_eq!(changes(&old, &new), []);
        assert_eq!(digest(&old), digest(&new));
    }

    #[test]
    fn a_secret_changes_without_being_seen() {
        let old = json!({"kind": "Secret", "data": {"password": "b2xkb2xk", "gone": "eA=="}});
        let new = json!({"kind": "Secret", "data": {"password": "bmV3bmV3"}});
        let text = serde_json::to_string(&changes(&old, &new)).unwrap();
        assert!(text.contains("data.password") && text.contains("data.gone") && text.contains(MASK));
        assert!(!text.contains("b2xk") && !text.contains("bmV3") && !text.contains("eA=="), "{text}");
        let whole = serde_json::to_string(&changes(&json!({}), &new)).unwrap();
        assert!(!whole.contains("bmV3"), "{whole}");
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_keys() {
        assert_eq!(digest(&json!({"a": 1, "b": [2]})), digest(&json!({"b": [2], "a": 1})));
        assert_ne!(digest(&json!({"a": [1, 2]})), digest(&json!({"a": [[1], 2]})));
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        fn value() -> impl Strategy<Value = Value> {
            let scalar = prop_oneof![
                any::<bool>().prop_map(Value::from),
                (0..3).prop_map(Value::from),
                "[ab]{0,2}".prop_map(Value::from)
            ];
            scalar.prop_recursive(3, 24, 4, |inner| {
                prop_oneof![
                    prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                    prop::collection::btree_map("(name|a|b|x/y)", inner, 0..4)
                        .prop_map(|map| Value::Object(map.into_iter().collect())),
                ]
            })
        }

        proptest! {
            #[test]
            fn equal_objects_have_no_changes_and_others_have_some(old in value(), new in value()) {
                let (old, new) = (json!({"spec": old}), json!({"spec": new}));
                prop_assert!(changes(&old, &old).is_empty());
                prop_assert_eq!(changes(&old, &new).is_empty(), old == new);
            }
        }
    }
}
