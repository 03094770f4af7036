//! What the table of types alone tells: fields that have to be there, and values that there are. It stands in for rules of
//! kinds and fields that have none of their own here.

use serde_json::Value;

use super::{
    super::edit::{Fields, Read},
    causes::{Causes, Path},
};
use crate::{
    rules::manifests::{allowed_values, is_required},
    sandbox::resource::Resource,
    schema::{Field, Schema, Shape, Type, TypeId},
};

/// Judges an object of a built-in kind.
pub(super) fn judge(resource: &Resource, object: &Value, causes: &mut Causes) {
    let (Some(root), Some(fields)) = (resource.root, object.as_object()) else { return };
    let Some(found) = resource.schema.get(root) else { return };
    let own = found.fields.iter().filter(|field| !matches!(field.name.as_str(), "metadata" | "status"));
    for field in own {
        member(&resource.schema, found, field, fields, &Path::Root, causes);
    }
}

fn structure(schema: &Schema, id: TypeId, fields: &Fields, path: &Path<'_>, causes: &mut Causes) {
    let Some(found) = schema.get(id) else { return };
    for field in &found.fields {
        member(schema, found, field, fields, path, causes);
    }
}

fn member(schema: &Schema, parent: &Type, field: &Field, fields: &Fields, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to(&field.name);
    let value = fields.get(&field.name).filter(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        // A slice without endpoints is how a Service without pods looks.
        Value::Array(items) => !items.is_empty() || parent.short_name() == "EndpointSlice",
        _ => true,
    });
    match value {
        None if is_required(parent, field) => causes.required(&at, ""),
        None => {}
        Some(value) => {
            let mut allowed = allowed_values(parent, field);
            allowed.sort_unstable();
            shaped(schema, &field.shape, &allowed, value, &at, causes);
        }
    }
}

fn shaped(schema: &Schema, shape: &Shape, allowed: &[&str], value: &Value, path: &Path<'_>, causes: &mut Causes) {
    match (shape, value) {
        (Shape::Object(id), Value::Object(fields)) => structure(schema, *id, fields, path, causes),
        (Shape::List(items), Value::Array(values)) => {
            for (position, value) in values.iter().enumerate() {
                shaped(schema, items, allowed, value, &path.index(position), causes);
            }
        }
        (Shape::Map(values), Value::Object(entries)) => {
            for (key, value) in entries {
                shaped(schema, values, &[], value, &path.key(key), causes);
            }
        }
        (Shape::String, Value::String(text)) if !allowed.is_empty() && !allowed.contains(&text.as_str()) => {
            causes.unsupported(path, text.as_str(), allowed);
        }
        _ => {}
    }
}

/// Judges what replaces an object, unless that has the same faults.
pub(super) fn judge_change(resource: &Resource, object: &Value, live: &Value, causes: &mut Causes) {
    let mut before = Causes::default();
    judge(resource, live, &mut before);
    if before.is_empty() && object.at(&["spec"]) != live.at(&["spec"]) {
        judge(resource, object, causes);
    }
}
