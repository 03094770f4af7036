//! Sets of fields as `fieldsV1` writes them (`fieldpath/serialize.go`).

use serde_json::{Map, Value};

use super::{
    element::Element,
    set::{Node, Set},
    types::Place,
};

/// Reads a `fieldsV1`. What is no field is left out. A place that has come to be owned whole is read as its owner's.
pub(super) fn read<'a>(fields: &'a Value, place: Place<'a>) -> Set<'a> {
    match fields {
        Value::Object(fields) => read_object(fields, place),
        _ => Set::default(),
    }
}

fn read_object<'a>(fields: &'a Map<String, Value>, place: Place<'a>) -> Set<'a> {
    let node = |(key, below): (&'a String, &'a Value)| {
        let element = if key == "." { None } else { Element::read(key) }?;
        let child = match &element {
            Element::Field(name) => place.child(name).0,
            _ => place.item(),
        };
        let below = match below {
            Value::Object(below) => below,
            _ => return Some(Node::new(element, true, Set::default())),
        };
        let inner = read_object(below, child);
        let member = below.contains_key(".") || inner.is_empty();
        if child.is_atomic() && !inner.is_empty() {
            return Some(Node::new(element, true, Set::default()));
        }
        Some(Node::new(element, member, inner))
    };
    Set::of(fields.iter().filter_map(node).collect())
}

/// Writes a `fieldsV1`.
pub(super) fn write(set: &Set<'_>) -> Value {
    Value::Object(contents(set, false))
}

fn contents(set: &Set<'_>, itself: bool) -> Map<String, Value> {
    let mut fields = Map::with_capacity(set.nodes().len() + 1);
    if itself && !set.is_empty() {
        fields.insert(".".into(), Value::Object(Map::new()));
    }
    for node in set.nodes() {
        fields.insert(node.element.spelled(), Value::Object(contents(&node.below, node.member)));
    }
    fields
}
