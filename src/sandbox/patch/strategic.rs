//! Strategic merge patch: a merge patch that knows which lists are merged by key, with directives
//! (`k8s.io/apimachinery/pkg/util/strategicpatch/patch.go`).

use serde_json::{Map, Value};

use super::{PatchFailure, lists};
use crate::{
    sandbox::{fields::Types, go},
    schema::{Field, Schema, Shape, Type},
};

pub(super) const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ORDER: &str = "$setElementOrder";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";

/// The live object with the patch laid over it as the strategies of its type say.
pub fn strategic(types: Types<'_>, live: &Value, patch: &Value) -> Result<Value, PatchFailure> {
    let scope = Scope::top(types);
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => merge_map(live.clone(), patch.clone(), scope).map(Value::Object),
        (_, Value::Null) => Ok(live.clone()),
        (_, other) => Err(PatchFailure::Malformed(format!(
            "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            match other {
                Value::Array(_) => "array",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            }
        ))),
    }
}

/// The type at a place.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    Struct(&'s Schema, &'s Type),
    /// A map, with the shape of its values.
    Map(&'s Schema, &'s Shape),
    Unknown,
}

/// What the type says of merging one field.
#[derive(Clone, Copy)]
pub(super) struct Strategy<'s> {
    /// Of the field's value, or of the items of a list.
    pub scope: Scope<'s>,
    pub is_merged: bool,
    pub is_replaced: bool,
    /// Empty for lists of scalars, and for those that are not merged.
    pub key: &'s str,
}

impl<'s> Scope<'s> {
    fn top(types: Types<'s>) -> Self {
        let known = types.root.and_then(|root| types.schema.get(root));
        known.map_or(Self::Unknown, |known| Self::Struct(types.schema, known))
    }

    fn of(schema: &'s Schema, shape: &'s Shape) -> Self {
        match shape {
            Shape::Object(id) => schema.get(*id).map_or(Self::Unknown, |known| Self::Struct(schema, known)),
            Shape::List(items) => Self::of(schema, items),
            Shape::Map(values) => Self::Map(schema, values),
            _ => Self::Unknown,
        }
    }

    pub fn strategy(self, key: &str) -> Strategy<'s> {
        let unknown = Strategy { scope: Scope::Unknown, is_merged: false, is_replaced: false, key: "" };
        let of_field = |schema, field: &'s Field| {
            let mut strategies = field.patch_strategy.split(',');
            Strategy {
                scope: Self::of(schema, &field.shape),
                is_merged: strategies.clone().any(|strategy| strategy == "merge"),
                is_replaced: strategies.any(|strategy| strategy == "replace"),
                key: &field.merge_key,
            }
        };
        match self {
            Self::Struct(schema, known) => known.field(key).map_or(unknown, |field| of_field(schema, field)),
            Self::Map(schema, values) => Strategy { scope: Self::of(schema, values), ..unknown },
            Self::Unknown => unknown,
        }
    }

    pub fn name(self) -> &'s str {
        match self {
            Self::Struct(_, known) => known.short_name(),
            _ => "",
        }
    }
}

pub(super) fn merge_map(
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
    scope: Scope<'_>,
) -> Result<Map<String, Value>, PatchFailure> {
    match patch.shift_remove(DIRECTIVE) {
        None => {}
        Some(directive) if directive == "replace" => return Ok(patch),
        Some(directive) if directive == "delete" => return Ok(Map::new()),
        Some(directive) => return Err(unknown_directive(directive, patch)),
    }
    retain_keys(&mut original, &mut patch)?;
    set_orders(&mut original, &mut patch, scope)?;
    for (key, value) in patch {
        match key.strip_prefix(DELETE_FROM) {
            Some(rest) => {
                let key = rest.strip_prefix('/').ok_or_else(|| malformed("invalid patch format of primitive list"))?;
                delete_from_list(&mut original, key, value)?;
            }
            None => merge_field(&mut original, key, value, scope)?,
        }
    }
    Ok(original)
}

