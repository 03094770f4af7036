//! Custom resources, by the schema of their definition.
//!
//! Rules in CEL (`x-kubernetes-validations`) are not evaluated. Source: `ValidateCustomResource` of
//! `k8s.io/apiextensions-apiserver`, and `k8s.io/kube-openapi/pkg/validation`, whose words these are.

use std::fmt::Display;

use regex::Regex;
use serde_json::{Number, Value};

use super::{
    super::{custom::schema_of, edit::Read},
    causes::{Causes, Path},
};
use crate::{sandbox::resource::Resource, schema::scalar};

const UNCHECKED: &str = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

pub(super) fn resource(resource: &Resource, object: &Value, causes: &mut Causes) {
    let Some(schema) = schema_of(resource) else { return };
    let before = causes.len();
    fields(schema, object, &Path::Root, causes);
    lists(schema, object, &Path::Root, causes);
    if causes.len() > before && causes.blocks(before) && has_rules(schema) {
        causes.invalid_as(&Path::Root, "null", UNCHECKED);
    }
}

/// Whether rules in CEL would be checked too.
fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(entries) => {
            entries.get("x-kubernetes-validations").is_some_and(Value::is_array) || entries.values().any(has_rules)
        }
        Value::Array(items) => items.iter().any(has_rules),
        _ => false,
    }
}

/// Judges a value, whatever its type.
fn value(schema: &Value, found: &Value, path: &Path<'_>, causes: &mut Causes) {
    if found.is_null() && schema.is_true(&["nullable"]) {
        return;
    }
    if !has_type(schema, found) {
        let wanted = match schema.is_true(&["x-kubernetes-int-or-string"]) {
            true => "integer,string",
            false => schema.text(&["type"]),
        };
        let actual = type_of(found);
        let detail = format!("{path} in body must be of type {wanted}: \"{actual}\"");
        return causes.mistyped(path, actual, detail);
    }
    match found {
        Value::String(text) => string(schema, text, path, causes),
        Value::Number(number) => self::number(schema, number, path, causes),
        Value::Array(items) => list(schema, items, path, causes),
        _ => {}
    }
    choice(schema, found, path, causes);
    if found.is_object() {
        fields(schema, found, path, causes);
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    if schema.is_true(&["x-kubernetes-int-or-string"]) {
        return matches!(value, Value::String(_)) || value.is_i64() || value.is_u64();
    }
    match (schema.text(&["type"]), value) {
        ("", _) => true,
        ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => number.as_f64().is_some_and(|number| number.fract() == 0.0),
        (wanted, value) => wanted == type_of(value),
    }
}

fn should(path: &Path<'_>, found: impl Into<Value>, what: impl Display, causes: &mut Causes) {
    causes.invalid(path, found, format!("{path} in body should {what}"));
}

fn string(schema: &Value, text: &str, path: &Path<'_>, causes: &mut Causes) {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if let Some(most) = schema.number(&["maxLength"]).filter(|most| length > *most) {
        return causes.too_long(path, usize::try_from(most).unwrap_or_default());
    }
    if let Some(least) = schema.number(&["minLength"]).filter(|least| length < *least) {
        return should(path, text, format!("be at least {least} chars long"), causes);
    }
    let pattern = schema.text(&["pattern"]);
    if !pattern.is_empty() && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)) {
        should(path, text, format!("match '{pattern}'"), causes);
    }
    if schema.text(&["format"]) == "date-time" && !scalar::is_time(text) {
        causes.mistyped(path, text, format!("{path} in body must be of type date-time: \"{text}\""));
    }
}

