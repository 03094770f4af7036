//! The words in which the rules of the kinds are written: reading along a path, and filling in.

use serde_json::{Map, Value};

/// An object's fields.
pub type Fields = Map<String, Value>;

/// Reading, where what is absent reads as empty.
pub trait Read {
    /// The value at the end of the keys, where there is one.
    fn at(&self, keys: &[&str]) -> Option<&Value>;

    /// The text there; empty where there is none.
    fn text(&self, keys: &[&str]) -> &str {
        self.at(keys).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, keys: &[&str]) -> Option<i64> {
        self.at(keys).and_then(Value::as_i64)
    }

    fn is_true(&self, keys: &[&str]) -> bool {
        self.at(keys).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether there is something that is not null.
    fn has(&self, keys: &[&str]) -> bool {
        self.at(keys).is_some_and(|value| !value.is_null())
    }

    fn items(&self, keys: &[&str]) -> &[Value] {
        self.at(keys).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The entries of a map or struct; none where there is none.
    fn entries<'v>(&'v self, keys: &[&str]) -> impl Iterator<Item = (&'v String, &'v Value)> {
        self.at(keys).and_then(Value::as_object).into_iter().flatten()
    }

    fn fields(&self, keys: &[&str]) -> Option<&Fields> {
        self.at(keys).and_then(Value::as_object)
    }
}

impl Read for Value {
    fn at(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }
}

impl Read for Fields {
    fn at(&self, keys: &[&str]) -> Option<&Value> {
        let (first, rest) = keys.split_first()?;
        self.get(*first)?.at(rest)
    }
}

/// Filling in.
pub trait Edit {
    /// Sets what is absent or null.
    fn or(&mut self, key: &str, value: impl Into<Value>);
    /// Sets a text that is absent or empty.
    fn or_text(&mut self, key: &str, value: &str);
    /// The struct at a key, made where it is absent; None where something else stands there.
    fn within(&mut self, key: &str) -> Option<&mut Fields>;
    /// The struct at a key where there is one.
    fn inside(&mut self, key: &str) -> Option<&mut Fields>;
    /// The structs in the list at a key.
    fn each(&mut self, key: &str) -> impl Iterator<Item = &mut Fields>;
    /// Takes a key's value from another object, or removes it where that has none.
    fn copy(&mut self, key: &str, from: &Self);
}

impl Edit for Fields {
    fn or(&mut self, key: &str, value: impl Into<Value>) {
        match self.get_mut(key) {
            Some(slot) if slot.is_null() => *slot = value.into(),
            Some(_) => {}
            None => {
                self.insert(key.into(), value.into());
            }
        }
    }

    fn or_text(&mut self, key: &str, value: &str) {
        if self.get(key).is_none_or(|found| found.is_null() || found == "") {
            self.insert(key.into(), value.into());
        }
    }

    fn within(&mut self, key: &str) -> Option<&mut Fields> {
        self.or(key, Fields::new());
        self.inside(key)
    }

    fn inside(&mut self, key: &str) -> Option<&mut Fields> {
        self.get_mut(key)?.as_object_mut()
    }

    fn each(&mut self, key: &str) -> impl Iterator<Item = &mut Fields> {
        self.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
    }

    fn copy(&mut self, key: &str, from: &Self) {
        match from.get(key) {
            Some(value) => {
                self.insert(key.into(), value.clone());
            }
            None => {
                self.shift_remove(key);
            }
        }
    }
}
