//! Whether an applied object has the form of its type, in the words of the real server (`typed/validate.go`).

use serde_json::{Map, Value};

use super::{
    element::Element,
    types::{Form, Place},
};
use crate::{sandbox::go, schema::ListType};

/// What is wrong with the form of an object, each with its path; empty where all is well.
pub(super) fn faults(place: Place<'_>, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    at(place, object, "", &mut found);
    found
}

/// One fault as it is, several below each other.
pub(super) fn joined(faults: &[String]) -> String {
    match faults {
        [one] => one.clone(),
        several => {
            let lines: Vec<String> = several.iter().map(|fault| format!("  {fault}")).collect();
            format!("errors:\n{}", lines.join("\n"))
        }
    }
}

fn at(place: Place<'_>, value: &Value, path: &str, found: &mut Vec<String>) {
    let fault = match (place.form, value) {
        (_, Value::Null) => None,
        (Form::Struct(_) | Form::Map(_) | Form::AtomicMap(_), Value::Object(fields)) => {
            return map(place, fields, path, found);
        }
        (Form::Struct(_) | Form::Map(_) | Form::AtomicMap(_), _) => Some(format!("expected map, got {}", plain(value))),
        (Form::List(_), Value::Array(items)) => return list(place, items, path, found),
        (Form::List(_), _) => Some(format!("expected list, got {}", plain(value))),
        (Form::String, Value::String(_)) | (Form::Number, Value::Number(_)) | (Form::Boolean, Value::Bool(_)) => None,
        (Form::String, _) => {
            Some(format!("expected string, got &value.valueUnstructured{{Value:{}}}", go::literal(value)))
        }
        (Form::Number, _) => Some(format!("expected numeric (int or float), got {}", go::type_name(value))),
        (Form::Boolean, _) => Some(format!("expected boolean, got {}", plain(value))),
        (Form::Scalar, Value::Object(_) | Value::Array(_)) => {
            Some(format!("expected any scalar, got {}", plain(value)))
        }
        (Form::Scalar | Form::Unknown, _) => None,
    };
    if let Some(fault) = fault {
        found.push(said(path, &fault));
    }
}

fn said(path: &str, fault: &str) -> String {
    if path.is_empty() { fault.into() } else { format!("{path}: {fault}") }
}

fn map(place: Place<'_>, fields: &Map<String, Value>, path: &str, found: &mut Vec<String>) {
    for (key, value) in fields {
        let path = format!("{path}.{key}");
        if !place.allows(key) {
            found.push(said(&path, "field not declared in schema"));
            // The real server looks no further in this map.
            return;
        }
        at(place.child(key).0, value, &path, found);
    }
}

fn list(place: Place<'_>, items: &[Value], path: &str, found: &mut Vec<String>) {
    let Form::List(form) = place.form else { return };
    let mut seen: Vec<Element<'_>> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let element = match form.kind {
            ListType::Atomic => Element::Index(index),
            _ => match Element::of_item(form, place, item) {
                Ok(element) => element,
                Err(why) => return found.push(said(path, &format!("element {index}: {why}"))),
            },
        };
        if form.kind != ListType::Atomic && seen.contains(&element) {
            found.push(said(path, &format!("duplicate entries for key {element}")));
        }
        at(place.item(), item, &format!("{path}{element}"), found);
        seen.push(element);
    }
}

/// A wrapped value as `%v` shows it.
fn plain(value: &Value) -> String {
    format!("&{{{}}}", go::plain(value))
}
