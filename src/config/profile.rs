//! A profile laid over the file's settings, and where each setting came from.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    check::below,
    document::{Entry, Node, Value},
};
use crate::{error::Place, model::SettingOrigin};

/// The origin of each single value, by its path: `deploy.timeout`, `manifests[0]`. What is not there is a default.
pub type Origins = BTreeMap<String, SettingOrigin>;

/// Lays a profile over the base: maps merge, lists and single values replace, nothing removes.
pub(super) fn merge(base: Node, over: Node) -> Node {
    let position = base.position;
    let (Value::Map(mut entries), Value::Map(over_entries)) = (base.value, over.value.clone()) else { return over };
    for Entry { key, position, value } in over_entries {
        match entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => {
                let below = std::mem::replace(&mut entry.value, Node { position, value: Value::Null });
                entry.value = merge(below, value);
            }
            None => entries.push(Entry { key, position, value }),
        }
    }
    Node { position, value: Value::Map(entries) }
}

/// The origins of the values of a merged tree, given the profile that was laid over it.
pub(super) fn origins(file: &str, merged: &Node, profile: Option<(&str, &Node)>) -> Origins {
    let mut overridden = BTreeMap::new();
    if let Some((_, node)) = profile {
        places(file, node, "", &mut overridden);
    }
    let mut found = BTreeMap::new();
    places(file, merged, "", &mut found);
    let origin = |path: &String, place: Place| match profile {
        Some((name, _)) if overridden.contains_key(path) => SettingOrigin::Profile { profile: name.to_owned(), place },
        _ => SettingOrigin::File { place },
    };
    found.into_iter().map(|(path, place)| (path.clone(), origin(&path, place))).collect()
}

/// The place of each single value of a tree, by its path.
fn places(file: &str, node: &Node, path: &str, into: &mut BTreeMap<String, Place>) {
    match &node.value {
        Value::Null => {}
        Value::Map(entries) => {
            entries.iter().for_each(|entry| places(file, &entry.value, &below(path, &entry.key), into));
        }
        Value::List(items) => {
            let indexed = items.iter().enumerate();
            indexed.for_each(|(index, item)| places(file, item, &format!("{path}[{index}]"), into));
        }
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            into.insert(path.to_owned(), node.position.of(file));
        }
    }
}

/// The single values of resolved settings with their paths, as [`Origins`] has them.
pub fn leaves(settings: &Json) -> Vec<(String, &Json)> {
    let mut found = Vec::new();
    collect(settings, String::new(), &mut found);
    found
}

fn collect<'a>(value: &'a Json, path: String, found: &mut Vec<(String, &'a Json)>) {
    match value {
        Json::Object(entries) => entries.iter().for_each(|(key, value)| collect(value, below(&path, key), found)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, format!("{path}[{index}]"), found));
        }
        _ => found.push((path, value)),
    }
}
