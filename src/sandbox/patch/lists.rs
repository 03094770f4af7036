//! Lists of strategic merge patches: merged by key or by value, and put in order.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{
    PatchFailure,
    strategic::{DIRECTIVE, Strategy, merge_map, unknown_directive, without_directives},
};
use crate::sandbox::go;

/// Merges a list of a patch into the live one.
pub(super) fn merge(
    original: Vec<Value>,
    patch: Vec<Value>,
    strategy: Strategy<'_>,
) -> Result<Vec<Value>, PatchFailure> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let key = if are_maps(&original, &patch)? { strategy.key } else { "" };
    let (merged, before, patch) = if are_maps(&original, &patch)? {
        if key.is_empty() {
            let name = strategy.scope.name();
            return Err(PatchFailure::Failed(format!("cannot merge lists without merge key for {name}")));
        }
        let (original, patch) = obey_directives(original, patch, key)?;
        let before = original.clone();
        (merge_items(original, &patch, strategy)?, before, patch)
    } else {
        let mut seen = HashSet::new();
        let all = original.iter().chain(&patch);
        let merged = all.filter(|item| seen.insert(item.to_string())).cloned().collect();
        (merged, original, patch)
    };
    arrange(merged, &patch, &patch, &before, key)
}

/// The list of a key that `$setElementOrder` names; None where there is none.
pub(super) fn in_order(
    live: Option<Vec<Value>>,
    given: Option<Vec<Value>>,
    order: &[Value],
    strategy: Strategy<'_>,
) -> Result<Option<Vec<Value>>, PatchFailure> {
    check_order(given.as_deref().unwrap_or_default(), order, strategy.key)?;
    let before = live.clone().unwrap_or_default();
    let merged = match (live, given) {
        (None, None) => return Ok(None),
        (Some(live), None) => live,
        (None, Some(given)) => given.into_iter().filter_map(without_directives).collect(),
        (Some(live), Some(given)) if strategy.is_merged => merge(live, given, strategy)?,
        (Some(_), Some(given)) => given,
    };
    arrange(merged, order, order, &before, strategy.key).map(Some)
}

/// Items in the order of the directive: those of the patch must be in it, in the same order.
fn check_order(patch: &[Value], order: &[Value], key: &str) -> Result<(), PatchFailure> {
    if order.is_empty() || patch.is_empty() {
        return Ok(());
    }
    let mut left = order.iter();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let named = name(item, key)?;
        let mut found = false;
        for other in left.by_ref() {
            if name(other, key)? == named {
                found = true;
                break;
            }
        }
        if !found {
            let (patch, order) = (Value::from(patch), Value::from(order));
            return Err(PatchFailure::Failed(format!(
                "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                go::plain(&patch),
                go::plain(&order)
            )));
        }
    }
    Ok(())
}

/// Whether the items are maps; all have to be of one type.
fn are_maps(original: &[Value], patch: &[Value]) -> Result<bool, PatchFailure> {
    let mut types = original.iter().chain(patch).map(go::type_name);
    let Some(first) = types.next() else { return Ok(false) };
    if first == "[]interface {}" {
        return Err(PatchFailure::Unprocessable("lists of lists are not supported".into()));
    }
    if types.any(|other| other != first) {
        let lists = [Value::from(original), Value::from(patch)].iter().map(go::plain).collect::<Vec<_>>().join(" ");
        return Err(PatchFailure::Failed(format!("list element types are not identical: [{lists}]")));
    }
    Ok(first == "map[string]interface {}")
}

/// What identifies an item: the value of its key, or the scalar itself.
fn name(item: &Value, key: &str) -> Result<String, PatchFailure> {
    if key.is_empty() {
        return Ok(item.to_string());
    }
    let Value::Object(fields) = item else {
        let found = go::type_name(item);
        return Err(PatchFailure::Failed(format!("expected a map[string]interface {{}}, but received a {found}")));
    };
    fields.get(key).map(Value::to_string).ok_or_else(|| no_key(item, key))
}

fn no_key(item: &Value, key: &str) -> PatchFailure {
    PatchFailure::Failed(format!("map: {} does not contain declared merge key: {key}", go::plain(item)))
}

/// Carries out `$patch: delete` and `$patch: replace` of items; gives the live items left and the patch's plain ones.
fn obey_directives(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchFailure> {
    let mut plain = Vec::with_capacity(patch.len());
    let mut replace = false;
    for item in patch {
        let directive = item.get(DIRECTIVE).cloned();
        match directive.as_ref().map(Value::as_str) {
            None => plain.push(item),
            Some(Some("delete")) => {
                let gone = item.get(key).ok_or_else(|| no_key(&item, key))?;
                original.retain(|item| item.get(key) != Some(gone));
            }
            Some(Some("replace")) => replace = true,
            Some(Some("merge")) => {
                return Err(PatchFailure::Failed("merging lists cannot yet be specified in the patch".into()));
            }
            Some(_) => {
                let fields = item.as_object().cloned().unwrap_or_else(Map::new);
                return Err(unknown_directive(directive.unwrap_or_default(), fields));
            }
        }
    }
    Ok(if replace { (plain, Vec::new()) } else { (original, plain) })
}

fn merge_items(mut original: Vec<Value>, patch: &[Value], strategy: Strategy<'_>) -> Result<Vec<Value>, PatchFailure> {
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, item) in original.iter().enumerate() {
        if let Some(value) = item.get(strategy.key) {
            places.entry(value.to_string()).or_insert(place);
        }
    }
    for item in patch {
        let named = name(item, strategy.key)?;
        let slot = places.get(&named).and_then(|place| original.get_mut(*place));
        match (slot, item) {
            (Some(slot), Value::Object(fields)) => {
                let before = slot.as_object().cloned().unwrap_or_else(Map::new);
                *slot = Value::Object(merge_map(before, fields.clone(), strategy.scope)?);
            }
            _ => {
                places.insert(named, original.len());
                original.push(item.clone());
            }
        }
    }
    Ok(original)
}

/// Items that `known` names in `order`, those of the live list alone between them where they were.
fn arrange(
    merged: Vec<Value>,
    known: &[Value],
    order: &[Value],
    before: &[Value],
    key: &str,
) -> Result<Vec<Value>, PatchFailure> {
    let place_in = |list: &[Value]| {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, item) in list.iter().enumerate() {
            let named = if key.is_empty() { Some(item) } else { item.get(key) };
            if let Some(named) = named {
                places.entry(named.to_string()).or_insert(place);
            }
        }
        places
    };
    let (known, order, before) = (place_in(known), place_in(order), place_in(before));
    let mut named = Vec::with_capacity(merged.len());
    for item in merged {
        named.push((name(&item, key)?, item));
    }
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = named.into_iter().partition(|(name, _)| known.contains_key(name));
    ours.sort_by_key(|(name, _)| order.get(name).copied());
    theirs.sort_by_key(|(name, _)| before.get(name).copied());
    let mut out = Vec::with_capacity(ours.len() + theirs.len());
    let (mut ours, mut theirs) = (ours.into_iter().peekable(), theirs.into_iter().peekable());
    loop {
        let is_theirs = match (theirs.peek(), ours.peek()) {
            (None, None) => return Ok(out),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some((theirs, _)), Some((ours, _))) => {
                before.get(theirs).zip(before.get(ours)).is_some_and(|(theirs, ours)| theirs < ours)
            }
        };
        out.extend(if is_theirs { theirs.next() } else { ours.next() }.map(|(_, item)| item));
    }
}
