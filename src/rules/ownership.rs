//! Whether an object is provably as wanted, from the fields that the API server says are ours.
//!
//! A server-side apply changes nothing when our entry in `metadata.managedFields` lists exactly the fields of the
//! manifest and every one of them has the manifest's value. The format of the list is that of
//! sigs.k8s.io/structured-merge-diff, `fieldpath/serialize.go`.

use serde_json::{Map, Value};

use crate::model::FIELD_MANAGER;

/// The fields of an object that are never in the list, or are looked at by themselves.
const ROOT: [&str; 3] = ["apiVersion", "kind", "metadata"];
/// The fields of the metadata that identify an object; they are never in the list.
const IDENTITY: [&str; 2] = ["name", "namespace"];

/// Whether applying `desired` to `live` would provably change nothing. False is no proof of a difference: the server
/// may have normalised a value.
pub fn is_as_wanted(desired: &Value, live: &Value) -> bool {
    let Some(owned) = fields_of(live, FIELD_MANAGER, "Apply") else { return false };
    let (Value::Object(desired), Value::Object(live)) = (desired, live) else { return false };
    let nothing = Map::new();
    let [metadata, owned_metadata, live_metadata] = [(desired, "metadata"), (owned, "f:metadata"), (live, "metadata")]
        .map(|(fields, key)| fields.get(key).and_then(Value::as_object).unwrap_or(&nothing));
    map_matches(metadata, owned_metadata, live_metadata, &IDENTITY) && map_matches(desired, owned, live, &ROOT)
}

/// The field set of a manager's entry for the main resource.
pub fn fields_of<'v>(live: &'v Value, manager: &str, operation: &str) -> Option<&'v Map<String, Value>> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    let ours = |entry: &&Value| {
        entry["manager"] == manager && entry["operation"] == operation && entry.get("subresource").is_none()
    };
    entries.iter().find(ours)?["fieldsV1"].as_object()
}

fn matches(desired: &Value, owned: &Value, live: &Value) -> bool {
    let Value::Object(owned) = owned else { return false };
    if owned.keys().all(|key| key == ".") {
        return desired == live;
    }
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => map_matches(desired, owned, live, &[]),
        (Value::Array(desired), Value::Array(live)) => list_matches(desired, owned, live),
        _ => false,
    }
}

/// Whether exactly the fields of `desired` are owned, and have its values; `passed_over` are not looked at.
fn map_matches(
    desired: &Map<String, Value>,
    owned: &Map<String, Value>,
    live: &Map<String, Value>,
    passed_over: &[&str],
) -> bool {
    let wanted = desired.keys().filter(|key| !passed_over.contains(&key.as_str())).count();
    let mut listed = 0;
    owned.iter().filter(|(key, _)| *key != ".").all(|(key, owned)| {
        let Some(key) = key.strip_prefix("f:") else { return false };
        if passed_over.contains(&key) {
            return true;
        }
        listed += 1;
        desired.get(key).zip(live.get(key)).is_some_and(|(wanted, live)| matches(wanted, owned, live))
    }) && listed == wanted
}

/// A list is owned item by item: by the keys of each item (`k:{"name":"api"}`), or by value (`v:"finalizer"`).
fn list_matches(desired: &[Value], owned: &Map<String, Value>, live: &[Value]) -> bool {
    let items: Vec<(&String, &Value)> = owned.iter().filter(|(key, _)| *key != ".").collect();
    let places: Option<Vec<(usize, usize)>> = items
        .iter()
        .map(|(key, owned)| match key.split_once(':')? {
            ("v", value) => {
                let value: Value = serde_json::from_str(value).ok()?;
                let place = |list: &[Value]| list.iter().position(|item| *item == value);
                Some((place(desired)?, place(live)?))
            }
            ("k", keys) => item_matches(desired, &serde_json::from_str(keys).ok()?, owned, live),
            _ => None,
        })
        .collect();
    let Some(mut places) = places.filter(|places| places.len() == desired.len()) else { return false };
    // An apply puts the items into the manifest's order.
    places.sort_unstable();
    places.windows(2).all(|pair| matches!(pair, [(_, first), (_, second)] if first < second))
}

/// Where the item with these keys is in both lists, when it is as wanted.
fn item_matches(desired: &[Value], keys: &Map<String, Value>, owned: &Value, live: &[Value]) -> Option<(usize, usize)> {
    let is_it = |item: &Value| keys.iter().all(|(key, value)| item.get(key) == Some(value));
    let (at_live, live) = live.iter().enumerate().find(|(_, item)| is_it(item))?;
    // A key may be left out of the manifest where it has a default, as a port's protocol has.
    let named = |item: &Value| keys.iter().all(|(key, value)| item.get(key).is_none_or(|wanted| wanted == value));
    let mut candidates = desired.iter().enumerate().filter(|(_, item)| named(item));
    let ((at_desired, wanted), None) = (candidates.next()?, candidates.next()) else { return None };
    matches(wanted, owned, live).then_some((at_desired, at_live))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "api", "namespace": "shop", "labels": {"app": "api"}, "finalizers": ["a/b"],
                "managedFields": [{
                    "manager": "kubectl-evolve", "operation": "Apply",
                    "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {"v:\"a/b\"": {}}},
                        "f:spec": {
                            "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:targetPort": {}}},
                            "f:selector": {}
                        }
                    }
                }]
            },
            "spec": {
                "clusterIP": "10.0.0.1", "selector": {"app": "api"},
                "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8001}]
            }
        })
    }

    fn desired() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "api", "namespace": "shop", "labels": {"app": "api"}, "finalizers": ["a/b"]},
            "spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": 8001}]}
        })
    }

    #[test]
    fn what_is_owned_with_the_same_value_is_as_wanted() {
        assert!(is_as_wanted(&desired(), &live()));
    }

    #[test]
    fn every_difference_is_seen() {
        let change = |pointer: &str, value: Value| {
            let mut desired = desired();
            *desired.pointer_mut(pointer).unwrap() = value;
            desired
        };
        for changed in [
            change("/metadata/labels/app", json!("web")),
            change("/metadata/labels", json!({"app": "api", "tier": "back"})),
            change("/metadata/labels", json!({})),
            change("/metadata/finalizers", json!([])),
            change("/metadata/finalizers", json!(["c/d"])),
            change("/spec/selector", json!({"app": "api", "tier": "back"})),
            change("/spec/ports/0/targetPort", json!(8002)),
            change("/spec/ports", json!([{"port": 80}])),
            change("/metadata/finalizers", json!(["a/b", "c/d"])),
            change("/spec/ports", json!([{"port": 80, "targetPort": 8001}, {"port": 81, "targetPort": 8001}])),
            change("/spec/ports", json!([{"port": 80, "protocol": "UDP", "targetPort": 8001}])),
            change("/spec", json!({"selector": {"app": "api"}})),
        ] {
            assert!(!is_as_wanted(&changed, &live()), "{changed}");
        }
    }

    #[test]
    fn a_drift_of_the_live_object_is_seen() {
        let mut drifted = live();
        drifted["spec"]["ports"][0]["targetPort"] = json!(9);
        assert!(!is_as_wanted(&desired(), &drifted));
        let mut unowned = live();
        unowned["metadata"]["managedFields"][0]["manager"] = json!("kubectl");
        assert!(!is_as_wanted(&desired(), &unowned));
    }
}
