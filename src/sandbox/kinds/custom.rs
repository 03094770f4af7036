//! Custom resources: what their definition's schema fills in.
//!
//! Source: `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting`.

use serde_json::Value;

use super::edit::{Fields, Read};
use crate::sandbox::resource::Resource;

/// The deepest nesting that is followed.
const DEEPEST: usize = 100;

/// Fills in the defaults of the schema, where a field is absent, or null and not nullable.
pub(super) fn default(resource: &Resource, object: &mut Fields) {
    if let Some(schema) = schema_of(resource) {
        fill_fields(schema, object, 0);
    }
}

/// The `openAPIV3Schema` of a custom resource's version.
pub(super) fn schema_of(resource: &Resource) -> Option<&Value> {
    resource.custom.as_ref()?.at(&["schema", "openAPIV3Schema"])
}

fn fill_fields(schema: &Value, object: &mut Fields, depth: usize) {
    // A null that may not be one says nothing.
    object.retain(|name, value| {
        let property = schema.at(&["properties", name]);
        !value.is_null() || property.is_none_or(|property| property.is_true(&["nullable"]))
    });
    for (name, property) in schema.entries(&["properties"]) {
        if let Some(default) = property.get("default").filter(|_| !object.contains_key(name)) {
            object.insert(name.clone(), default.clone());
        }
        if let Some(value) = object.get_mut(name) {
            fill(property, value, depth + 1);
        }
    }
    let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) else { return };
    for (_, value) in object.iter_mut().filter(|(name, _)| !schema.has(&["properties", name])) {
        fill(values, value, depth + 1);
    }
}

fn fill(schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(object) => fill_fields(schema, object, depth),
        Value::Array(items) => {
            if let Some(of_items) = schema.get("items") {
                items.iter_mut().for_each(|item| fill(of_items, item, depth + 1));
            }
        }
        _ => {}
    }
}
