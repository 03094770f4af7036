//! Taking over the fields that kubectl's own apply owns, so that none is lost and none stays behind.
//!
//! Follows k8s.io/client-go/util/csaupgrade: the field sets of the old managers are joined with ours. A field that the
//! manifest no longer has is then removed by the next apply, as `kubectl apply` would have removed it.

use serde_json::{Map, Value, json};

use super::{autoscaling::released, difference::LAST_APPLIED};
use crate::model::FIELD_MANAGER;

/// The managers whose fields are taken over, with the operation under which they own them.
const MIGRATED: [(&str, &str); 2] = [("kubectl-client-side-apply", "Update"), ("kubectl", "Apply")];

/// Whether the server's words for a conflict mean an entry that is taken over. An entry of an Update says `using` and
/// its version; one of `kubectl scale` says `with subresource`.
pub fn is_migrated_conflict(message: &str) -> bool {
    let manager = message.split('"').nth(1).unwrap_or_default();
    let operation = if message.contains(" using ") { "Update" } else { "Apply" };
    !message.contains("with subresource") && MIGRATED.contains(&(manager, operation))
}

fn is_migrated_entry(entry: &Value) -> bool {
    let is = |(manager, operation): &(&str, &str)| entry["manager"] == *manager && entry["operation"] == *operation;
    MIGRATED.iter().any(is) && entry.get("subresource").is_none()
}

/// The object's `managedFields` after the take-over; None when there is nothing to take over.
pub fn migrated(live: &Value) -> Option<Value> {
    reassigned(live, FIELD_MANAGER, is_migrated_entry)
}

/// The JSON patch that takes the fields over, and gives the number of replicas up where an autoscaler owns it; refused
/// when the object has changed since it was read. None when there is nothing to do.
pub fn patch(live: &Value, gives_up_replicas: bool) -> Option<Value> {
    let fields = match (migrated(live), gives_up_replicas) {
        (fields, false) => fields?,
        (fields, true) => released(fields.unwrap_or_else(|| live["metadata"]["managedFields"].clone())),
    };
    Some(as_patch(live, fields))
}

/// The JSON patch that gives our fields to another manager, as if it had applied them; None when we own none.
pub fn given_away(live: &Value, manager: &str) -> Option<Value> {
    let ours = |entry: &Value| {
        entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply" && entry.get("subresource").is_none()
    };
    Some(as_patch(live, reassigned(live, manager, ours)?))
}

fn as_patch(live: &Value, fields: Value) -> Value {
    json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": fields},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ])
}

/// The `managedFields` with the entries that `is_old` names joined into what `manager` has applied.
fn reassigned(live: &Value, manager: &str, is_old: impl Fn(&Value) -> bool) -> Option<Value> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    let (old, mut others): (Vec<&Value>, Vec<&Value>) = entries.iter().partition(|entry| is_old(entry));
    let first = old.first()?;
    let theirs = |entry: &&Value| entry["manager"] == manager && entry["operation"] == "Apply";
    let position = others.iter().position(|entry| theirs(entry) && entry.get("subresource").is_none());
    let own = position.map(|position| others.remove(position));
    let mut joined = Map::new();
    for entry in old.iter().copied().chain(own) {
        if let Some(fields) = entry["fieldsV1"].as_object() {
            join(&mut joined, fields);
        }
    }
    let entry = json!({
        "manager": manager,
        "operation": "Apply",
        "apiVersion": own.unwrap_or(first)["apiVersion"],
        "time": first["time"],
        "fieldsType": "FieldsV1",
        "fieldsV1": joined,
    });
    Some(std::iter::once(entry).chain(others.into_iter().cloned()).collect())
}

/// What an apply of ours would leave of an object after the take-over, from the answer of a forced dry run before it:
/// the fields that only the old managers still own go.
pub fn without_leftovers(dry_run: &Value) -> Value {
    let mut object = dry_run.clone();
    let Some(entries) = dry_run["metadata"]["managedFields"].as_array() else { return object };
    let (old, others): (Vec<&Value>, Vec<&Value>) = entries.iter().partition(|entry| is_migrated_entry(entry));
    let mut kept = Map::new();
    for entry in others {
        if let Some(fields) = entry["fieldsV1"].as_object() {
            join(&mut kept, fields);
        }
    }
    let last_applied = last_applied(dry_run);
    for entry in old {
        // A client-side apply owns the defaults of what it created too; they come back when they go.
        let written = if entry["operation"] == "Update" { last_applied.as_ref() } else { Some(dry_run) };
        if let (Some(fields), Some(written)) = (entry["fieldsV1"].as_object(), written) {
            remove(&mut object, fields, &kept, written);
        }
    }
    object
}

/// What the user gave to the last client-side apply.
fn last_applied(object: &Value) -> Option<Value> {
    serde_json::from_str(object["metadata"]["annotations"][LAST_APPLIED].as_str()?).ok()
}

