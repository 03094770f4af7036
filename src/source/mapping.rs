//! A mapping while it is read: its keys, what came through merge keys, and where each was written.

use granit_parser::Marker;
use serde_json::{Map, Value};

#[derive(Default)]
pub(super) struct Mapping {
    fields: Map<String, Value>,
    /// Of each field, in the same order.
    written: Vec<Written>,
}

struct Written {
    at: Marker,
    /// Came through a merge key: a key of the mapping itself may replace it.
    merged: bool,
}

impl Mapping {
    /// Adds a key of the mapping itself. The same key again is accepted with the same value only.
    ///
    /// # Errors
    /// The key, and where it first stood with another value.
    pub(super) fn insert(&mut self, key: String, value: Value, at: Marker) -> Result<(), (String, Marker)> {
        let Some(old) = self.fields.get_mut(&key) else {
            self.fields.insert(key, value);
            self.written.push(Written { at, merged: false });
            return Ok(());
        };
        let differs = *old != value;
        *old = value;
        let index = self.fields.keys().position(|other| *other == key);
        match index.and_then(|index| self.written.get_mut(index)) {
            Some(first) if differs && !first.merged => Err((key, first.at)),
            Some(first) => {
                *first = Written { at, merged: false };
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Adds the keys of a merge key's value: a mapping, or a list of them, of which earlier ones win. As in go-yaml 2,
    /// they replace the keys before them. False for any other value.
    pub(super) fn merge(&mut self, value: Value, at: Marker) -> bool {
        let layers = match value {
            Value::Array(layers) => layers,
            layer => vec![layer],
        };
        layers.into_iter().rev().all(|layer| {
            let Value::Object(layer) = layer else { return false };
            for (key, value) in layer {
                if self.fields.insert(key, value).is_none() {
                    self.written.push(Written { at, merged: true });
                }
            }
            true
        })
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.fields)
    }
}
