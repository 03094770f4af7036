//! Takes fields out of an object (`typed/remove.go`).

use serde_json::{Map, Value};

use super::{
    element::Element,
    set::Set,
    types::{Form, Kind, Place},
};

/// The value without the members of the set. A map or list that loses everything becomes null, which the API server
/// leaves out.
pub(super) fn remove(place: Place<'_>, value: Value, set: &Set<'_>) -> Value {
    if set.is_empty() {
        return value;
    }
    match (place.form_of(Some(&value)), value) {
        (Kind::Map, Value::Object(_)) | (Kind::List, Value::Array(_)) if place.is_atomic() => Value::Null,
        (Kind::Map, Value::Object(fields)) => map(place, fields, set),
        (Kind::List, Value::Array(items)) => match place.form {
            Form::List(_) => list(place, items, set),
            _ => Value::Null,
        },
        (_, value) => value,
    }
}

fn map(place: Place<'_>, fields: Map<String, Value>, set: &Set<'_>) -> Value {
    let mut left = Map::with_capacity(fields.len());
    for (key, value) in fields {
        let value = match set.node(&Element::field(&key)) {
            None => value,
            Some(node) if node.member => continue,
            Some(node) => remove(place.child(&key).0, value, &node.below),
        };
        left.insert(key, value);
    }
    if left.is_empty() { Value::Null } else { Value::Object(left) }
}

fn list(place: Place<'_>, items: Vec<Value>, set: &Set<'_>) -> Value {
    let Form::List(form) = place.form else { return Value::Array(items) };
    let mut left = Vec::with_capacity(items.len());
    for item in items {
        let node = Element::of_item(form, place, &item).ok().and_then(|element| set.node(&element));
        match node {
            None => left.push(item),
            Some(node) if node.member => {}
            Some(node) => left.push(remove(place.item(), item, &node.below)),
        }
    }
    if left.is_empty() { Value::Null } else { Value::Array(left) }
}
