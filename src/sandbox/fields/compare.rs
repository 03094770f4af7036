//! What differs between two objects, field by field (`typed/compare.go`).

use serde_json::{Map, Value};

use super::{
    element::Element,
    set::{Node, Set},
    types::{Form, Kind, Place},
};

/// The fields that were changed or added, and those that were removed.
#[derive(Debug, Default)]
pub(super) struct Difference<'a> {
    pub changed: Set<'a>,
    pub removed: Set<'a>,
}

/// What became of one place.
#[derive(Default)]
struct Outcome<'a> {
    changed: bool,
    removed: bool,
    below: Difference<'a>,
}

/// What `new` changes of `old`.
pub(super) fn compare<'a>(place: Place<'a>, old: &'a Value, new: &'a Value) -> Difference<'a> {
    at(place, Some(old), Some(new)).below
}

fn at<'a>(place: Place<'a>, old: Option<&'a Value>, new: Option<&'a Value>) -> Outcome<'a> {
    let (before, after) = (place.form_of(old.filter(|v| !v.is_null())), place.form_of(new.filter(|v| !v.is_null())));
    let known = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let kind = if known(new) || !known(old) { after } else { before };
    if known(old) && known(new) && before != after {
        return mixed(place, old, new, after);
    }
    match kind {
        Kind::Scalar => leaf(old, new),
        _ if place.is_atomic() => leaf(old, new),
        Kind::Map => map(place, old, new),
        Kind::List => match place.form {
            Form::List(_) => list(place, old, new),
            _ => leaf(old, new),
        },
    }
}

/// A value that became another kind of value, where the type leaves that open.
fn mixed<'a>(place: Place<'a>, old: Option<&'a Value>, new: Option<&'a Value>, after: Kind) -> Outcome<'a> {
    let mut outcome = leaf(old, new);
    if after == Kind::Map {
        outcome.below = map(place, None, new).below;
    }
    outcome
}

fn leaf<'a>(old: Option<&'a Value>, new: Option<&'a Value>) -> Outcome<'a> {
    match (old, new) {
        (Some(_), None) => Outcome { removed: true, ..Outcome::default() },
        (None, Some(_)) => Outcome { changed: true, ..Outcome::default() },
        (Some(old), Some(new)) => Outcome { changed: !is_same(old, new), ..Outcome::default() },
        (None, None) => Outcome::default(),
    }
}

/// A place with children is added or removed as a whole too.
fn parent<'a>(old: Option<&'a Value>, new: Option<&'a Value>, below: Difference<'a>) -> Outcome<'a> {
    Outcome { changed: old.is_none(), removed: old.is_some() && new.is_none(), below }
}

fn map<'a>(place: Place<'a>, old: Option<&'a Value>, new: Option<&'a Value>) -> Outcome<'a> {
    let fields = |value: Option<&'a Value>| value.and_then(Value::as_object).filter(|fields| !fields.is_empty());
    let (before, after) = (fields(old), fields(new));
    if before.is_none() && after.is_none() {
        return leaf(old, new);
    }
    let mut found = Collector::default();
    for (key, new) in after.into_iter().flatten() {
        let old = before.and_then(|fields| fields.get(key));
        found.add(|| Element::field(key), at(place.child(key).0, old, Some(new)));
    }
    let gone = |fields: &Map<String, Value>, key: &str| !fields.contains_key(key);
    for (key, old) in before.into_iter().flatten() {
        if after.is_none_or(|fields| gone(fields, key)) {
            found.add(|| Element::field(key), at(place.child(key).0, Some(old), None));
        }
    }
    parent(old, new, found.done())
}

fn list<'a>(place: Place<'a>, old: Option<&'a Value>, new: Option<&'a Value>) -> Outcome<'a> {
    let items = |value: Option<&'a Value>| value.and_then(Value::as_array).filter(|items| !items.is_empty());
    let (before, after) = (items(old), items(new));
    if before.is_none() && after.is_none() {
        return leaf(old, new);
    }
    let (before, after) = (named(place, before), named(place, after));
    let mut found = Collector::default();
    for (element, new) in &after {
        let old = before.iter().find(|(other, _)| other == element).map_or(&[][..], |(_, items)| items);
        found.add(|| element.clone(), item(place, old, new));
    }
    for (element, old) in &before {
        if !after.iter().any(|(other, _)| other == element) {
            found.add(|| element.clone(), item(place, old, &[]));
        }
    }
    parent(old, new, found.done())
}

/// Items of one name; where there are several they are one leaf.
fn item<'a>(place: Place<'a>, old: &[&'a Value], new: &[&'a Value]) -> Outcome<'a> {
    match (old, new) {
        ([] | [_], [] | [_]) => at(place.item(), old.first().copied(), new.first().copied()),
        ([_, _, ..], [_, _, ..]) => {
            let same = old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_same(old, new));
            Outcome { changed: !same, ..Outcome::default() }
        }
        ([_, _, ..], _) => {
            let mut outcome = new.first().map(|new| at(place.item(), None, Some(new))).unwrap_or_default();
            outcome.removed = true;
            outcome
        }
        (_, _) => {
            let mut outcome = old.first().map(|old| at(place.item(), Some(old), None)).unwrap_or_default();
            outcome.changed = true;
            outcome
        }
    }
}

/// The items by name, in their order.
fn named<'a>(place: Place<'a>, items: Option<&'a Vec<Value>>) -> Vec<(Element<'a>, Vec<&'a Value>)> {
    let Form::List(form) = place.form else { return Vec::new() };
    let mut found: Vec<(Element<'a>, Vec<&'a Value>)> = Vec::new();
    for item in items.into_iter().flatten() {
        let Ok(element) = Element::of_item(form, place, item) else { continue };
        match found.iter_mut().find(|(other, _)| *other == element) {
            Some((_, same)) => same.push(item),
            None => found.push((element, vec![item])),
        }
    }
    found
}

/// Gathers the outcomes of the children of a place.
#[derive(Default)]
struct Collector<'a> {
    changed: Vec<Node<'a>>,
    removed: Vec<Node<'a>>,
}

impl<'a> Collector<'a> {
    fn add(&mut self, element: impl Fn() -> Element<'a>, outcome: Outcome<'a>) {
        if outcome.changed || !outcome.below.changed.is_empty() {
            self.changed.push(Node::new(element(), outcome.changed, outcome.below.changed));
        }
        if outcome.removed || !outcome.below.removed.is_empty() {
            self.removed.push(Node::new(element(), outcome.removed, outcome.below.removed));
        }
    }

    fn done(self) -> Difference<'a> {
        Difference { changed: Set::of(self.changed), removed: Set::of(self.removed) }
    }
}

/// Equal as the API server sees it: 1 is 1.0, and the order of keys does not count.
pub(super) fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => a == b,
    }
}
