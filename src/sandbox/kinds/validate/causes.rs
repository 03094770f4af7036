//! The words in which rules refuse: each gives a cause as the API server words it.
//!
//! Source: `k8s.io/apimachinery/pkg/util/validation/field/errors.go`.

use std::fmt::{self, Display};

use serde_json::Value;

use crate::sandbox::problem::ProblemCause;

/// The way to a field, put together only when something is wrong there.
#[derive(Clone, Copy)]
pub(in crate::sandbox::kinds) enum Path<'p> {
    Root,
    Field(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
    Key(&'p Path<'p>, &'p str),
}

impl<'p> Path<'p> {
    pub fn to(&'p self, field: &'p str) -> Path<'p> {
        Path::Field(self, field)
    }

    pub fn index(&'p self, position: usize) -> Path<'p> {
        Path::Index(self, position)
    }

    /// An entry of a map.
    pub fn key(&'p self, key: &'p str) -> Path<'p> {
        Path::Key(self, key)
    }
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Field(Path::Root, name) => f.write_str(name),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
            Path::Index(parent, position) => write!(f, "{parent}[{position}]"),
            Path::Key(parent, key) => write!(f, "{parent}[{key}]"),
        }
    }
}

/// The causes found so far.
#[derive(Default)]
pub(in crate::sandbox::kinds) struct Causes {
    found: Vec<ProblemCause>,
}

impl Causes {
    pub fn into_found(self) -> Vec<ProblemCause> {
        self.found
    }

