//! JSON merge patch (RFC 7386).

use serde_json::{Map, Value};

/// The live object with the patch laid over it; null removes.
pub fn merge(live: &Value, patch: &Value) -> Value {
    let mut merged = live.clone();
    lay_over(&mut merged, patch);
    merged
}

fn lay_over(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        match (value, target.get_mut(key)) {
            (Value::Null, _) => {
                target.shift_remove(key);
            }
            (value, Some(slot)) => lay_over(slot, value),
            (value, None) => {
                let mut fresh = value.clone();
                drop_nulls(&mut fresh);
                target.insert(key.clone(), fresh);
            }
        }
    }
}

/// Takes nulls out of the maps of a new value; those in lists stay.
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
