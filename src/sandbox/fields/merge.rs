//! Lays what is applied over what is there (`typed/merge.go`).

use serde_json::{Map, Value};

use super::{
    element::Element,
    types::{Form, Kind, ListForm, Place},
};

/// The live object with the applied one laid over it: nothing is removed; lists take the order that the applied one
/// gives. None where both are absent.
pub(super) fn merge(place: Place<'_>, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let Some(applied) = applied else { return live.cloned() };
    let Some(live) = live else { return Some(applied.clone()) };
    if place.is_atomic() || is_empty(live) && is_empty(applied) {
        return Some(applied.clone());
    }
    match (place.form_of(Some(applied)), live, applied) {
        (Kind::Map, Value::Object(live), Value::Object(applied)) => Some(map(place, live, applied)),
        (Kind::Map, Value::Object(_), Value::Null) | (Kind::List, Value::Array(_), Value::Null) => Some(live.clone()),
        (Kind::List, Value::Array(live), Value::Array(applied)) => match place.form {
            Form::List(form) => Some(list(form, place, live, applied)),
            _ => Some(Value::Array(applied.clone())),
        },
        _ => Some(applied.clone()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn map(place: Place<'_>, live: &Map<String, Value>, applied: &Map<String, Value>) -> Value {
    let mut merged = live.clone();
    for (key, applied) in applied {
        let slot = merged.get_mut(key);
        match slot {
            Some(live) => {
                if let Some(value) = merge(place.child(key).0, Some(live), Some(applied)) {
                    *live = value;
                }
            }
            None => {
                merged.insert(key.clone(), applied.clone());
            }
        }
    }
    Value::Object(merged)
}

/// Items of one list by name, and whether the name is there twice.
struct Named<'v> {
    names: Vec<Element<'v>>,
    items: Vec<&'v Value>,
}

impl<'v> Named<'v> {
    fn new(form: ListForm<'v>, place: Place<'v>, items: &'v [Value]) -> Self {
        let (names, items) =
            items.iter().filter_map(|item| Some((Element::of_item(form, place, item).ok()?, item))).unzip();
        Self { names, items }
    }

    fn has(&self, name: &Element<'_>) -> bool {
        self.names.iter().any(|other| other == name)
    }

    /// The one item of this name; None also where there are several, which are never merged into.
    fn only(&self, name: &Element<'_>) -> Option<&'v Value> {
        let mut found = self.names.iter().zip(&self.items).filter(|(other, _)| *other == name);
        match (found.next(), found.next()) {
            (Some((_, item)), None) => Some(item),
            _ => None,
        }
    }
}

/// Both lists in one: shared items merged, in the applied order; items of the live list keep their place between them.
fn list<'v>(form: ListForm<'v>, place: Place<'v>, live: &'v [Value], applied: &'v [Value]) -> Value {
    let (live, applied) = (Named::new(form, place, live), Named::new(form, place, applied));
    let mut shared = applied.names.iter().filter(|name| live.has(name)).peekable();
    let mut merged: Vec<&Element<'_>> = Vec::with_capacity(applied.names.len());
    let mut out = Vec::with_capacity(live.names.len().max(applied.names.len()));
    let (mut left, mut right) = (0, 0);
    let both = |name: &Element<'_>, item: &Value| merge(place.item(), live.only(name), Some(item));
    while left < live.names.len() || right < applied.names.len() {
        if let (Some(ours), Some(theirs)) = (live.names.get(left), applied.names.get(right)) {
            if ours == theirs {
                merged.push(theirs);
                out.extend(both(ours, applied.items[right]));
                (left, right) = (left + 1, right + 1);
                shared.next();
                continue;
            }
            if applied.has(ours) && shared.peek().is_some_and(|next| *next != ours) {
                // Shared, but not the one that comes next: it is taken in the applied order.
                left += 1;
                continue;
            }
        }
        if let Some(ours) = live.names.get(left) {
            if !applied.has(ours) {
                out.push(live.items[left].clone());
                left += 1;
                continue;
            }
            if merged.contains(&ours) {
                left += 1;
            }
        }
        if let Some(theirs) = applied.names.get(right) {
            merged.push(theirs);
            out.extend(both(theirs, applied.items[right]));
            right += 1;
            if shared.peek().is_some_and(|next| *next == theirs) {
                shared.next();
            }
        }
    }
    Value::Array(out)
}