pub(super) fn unknown_directive(directive: Value, mut patch: Map<String, Value>) -> PatchFailure {
    let said = go::plain(&directive);
    patch.insert(DIRECTIVE.into(), directive);
    PatchFailure::Failed(format!("unknown patch type: {said} in map: {}", go::plain(&Value::Object(patch))))
}

fn malformed(why: &str) -> PatchFailure {
    PatchFailure::Malformed(why.into())
}

fn merge_field(
    original: &mut Map<String, Value>,
    key: String,
    value: Value,
    scope: Scope<'_>,
) -> Result<(), PatchFailure> {
    if value.is_null() {
        original.shift_remove(&key);
        return Ok(());
    }
    let strategy = scope.strategy(&key);
    match (original.get_mut(&key), value) {
        (Some(slot @ Value::Object(_)), Value::Object(value)) => {
            let Value::Object(before) = slot.take() else { return Ok(()) };
            *slot = Value::Object(if strategy.is_replaced { value } else { merge_map(before, value, strategy.scope)? });
        }
        (Some(slot @ Value::Array(_)), Value::Array(value)) => {
            let Value::Array(before) = slot.take() else { return Ok(()) };
            *slot = Value::Array(if strategy.is_merged { lists::merge(before, value, strategy)? } else { value });
        }
        (_, mut value) => {
            drop_nulls(&mut value);
            match without_directives(value) {
                Some(value) => original.insert(key, value),
                None => original.shift_remove(&key),
            };
        }
    }
    Ok(())
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A value that is new in the object; None for a map that is nothing but a directive.
pub(super) fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => {
            let kept = fields.into_iter().filter_map(|(key, value)| Some((key, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(items.into_iter().filter_map(without_directives).collect()),
        other => Some(other),
    }
}

/// `$retainKeys`: what it does not name is cleared.
fn retain_keys(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), PatchFailure> {
    let Some(kept) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    let wrong = || malformed("invalid patch format of retainKeys");
    let Value::Array(kept) = kept else { return Err(wrong()) };
    let is_kept = |key: &str| kept.iter().any(|kept| kept == key);
    let is_list_directive = |key: &str| key.starts_with(DELETE_FROM) || key.starts_with(SET_ORDER);
    if patch.iter().any(|(key, value)| !value.is_null() && !is_list_directive(key) && !is_kept(key)) {
        return Err(wrong());
    }
    original.retain(|key, _| is_kept(key));
    Ok(())
}

/// `$deleteFromPrimitiveList/key`: takes scalars out of a list.
fn delete_from_list(original: &mut Map<String, Value>, key: &str, value: Value) -> Result<(), PatchFailure> {
    if value.is_null() {
        original.shift_remove(key);
    }
    let (Some(Value::Array(items)), Value::Array(gone)) = (original.get_mut(key), value) else { return Ok(()) };
    items.retain(|item| !gone.contains(item));
    Ok(())
}

/// `$setElementOrder/key`: merges the list of that key, and puts it in order.
fn set_orders(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    scope: Scope<'_>,
) -> Result<(), PatchFailure> {
    let ordered: Vec<String> = patch.keys().filter(|key| key.starts_with(SET_ORDER)).cloned().collect();
    for directive in ordered {
        let wrong = || malformed("invalid patch format of setElementOrder list");
        let order = patch.shift_remove(&directive).unwrap_or_default();
        let Value::Array(order) = order else { return Err(not_a_list(&order)) };
        let key = directive.strip_prefix(SET_ORDER).and_then(|rest| rest.strip_prefix('/')).ok_or_else(wrong)?;
        let list = |value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(not_a_list(&other)),
        };
        let live = list(original.get(key).cloned())?;
        let given = list(patch.shift_remove(key))?;
        if let Some(ordered) = lists::in_order(live, given, &order, scope.strategy(key))? {
            original.insert(key.to_owned(), Value::Array(ordered));
        }
    }
    Ok(())
}

fn not_a_list(value: &Value) -> PatchFailure {
    PatchFailure::Failed(format!("expected a []interface {{}}, but received a {}", go::type_name(value)))
}
