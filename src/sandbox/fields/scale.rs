//! Who owns the replicas of an object, seen through its `Scale` (`managedfields/scalehandler.go`).

use std::borrow::Cow;

use serde_json::Value;

use super::{element::Element, managers::Managers, set::Set, types::Types};
use crate::schema::builtin;

/// The version of `Scale`, whatever the version of the object is.
pub const SCALE: &str = "autoscaling/v1";

/// The types of `Scale`.
pub fn scale_types() -> Types<'static> {
    let schema = builtin();
    Types { schema, root: schema.view(SCALE, "Scale").map(|view| view.root), kind: "Scale", has_status: false }
}

/// The `managedFields` that the `Scale` of an object has: the entries that own the replicas, which are at `path`.
pub fn entries_of_scale(types: Types<'_>, object: &Value, path: &[&str]) -> Option<Value> {
    let mut managers = Managers::of(types, object).unwrap_or_default();
    let place = types.top();
    managers.entries.retain_mut(|entry| {
        let owns = has(&entry.set(place), path);
        entry.put(Set::path(&["spec", "replicas"]));
        entry.api_version = Cow::Borrowed(SCALE);
        owns
    });
    managers.write()
}

/// The `managedFields` of an object after its `Scale` was written: whoever owns the replicas there owns them here, and
/// nobody else does. Entries that come from the `Scale` have no time, as in the real server.
pub fn entries_after_scale(types: Types<'_>, object: &Value, scale: &Value, path: &[&str]) -> Option<Value> {
    let place = types.top();
    let mut managers = Managers::of(types, object).unwrap_or_default();
    let mut owners = Managers::of(scale_types(), scale).unwrap_or_default();
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let replicas = Set::path(path);
    managers.entries.retain_mut(|entry| {
        let set = entry.set(place).into_owned();
        if !has(&set, path) {
            return true;
        }
        // One who updates is known by the version too, so that only those who apply are found again.
        if let Some(at) = owners.entries.iter().position(|owner| owner.is_same_writer(entry)) {
            owners.entries.remove(at);
            return true;
        }
        let left = set.difference(&replicas);
        let keeps = !left.is_empty();
        entry.put(left);
        keeps
    });
    for mut owner in owners.entries {
        if !has(&owner.set(scale_types().top()), &["spec", "replicas"]) {
            continue;
        }
        owner.put(replicas.clone());
        owner.time = None;
        owner.api_version = Cow::Borrowed(api_version);
        managers.entries.push(owner);
    }
    managers.write()
}

/// Whether the set has the field at this path.
fn has(set: &Set<'_>, path: &[&str]) -> bool {
    let node = |name: &str| set.nodes().iter().find(|node| node.element == Element::field(name));
    match path {
        [] => false,
        [name] => node(name).is_some_and(|node| node.member),
        [name, rest @ ..] => node(name).is_some_and(|node| has(&node.below, rest)),
    }
}