fn number(schema: &Value, found: &Number, path: &Path<'_>, causes: &mut Causes) {
    let read = found.as_f64().unwrap_or_default();
    let shown = Value::Number(found.clone());
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number());
    if let Some(most) = bound("maximum") {
        let limit = most.as_f64().unwrap_or_default();
        match schema.is_true(&["exclusiveMaximum"]) {
            true if read >= limit => should(path, shown.clone(), format!("be less than {most}"), causes),
            false if read > limit => should(path, shown.clone(), format!("be less than or equal to {most}"), causes),
            _ => {}
        }
    }
    if let Some(least) = bound("minimum") {
        let limit = least.as_f64().unwrap_or_default();
        match schema.is_true(&["exclusiveMinimum"]) {
            true if read <= limit => should(path, shown.clone(), format!("be greater than {least}"), causes),
            false if read < limit => {
                should(path, shown.clone(), format!("be greater than or equal to {least}"), causes);
            }
            _ => {}
        }
    }
    if let Some(factor) = bound("multipleOf") {
        let quotient = read / factor.as_f64().unwrap_or(1.0);
        if quotient.fract() != 0.0 {
            should(path, shown, format!("be a multiple of {factor}"), causes);
        }
    }
}

fn list(schema: &Value, items: &[Value], path: &Path<'_>, causes: &mut Causes) {
    if let Some(of_items) = schema.get("items") {
        for (position, item) in items.iter().enumerate() {
            value(of_items, item, &path.index(position), causes);
        }
    }
    let bound = |key: &str| schema.number(&[key]).and_then(|bound| usize::try_from(bound).ok());
    if let Some(least) = bound("minItems").filter(|least| items.len() < *least) {
        let detail = format!("{path} in body should have at least {least} items");
        causes.invalid(path, items.len(), detail);
    }
    if let Some(most) = bound("maxItems").filter(|most| items.len() > *most) {
        causes.too_many(path, items.len(), most);
    }
}

fn choice(schema: &Value, found: &Value, path: &Path<'_>, causes: &mut Causes) {
    let allowed = schema.items(&["enum"]);
    if allowed.is_empty() || allowed.contains(found) {
        return;
    }
    let shown: Vec<String> = allowed
        .iter()
        .map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    causes.unsupported(path, found.clone(), &shown);
}

fn fields(schema: &Value, object: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(entries) = object.as_object() else { return };
    let bound = |key: &str| schema.number(&[key]).and_then(|bound| usize::try_from(bound).ok());
    if let Some(most) = bound("maxProperties").filter(|most| entries.len() > *most) {
        causes.too_many(path, entries.len(), most);
    }
    if let Some(least) = bound("minProperties").filter(|least| entries.len() < *least) {
        let detail = format!("{path} in body should have at least {least} properties");
        causes.invalid(path, entries.len(), detail);
    }
    for required in schema.items(&["required"]).iter().filter_map(Value::as_str) {
        if !entries.contains_key(required) {
            causes.required(&path.to(required), "");
        }
    }
    let root = matches!(path, Path::Root);
    for (name, found) in entries {
        // What every object has is judged by the rules for all kinds.
        if root && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            continue;
        }
        match schema.at(&["properties", name]) {
            Some(property) => value(property, found, &path.to(name), causes),
            None => {
                if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
                    value(values, found, &path.to(name), causes);
                }
            }
        }
    }
}

/// Refuses elements that a list of type set or map has already.
fn lists(schema: &Value, found: &Value, path: &Path<'_>, causes: &mut Causes) {
    match found {
        Value::Object(entries) => {
            for (name, found) in entries {
                let property = schema.at(&["properties", name]).or_else(|| schema.get("additionalProperties"));
                if let Some(property) = property {
                    lists(property, found, &path.to(name), causes);
                }
            }
        }
        Value::Array(items) => {
            let keys: Vec<&str> =
                schema.items(&["x-kubernetes-list-map-keys"]).iter().filter_map(Value::as_str).collect();
            let identity = |item: &Value| -> Value {
                match schema.text(&["x-kubernetes-list-type"]) {
                    "map" => keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(key)?.clone()))).collect(),
                    _ => item.clone(),
                }
            };
            let unique = matches!(schema.text(&["x-kubernetes-list-type"]), "set" | "map");
            let mut seen: Vec<Value> = Vec::new();
            for (position, item) in items.iter().enumerate() {
                let at = path.index(position);
                if unique {
                    let identity = identity(item);
                    if seen.contains(&identity) {
                        causes.duplicate(&at, identity);
                    } else {
                        seen.push(identity);
                    }
                }
                if let Some(of_items) = schema.get("items") {
                    lists(of_items, item, &at, causes);
                }
            }
        }
        _ => {}
    }
}
