//! Rules that many kinds share.

use serde_json::Value;

use super::{
    super::edit::{Fields, Read},
    causes::{Causes, Path},
    text,
};
use crate::rules::quantity::Quantity;

pub(super) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
const POSITIVE: &str = "must be greater than zero";

/// A form that texts have to have; what is wrong with one that has not.
pub(super) type Rule = fn(&str) -> Vec<String>;

/// Refuses numbers below 0 at the keys of a struct.
pub(super) fn not_negative(object: &Value, keys: &[&str], path: &Path<'_>, causes: &mut Causes) {
    for key in keys {
        if let Some(number) = object.number(&[key]).filter(|number| *number < 0) {
            causes.invalid(&path.to(key), number, NOT_NEGATIVE);
        }
    }
}

/// Refuses a number below 1.
pub(super) fn positive(number: i64, path: &Path<'_>, causes: &mut Causes) {
    if number <= 0 {
        causes.invalid(path, number, POSITIVE);
    }
}

/// Refuses a text of another form; what is empty passes.
pub(super) fn form(object: &Value, key: &str, rule: Rule, path: &Path<'_>, causes: &mut Causes) {
    let text = object.text(&[key]);
    if !text.is_empty() {
        causes.all(&path.to(key), text, rule(text));
    }
}

/// Asks for a text that is not empty, and of a form.
pub(super) fn required_form(object: &Value, key: &str, rule: Rule, path: &Path<'_>, causes: &mut Causes) {
    required(object, key, path, causes);
    form(object, key, rule, path, causes);
}

/// Asks for a text that is not empty.
pub(super) fn required(object: &Value, key: &str, path: &Path<'_>, causes: &mut Causes) {
    if object.text(&[key]).is_empty() {
        causes.required(&path.to(key), "");
    }
}

/// Asks for one of the values; what is empty is missing.
pub(super) fn one_of(object: &Value, key: &str, supported: &[&str], path: &Path<'_>, causes: &mut Causes) {
    match object.text(&[key]) {
        "" => causes.required(&path.to(key), ""),
        _ => optional_one_of(object, key, supported, path, causes),
    }
}

/// Asks for one of the values where there is any.
pub(super) fn optional_one_of(object: &Value, key: &str, supported: &[&str], path: &Path<'_>, causes: &mut Causes) {
    if let Some(text) = object.at(&[key]).and_then(Value::as_str)
        && !supported.contains(&text)
    {
        causes.unsupported(&path.to(key), text, supported);
    }
}

/// A number or name of a port.
pub(super) fn port(value: Option<&Value>, path: &Path<'_>, causes: &mut Causes) {
    match value {
        Some(Value::String(name)) => causes.all(path, name, text::port_name(name)),
        other => {
            let number = other.and_then(Value::as_i64).unwrap_or_default();
            for fault in text::port(number) {
                causes.invalid(path, number, fault);
            }
        }
    }
}

/// A number or percentage, not below 0.
///
/// Source: `ValidatePositiveIntOrPercent`.
pub(super) fn number_or_percent(value: &Value, path: &Path<'_>, causes: &mut Causes) {
    match value {
        Value::String(percent) => causes.all(path, percent, text::percent(percent)),
        number if number.as_i64().is_some_and(|number| number < 0) => {
            causes.invalid(path, number.clone(), NOT_NEGATIVE);
        }
        _ => {}
    }
}

/// The number of a percentage.
pub(super) fn percent_of(value: &Value) -> Option<i64> {
    value.as_str()?.strip_suffix('%')?.parse().ok()
}

/// Whether a number or percentage is nothing.
pub(super) fn is_nothing(value: &Value) -> bool {
    value.as_i64() == Some(0) || percent_of(value) == Some(0)
}

/// An amount at the key of a struct.
pub(super) fn amount(object: &Fields, key: &str) -> Option<Quantity> {
    object.get(key).and_then(Value::as_str).and_then(Quantity::parse)
}
