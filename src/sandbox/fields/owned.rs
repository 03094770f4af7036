//! Which fields an object says (`typed/tofieldset.go`).

use serde_json::Value;

use super::{
    element::Element,
    set::{Node, Set},
    types::{Form, Kind, Place},
};

/// Every leaf of the value, and every item of its lists and maps.
pub(super) fn fields_of<'a>(place: Place<'a>, value: &'a Value) -> Set<'a> {
    below(place, value).1
}

/// Whether the value itself is a leaf, and what is below it.
fn below<'a>(place: Place<'a>, value: &'a Value) -> (bool, Set<'a>) {
    match place.form_of(Some(value)) {
        Kind::Scalar => (true, Set::default()),
        _ if place.is_atomic() => (true, Set::default()),
        Kind::Map => (false, map(place, value)),
        Kind::List => match place.form {
            Form::List(_) => (false, list(place, value)),
            _ => (true, Set::default()),
        },
    }
}

fn map<'a>(place: Place<'a>, value: &'a Value) -> Set<'a> {
    let Value::Object(fields) = value else { return Set::default() };
    let node = |(key, value): (&'a String, &'a Value)| {
        let (child, named) = place.child(key);
        let (leaf, below) = below(child, value);
        let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
        Node::new(Element::field(key), leaf || empty || !named, below)
    };
    Set::of(fields.iter().map(node).collect())
}

fn list<'a>(place: Place<'a>, value: &'a Value) -> Set<'a> {
    let (Form::List(form), Value::Array(items)) = (place.form, value) else { return Set::default() };
    let mut named: Vec<(Element<'a>, &'a Value)> =
        items.iter().filter_map(|item| Some((Element::of_item(form, place, item).ok()?, item))).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let nodes = named.chunk_by(|a, b| a.0 == b.0).filter_map(|same| match same {
        [(element, item)] => Some(Node::new(element.clone(), true, below(place.item(), item).1)),
        // Items that share their name are owned together.
        [(element, _), ..] => Some(Node::new(element.clone(), true, Set::default())),
        [] => None,
    });
    Set::of(nodes.collect())
}
