//! Values of another type than the field has.

use serde_json::Value;

use super::{
    rule::{Check, Findings, Rule},
    walk::{Seen, Visit},
};
use crate::{
    model::Severity,
    schema::{Shape, scalar},
};

pub(super) static RULE: Rule = Rule {
    code: "wrong-type",
    severity: Severity::Error,
    summary: "A value of another type than the field has",
    help: "The API server refuses the object. Often quotes are missing (a string that looks like a number or a boolean) or are too many.",
    check: Check::Field(check),
};

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Value { value, shape, .. } = visit.seen else { return };
    if *shape == Shape::Int32 && whole(value).is_some_and(|number| i32::try_from(number).is_err()) {
        let message = format!("{value} does not fit into 32 bits: the API server would store another number");
        findings.add(visit.manifest, visit.trail.path(), message).severity(Severity::Warning);
        return;
    }
    let Some(expected) = mismatch(shape, value) else { return };
    // Values of a Secret are never repeated, nor is what should have been a string: it may be a password.
    let secret = visit.object().is_some_and(|manifest| manifest.reference.kind == "Secret");
    let shown = match value {
        Value::String(text) if !secret && text.chars().count() <= 40 => format!("the string {text:?}"),
        Value::String(_) => "a string".into(),
        Value::Number(number) if !secret && *shape != Shape::String => format!("the number {number}"),
        Value::Number(_) => "a number".into(),
        Value::Bool(_) => "a boolean".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
        Value::Null => "null".into(),
    };
    let found = findings.add(visit.manifest, visit.trail.path(), format!("expected {expected}, found {shown}"));
    match (shape, value) {
        (Shape::String, Value::Number(_) | Value::Bool(_)) => drop(found.hint("put it in quotes")),
        (Shape::Int32 | Shape::Int64 | Shape::Number, Value::String(text)) if text.parse::<f64>().is_ok() => {
            found.hint("remove the quotes");
        }
        (Shape::Boolean, Value::String(text)) if matches!(text.as_str(), "true" | "false") => {
            found.hint("remove the quotes");
        }
        (Shape::List(_), Value::Object(_)) => drop(found.hint("begin each item with a dash")),
        (Shape::Object(_), Value::Array(_)) => drop(found.hint("remove the dash")),
        _ => {}
    }
}

/// What was expected, when the value is something else.
fn mismatch(shape: &Shape, value: &Value) -> Option<&'static str> {
    let text = value.as_str();
    let (fits, expected) = match shape {
        Shape::Any => return None,
        Shape::String => (value.is_string(), "a string"),
        Shape::Boolean => (value.is_boolean(), "true or false"),
        Shape::Int32 | Shape::Int64 => (whole(value).is_some(), "a whole number"),
        Shape::Number => (value.is_number(), "a number"),
        Shape::IntOrString => (value.is_string() || whole(value).is_some(), "a whole number or a string"),
        Shape::Quantity => {
            (value.is_number() || text.is_some_and(scalar::is_quantity), "a quantity such as 500m, 2 or 1.5Gi")
        }
        Shape::Time => (text.is_some_and(scalar::is_time), "a time such as 2026-01-31T12:00:00Z"),
        Shape::Bytes => (text.is_some_and(scalar::is_base64), "base64"),
        Shape::Object(_) => (value.is_object(), "a mapping"),
        Shape::Map(_) => (value.is_object(), "a mapping of names to values"),
        Shape::List(_) => (value.is_array(), "a list"),
    };
    (!fits).then_some(expected)
}

/// 1.0 is as good as 1.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64))
}
