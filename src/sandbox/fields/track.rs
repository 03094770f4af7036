//! Who owns what after a create, an update or a patch (`merge/update.go`, `managedfields/internal`).

use serde_json::{Map, Value, json};

use super::{
    compare::{Difference, compare, is_same},
    managers::{Entry, Managers, Writer, put},
    resets::{resets, unowned},
    set::Set,
    types::Types,
};
use crate::schema::{Schema, Shape, Type, Zero};

/// The new object with the `managedFields` that it gets: what changed belongs to the writer, by operation Update.
///
/// Clients may edit the entries through the object itself; `[]` and `[{}]` clear them. An object that has none gets none.
pub fn track_update(types: Types<'_>, live: Option<&Value>, mut new: Value, writer: &Writer<'_>) -> Value {
    let entries = {
        let mut given = Value::Null;
        if let Some(Value::Object(metadata)) = new.get_mut("metadata") {
            given = metadata.remove("managedFields").unwrap_or(Value::Null);
        }
        let given = json!({"metadata": {"managedFields": given}});
        let managers = given_or_live(types, live, &given, writer.subresource);
        match live {
            Some(_) if managers.entries.is_empty() => None,
            Some(live) => updated(types, live, &new, managers, writer).write(),
            None => updated(types, &empty(types), &new, managers, writer).write(),
        }
    };
    put(&mut new, entries);
    new
}

/// Writes an empty list of entries, which clears them, as the list of one empty entry, which does so too: empty lists do
/// not outlive the defaults of a kind.
pub fn keep_reset(object: &mut Value) {
    if let Some(Value::Array(entries)) = object.pointer_mut("/metadata/managedFields")
        && entries.is_empty()
    {
        entries.push(json!({}));
    }
}

/// Whether the two differ in the times of their entries at most: such a write is none.
pub fn only_times_differ(live: &Value, new: &Value) -> bool {
    let (Some(live), Some(new)) = (live.as_object(), new.as_object()) else { return live == new };
    let metadata_is_same = |live: &Map<String, Value>, new: &Map<String, Value>| {
        live.len() == new.len()
            && live.iter().all(|(key, live)| match new.get(key) {
                Some(new) if key == "managedFields" => entries_are_same(live, new),
                Some(new) => is_same(live, new),
                None => false,
            })
    };
    live.len() == new.len()
        && live.iter().all(|(key, live)| match (live, new.get(key)) {
            (Value::Object(live), Some(Value::Object(new))) if key == "metadata" => metadata_is_same(live, new),
            (live, Some(new)) => is_same(live, new),
            (_, None) => false,
        })
}

fn entries_are_same(live: &Value, new: &Value) -> bool {
    let (Value::Array(live), Value::Array(new)) = (live, new) else { return live == new };
    let timeless = |entry: &Value| {
        let mut entry = entry.clone();
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("time");
        }
        entry
    };
    // Other times may give another order.
    let new: Vec<Value> = new.iter().map(timeless).collect();
    live.len() == new.len() && live.iter().all(|entry| new.contains(&timeless(entry)))
}

/// The entries to go on from: those that the request gives, if they can be read and are any, or those of the live object.
fn given_or_live<'a>(types: Types<'a>, live: Option<&'a Value>, given: &'a Value, subresource: &str) -> Managers<'a> {
    let of_live = || live.and_then(|live| Managers::of(types, live).ok()).unwrap_or_default();
    if !subresource.is_empty() {
        return of_live();
    }
    let is_reset = given["metadata"]["managedFields"].as_array().is_some_and(|entries| match entries.as_slice() {
        [] => true,
        [only] => only.as_object().is_some_and(Map::is_empty),
        _ => false,
    });
    if is_reset {
        return Managers::default();
    }
    match Managers::of(types, given) {
        Ok(managers) if !managers.entries.is_empty() => managers,
        _ => of_live(),
    }
}

/// The entries after `writer` made `new` of `old`.
pub(super) fn updated<'a>(
    types: Types<'a>,
    old: &'a Value,
    new: &'a Value,
    mut managers: Managers<'a>,
    writer: &Writer<'a>,
) -> Managers<'a> {
    let place = types.top();
    let difference = owned_difference(types, old, new, writer.subresource);
    take_from_others(types, &mut managers, &difference);
    if difference.changed.is_empty() {
        return managers;
    }
    let mut ours = Entry::new(writer, false, difference.changed);
    match managers.entries.iter_mut().find(|entry| entry.is_same_writer(&ours)) {
        Some(before) => {
            let set = before.set(place).union(&ours.set(place));
            ours.put(set);
            *before = ours;
        }
        None => managers.entries.push(ours),
    }
    managers.cap(place);
    managers
}

/// The difference in fields that may be owned through this subresource.
pub(super) fn owned_difference<'a>(
    types: Types<'a>,
    old: &'a Value,
    new: &'a Value,
    subresource: &str,
) -> Difference<'a> {
    let (resets, unowned) = (resets(types, subresource), unowned());
    let Difference { changed, removed } = compare(types.top(), old, new);
    let kept = |set: Set<'a>| set.without(&resets).difference(unowned);
    Difference { changed: kept(changed), removed: kept(removed) }
}

/// Nobody else owns any longer what was changed or removed.
pub(super) fn take_from_others<'a>(types: Types<'a>, managers: &mut Managers<'a>, difference: &Difference<'_>) {
    if difference.changed.is_empty() && difference.removed.is_empty() {
        return;
    }
    let place = types.top();
    let lost = difference.changed.union(&difference.removed);
    managers.entries.retain_mut(|entry| {
        let set = entry.set(place).difference(&lost);
        let keep = !set.is_empty();
        entry.put(set);
        keep
    });
}

/// An object of which nothing is said yet, as Go holds it: structs and strings that are always written are there.
pub(super) fn empty(types: Types<'_>) -> Value {
    let known = types.root.filter(|_| !types.schema.is_custom()).and_then(|root| types.schema.get(root));
    known.map_or_else(|| json!({}), |known| empty_struct(types.schema, known))
}

fn empty_struct(schema: &Schema, known: &Type) -> Value {
    let fields = known.fields.iter().filter_map(|field| {
        let value = match field.zero {
            Zero::Usual | Zero::Dropped => return None,
            Zero::Null => Value::Null,
            Zero::Written => empty_value(schema, &field.shape),
        };
        Some((field.name.clone(), value))
    });
    Value::Object(fields.collect())
}

fn empty_value(schema: &Schema, shape: &Shape) -> Value {
    match shape {
        Shape::String | Shape::Bytes => json!(""),
        Shape::Boolean => json!(false),
        Shape::Int32 | Shape::Int64 | Shape::Number | Shape::IntOrString => json!(0),
        Shape::Quantity => json!("0"),
        Shape::Object(id) => schema.get(*id).map_or(Value::Null, |known| empty_struct(schema, known)),
        Shape::Any | Shape::Time | Shape::List(_) | Shape::Map(_) => Value::Null,
    }
}
