//! What an object looks like after the API server has read it: nothing that means nothing, every default filled in, and
//! amounts, times and base64 in their one form.

use jiff::{Timestamp, Unit, fmt::temporal::DateTimePrinter};
use serde_json::{Value, json};

use super::{defaults, edit::Fields};
use crate::{
    rules::quantity::Quantity,
    sandbox::resource::Resource,
    schema::{Field, Schema, Shape, Type, TypeId, Zero},
};

/// Fills in an object as the API server does when it decodes one.
pub fn default(resource: &Resource, object: &mut Value) {
    let (Some(root), Some(fields)) = (resource.root, object.as_object_mut()) else { return };
    if resource.is_custom() {
        super::custom::default(resource, fields);
    } else {
        fill(&resource.schema, root, fields);
        defaults::whole(resource, fields);
    }
}

/// Drops what says no more than its absence, before anything is filled in: typed clients send empty texts in protobuf.
pub fn strip(resource: &Resource, object: &mut Value) {
    if let (Some(root), Some(fields)) = (resource.root, object.as_object_mut()) {
        strip_type(&resource.schema, root, fields);
    }
}

fn strip_type(schema: &Schema, id: TypeId, object: &mut Fields) {
    let Some(found) = schema.get(id) else { return };
    object.retain(|name, value| found.field(name).is_none_or(|field| keeps(field, value)));
    for field in &found.fields {
        if let Some(value) = object.get_mut(&field.name) {
            strip_shape(schema, &field.shape, value);
        }
    }
}

fn strip_shape(schema: &Schema, shape: &Shape, value: &mut Value) {
    match (shape, value) {
        (Shape::Object(id), Value::Object(fields)) => strip_type(schema, *id, fields),
        (Shape::List(items), Value::Array(values)) => {
            values.iter_mut().for_each(|value| strip_shape(schema, items, value));
        }
        (Shape::Map(values), Value::Object(entries)) => {
            entries.values_mut().for_each(|value| strip_shape(schema, values, value));
        }
        _ => {}
    }
}

/// Fills in a value of a type by the table: also for what is served below objects, such as `Scale`.
pub fn fill(schema: &Schema, id: TypeId, object: &mut Fields) {
    let Some(found) = schema.get(id) else { return };
    object.retain(|name, value| found.field(name).is_none_or(|field| keeps(field, value)));
    defaults::of(found, object);
    for field in &found.fields {
        if !object.contains_key(&field.name) {
            match absent(field) {
                Some(value) => object.insert(field.name.clone(), value),
                None => continue,
            };
        }
        if let Some(value) = object.get_mut(&field.name) {
            form(schema, found, field, &field.shape, value);
        }
    }
}

/// Whether a value says more than its absence.
fn keeps(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty() || field.zero != Zero::Usual,
        Value::Object(entries) if matches!(field.shape, Shape::Map(_)) => {
            !entries.is_empty() || field.zero != Zero::Usual
        }
        _ if field.zero != Zero::Dropped => true,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(set) => *set,
        Value::Object(_) => true,
    }
}

/// What is written for a field that is absent.
fn absent(field: &Field) -> Option<Value> {
    match (&field.default, field.zero) {
        (_, Zero::Null) => Some(Value::Null),
        (Some(default), zero) if zero != Zero::Dropped || keeps(field, default) => Some(default.clone()),
        (_, Zero::Written) => Some(match field.shape {
            Shape::Object(_) => json!({}),
            Shape::String => json!(""),
            Shape::Boolean => json!(false),
            Shape::Int32 | Shape::Int64 | Shape::Number => json!(0),
            Shape::IntOrString => json!(0),
            Shape::Quantity => json!("0"),
            _ => Value::Null,
        }),
        _ => None,
    }
}

/// Brings a value into its one form.
fn form(schema: &Schema, parent: &Type, field: &Field, shape: &Shape, value: &mut Value) {
    match (shape, value) {
        (Shape::Object(id), Value::Object(fields)) => fill(schema, *id, fields),
        (Shape::List(items), Value::Array(values)) => {
            values.iter_mut().for_each(|value| form(schema, parent, field, items, value));
        }
        (Shape::Map(values), Value::Object(entries)) => {
            for value in entries.values_mut() {
                form(schema, parent, field, values, value);
                // Amounts of resources are no finer than a thousandth.
                if **values == Shape::Quantity {
                    quantity(value, true);
                }
            }
        }
        (Shape::Quantity, value) => quantity(value, false),
        (Shape::String, value @ Value::Null) => *value = json!(""),
        (Shape::Time, Value::String(text)) => time(text, is_micro(parent, field)),
        (Shape::Bytes, Value::String(text)) => text.retain(|c| !matches!(c, '\r' | '\n')),
        _ => {}
    }
}

fn quantity(value: &mut Value, resources: bool) {
    let text = match &*value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Some(mut read) = Quantity::parse(&text) {
        if resources {
            read.round_to_milli();
        }
        *value = json!(read.to_string());
    }
}

/// Whether a time is kept to the microsecond (`MicroTime`).
fn is_micro(parent: &Type, field: &Field) -> bool {
    matches!(field.name.as_str(), "acquireTime" | "renewTime" | "eventTime" | "lastObservedTime" | "pingTime")
        && parent.short_name() != "Event"
        || field.name == "eventTime"
}

/// RFC 3339 in UTC, to the second or to the microsecond.
fn time(text: &mut String, micro: bool) {
    let Ok(read) = text.parse::<Timestamp>() else { return };
    let unit = if micro { Unit::Microsecond } else { Unit::Second };
    let options = jiff::TimestampRound::new().smallest(unit).mode(jiff::RoundMode::Trunc);
    let Ok(read) = read.round(options) else { return };
    *text = DateTimePrinter::new().precision(Some(if micro { 6 } else { 0 })).timestamp_to_string(&read);
}
