//! Fields that a type does not have, and fields that are there twice.

use std::{cell::RefCell, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::types::{Form, Inner, Place, Types};

/// Each field that the type does not have, as strict validation words it: `unknown field "spec.replicass"`.
pub fn unknown_fields(types: Types<'_>, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look(types.top(), object, "", &mut found);
    found
}

fn look(place: Place<'_>, value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                if place.allows(key) {
                    look(place.child(key).0, value, &path, found);
                } else {
                    found.push(format!("unknown field {path:?}"));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                look(place.item(), item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// Drops the fields that the type does not have.
pub fn prune(types: Types<'_>, object: &mut Value) {
    drop_unknown(types.top(), object);
}

fn drop_unknown(place: Place<'_>, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if matches!(place.form, Form::Struct(_) | Form::AtomicMap(Inner::Struct(_))) {
                fields.retain(|key, _| place.allows(key));
            }
            for (key, value) in fields.iter_mut() {
                drop_unknown(place.child(key).0, value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_unknown(place.item(), item)),
        _ => {}
    }
}

/// Each field of a JSON body that is there more than once: `duplicate field "data.a"`. Nothing where it is no JSON.
pub fn duplicate_fields(body: &[u8]) -> Vec<String> {
    let found = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_slice(body);
    // What does not parse is refused elsewhere.
    let _ = Duplicates { path: "", found: &found }.deserialize(&mut reader);
    found.into_inner()
}

/// Reads past a value, and notes keys that come twice.
struct Duplicates<'p> {
    path: &'p str,
    found: &'p RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Duplicates<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Duplicates<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen: HashSet<String> = HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            if !seen.insert(key) {
                let said = format!("duplicate field {path:?}");
                if !self.found.borrow().contains(&said) {
                    self.found.borrow_mut().push(said);
                }
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            fields.next_value_seed(Duplicates { path: &path, found: self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let path = format!("{}[{index}]", self.path);
            if items.next_element_seed(Duplicates { path: &path, found: self.found })?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