fn join(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, fields) in from {
        let target = into.entry(key.clone()).or_insert_with(|| json!({}));
        if let (Value::Object(target), Value::Object(fields)) = (target, fields) {
            join(target, fields);
        }
    }
}

/// Removes from `object` the owned fields that are not in `kept`, as far as they were written by the user.
fn remove(object: &mut Value, owned: &Map<String, Value>, kept: &Map<String, Value>, written: &Value) {
    for (key, below) in owned {
        let Some(written) = field(written, key) else { continue };
        match (kept.get(key), below) {
            (None, _) => remove_field(object, key),
            (Some(Value::Object(kept)), Value::Object(below)) => {
                if let Some(field) = field_mut(object, key) {
                    remove(field, below, kept, written);
                }
            }
            _ => {}
        }
    }
}

/// Whether an item of a list has these keys; one that is left out has its default.
fn is_item(item: &Value, keys: &Map<String, Value>) -> bool {
    keys.iter().all(|(key, value)| item.get(key).is_none_or(|other| other == value))
}

fn field<'v>(object: &'v Value, key: &str) -> Option<&'v Value> {
    match (key.split_once(':')?, object) {
        (("f", name), Value::Object(fields)) => fields.get(name),
        (("k", keys), Value::Array(items)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).ok()?;
            items.iter().find(|item| is_item(item, &keys))
        }
        (("v", value), Value::Array(items)) => {
            let value: Value = serde_json::from_str(value).ok()?;
            items.iter().find(|item| **item == value)
        }
        _ => None,
    }
}

fn field_mut<'v>(object: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match (key.split_once(':')?, object) {
        (("f", name), Value::Object(fields)) => fields.get_mut(name),
        (("k", keys), Value::Array(items)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).ok()?;
            items.iter_mut().find(|item| is_item(item, &keys))
        }
        _ => None,
    }
}

fn remove_field(object: &mut Value, key: &str) {
    match (key.split_once(':'), object) {
        (Some(("f", name)), Value::Object(fields)) => {
            fields.remove(name);
        }
        (Some(("k", keys)), Value::Array(items)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            items.retain(|item| !is_item(item, &keys));
        }
        (Some(("v", value)), Value::Array(items)) => {
            let value: Option<Value> = serde_json::from_str(value).ok();
            items.retain(|item| Some(item) != value.as_ref());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Value {
        json!({
            "metadata": {"resourceVersion": "7", "labels": {"a": "1", "b": "2"}, "annotations": {
                LAST_APPLIED: json!({"metadata": {"labels": {"a": "1", "b": "2"}}}).to_string()
            }, "managedFields": [
                {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1", "time": "t",
                 "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:a": {}, "f:b": {}}}, "f:data": {"f:x": {}}}},
                {"manager": "controller", "operation": "Update", "fieldsV1": {"f:status": {}}}
            ]},
            "data": {"x": "1"}
        })
    }

    #[test]
    fn the_old_managers_fields_become_ours() {
        let fields = migrated(&live()).unwrap();
        assert_eq!(fields.as_array().unwrap().len(), 2);
        assert_eq!(fields[0]["manager"], FIELD_MANAGER);
        assert_eq!(fields[0]["fieldsV1"]["f:metadata"]["f:labels"]["f:b"], json!({}));
        assert_eq!(fields[1]["manager"], "controller");
        assert_eq!(patch(&live(), false).unwrap()[1]["value"], "7");
        assert!(
            migrated(&json!({"metadata": {"managedFields": [{"manager": "helm", "operation": "Update"}]}})).is_none()
        );
    }

    #[test]
    fn fields_that_are_given_away_are_taken_over_again() {
        let live = json!({"metadata": {"resourceVersion": "7", "managedFields": [
            {"manager": "kubectl-evolve", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:a": {}}}},
            {"manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:b": {}}}},
            {"manager": "other", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:c": {}}}},
        ]}});
        let given = given_away(&live, "kubectl").unwrap();
        let fields = &given[0]["value"];
        assert_eq!(fields[0]["manager"], "kubectl");
        assert_eq!(fields[0]["fieldsV1"], json!({"f:data": {"f:a": {}, "f:b": {}}}));
        assert_eq!((fields.as_array().unwrap().len(), &fields[1]["manager"]), (2, &json!("other")));
        assert_eq!(given[1]["value"], "7", "only if nothing changed meanwhile");
        let given = json!({"metadata": {"managedFields": fields}});
        assert_eq!(given_away(&given, "kubectl"), None);
        assert_eq!(migrated(&given).unwrap()[0]["manager"], "kubectl-evolve");
    }

    #[test]
    fn what_only_the_old_manager_owns_goes() {
        let mut dry_run = live();
        dry_run["metadata"]["managedFields"].as_array_mut().unwrap().push(json!(
            {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}}}
        ));
        let left = without_leftovers(&dry_run);
        assert_eq!(left["metadata"]["labels"], json!({"a": "1"}));
        assert_eq!(left["data"], json!({"x": "1"}), "a default is not what the user wrote");
    }
}