    pub fn extend(&mut self, found: Vec<ProblemCause>) {
        self.found.extend(found);
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether a cause after the first `count` keeps an API server from checking more: something missing, doubled, too
    /// long, or of a wrong type.
    pub fn blocks(&self, count: usize) -> bool {
        const BLOCKING: [&str; 5] = [
            "FieldValueNotSupported",
            "FieldValueRequired",
            "FieldValueTooLong",
            "FieldValueDuplicate",
            "FieldValueTypeInvalid",
        ];
        self.found.iter().skip(count).any(|cause| BLOCKING.contains(&cause.reason))
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    fn push(&mut self, reason: &'static str, path: &Path<'_>, what: String, detail: impl Display) {
        let detail = detail.to_string();
        let message = if detail.is_empty() { what } else { format!("{what}: {detail}") };
        let field = path.to_string();
        // What concerns the object as a whole has no field, and is said so.
        let field = if field.is_empty() { "<nil>".into() } else { field };
        self.found.push(ProblemCause { reason, message, field });
    }

    pub fn required(&mut self, path: &Path<'_>, detail: impl Display) {
        self.push("FieldValueRequired", path, "Required value".into(), detail);
    }

    pub fn invalid(&mut self, path: &Path<'_>, value: impl Into<Value>, detail: impl Display) {
        self.push("FieldValueInvalid", path, format!("Invalid value: {}", shown(&value.into())), detail);
    }

    /// As `invalid`, for a value that the API server shows otherwise than as JSON of the API.
    pub fn invalid_as(&mut self, path: &Path<'_>, shown: impl Display, detail: impl Display) {
        self.push("FieldValueInvalid", path, format!("Invalid value: {shown}"), detail);
    }

    /// As `invalid`, of a value that is not shown.
    pub fn invalid_unseen(&mut self, path: &Path<'_>, detail: impl Display) {
        self.push("FieldValueInvalid", path, "Invalid value".into(), detail);
    }

    /// The value has the wrong type, by the schema of a custom resource.
    pub fn mistyped(&mut self, path: &Path<'_>, value: impl Into<Value>, detail: impl Display) {
        self.push("FieldValueTypeInvalid", path, format!("Invalid value: {}", shown(&value.into())), detail);
    }

    pub fn unsupported(&mut self, path: &Path<'_>, value: impl Into<Value>, supported: &[&str]) {
        self.unsupported_as(path, shown(&value.into()), supported);
    }

    /// As `unsupported`, for a value that the API server shows otherwise than as JSON of the API.
    pub fn unsupported_as(&mut self, path: &Path<'_>, shown: impl Display, supported: &[&str]) {
        let quoted: Vec<String> = supported.iter().map(|value| quoted(value)).collect();
        let detail = if quoted.is_empty() { String::new() } else { format!("supported values: {}", quoted.join(", ")) };
        self.push("FieldValueNotSupported", path, format!("Unsupported value: {shown}"), detail);
    }

    pub fn duplicate(&mut self, path: &Path<'_>, value: impl Into<Value>) {
        self.push("FieldValueDuplicate", path, format!("Duplicate value: {}", shown(&value.into())), "");
    }

    /// As `duplicate`, for a value that the API server shows otherwise than as JSON of the API.
    pub fn duplicate_as(&mut self, path: &Path<'_>, shown: impl Display) {
        self.push("FieldValueDuplicate", path, format!("Duplicate value: {shown}"), "");
    }

    pub fn not_found(&mut self, path: &Path<'_>, value: impl Into<Value>) {
        self.push("FieldValueNotFound", path, format!("Not found: {}", shown(&value.into())), "");
    }

    /// As `not_found`, with what would have been found.
    pub fn not_found_because(&mut self, path: &Path<'_>, value: impl Into<Value>, detail: impl Display) {
        self.push("FieldValueNotFound", path, format!("Not found: {}", shown(&value.into())), detail);
    }

    pub fn forbidden(&mut self, path: &Path<'_>, detail: impl Display) {
        self.push("FieldValueForbidden", path, "Forbidden".into(), detail);
    }

    pub fn too_long(&mut self, path: &Path<'_>, most: usize) {
        let unit = if most == 1 { "byte" } else { "bytes" };
        self.push("FieldValueTooLong", path, "Too long".into(), format!("may not be more than {most} {unit}"));
    }

    pub fn too_many(&mut self, path: &Path<'_>, count: usize, most: usize) {
        let unit = if most == 1 { "item" } else { "items" };
        self.push("FieldValueTooMany", path, format!("Too many: {count}"), format!("must have at most {most} {unit}"));
    }

    /// A cause for each message, all of one value.
    pub fn all(&mut self, path: &Path<'_>, value: &str, messages: Vec<String>) {
        for message in messages {
            self.invalid(path, value, message);
        }
    }
}

/// A value as the messages show it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => go_json(other),
    }
}

/// A text in quotes as Go's `%q` writes it.
pub(in crate::sandbox::kinds) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// JSON as Go writes it: keys of maps in order, and what HTML would read escaped.
fn go_json(value: &Value) -> String {
    let mut value = value.clone();
    sort_maps(&mut value);
    let text = serde_json::to_string(&value).unwrap_or_default();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Puts maps of texts in order; structs are shown in an order of their own.
fn sort_maps(value: &mut Value) {
    match value {
        Value::Object(fields) if fields.values().all(Value::is_string) => fields.sort_keys(),
        Value::Object(fields) => fields.values_mut().for_each(sort_maps),
        Value::Array(items) => items.iter_mut().for_each(sort_maps),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn causes_are_worded_as_the_server_words_them() {
        let mut causes = Causes::default();
        let spec = Path::Root.to("spec");
        let list = spec.to("containers");
        causes.required(&list.index(0).to("name"), "");
        causes.unsupported(&spec.to("restartPolicy"), "Sometimes", &["Always", "Never"]);
        causes.invalid(&spec.to("replicas"), -1, "must be greater than or equal to 0");
        causes.invalid(&spec.to("selector"), json!({"matchLabels": {"a": "b"}}), "field is immutable");
        let found: Vec<String> =
            causes.into_found().iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let expected = [
            "spec.containers[0].name: Required value",
            r#"spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never""#,
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            r#"spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable"#,
        ];
        assert_eq!(found, expected);
    }
}
