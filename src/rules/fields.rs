//! Reads fields of objects. What is absent or of another type reads as empty, so that a rule never stops at a gap.

use serde_json::Value;

/// The string at a JSON pointer.
pub(crate) fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer, if there is one.
pub(crate) fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// A count of a status, where the API leaves out zeros.
pub(crate) fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or(0)
}

pub(crate) fn list<'v>(object: &'v Value, pointer: &str) -> &'v [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn is_true(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// One entry of `status.conditions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition<'v> {
    /// `True`, `False` or `Unknown`.
    pub status: &'v str,
    pub reason: &'v str,
    pub message: &'v str,
    /// The generation the condition speaks of, where its writer says so.
    pub observed_generation: Option<i64>,
}

impl<'v> Condition<'v> {
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    pub fn is_false(&self) -> bool {
        self.status == "False"
    }

    /// The message, or the reason where there is none.
    pub fn words(&self) -> &'v str {
        if self.message.is_empty() { self.reason } else { self.message }
    }
}

/// The condition of that type, if the object has it.
pub(crate) fn condition<'v>(object: &'v Value, kind: &str) -> Option<Condition<'v>> {
    let found = list(object, "/status/conditions").iter().find(|condition| condition["type"] == kind)?;
    Some(Condition {
        status: text(found, "/status"),
        reason: text(found, "/reason"),
        message: text(found, "/message"),
        observed_generation: number(found, "/observedGeneration"),
    })
}

/// `1 replica`, `2 replicas`.
pub(crate) fn counted(number: i64, noun: &str) -> String {
    if number == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}

/// An object of a test, from YAML.
#[cfg(test)]
pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}
