//! Values of another type than their field has, in the words of the two ways in which the real server reads objects.

use serde_json::Value;

use super::types::{Form, Inner, Place, Types};
use crate::{
    sandbox::go,
    schema::{Shape, Type, scalar},
};

/// A value that does not fit.
struct Misfit<'v> {
    /// The Go struct that has the field, and the way to it: `DeploymentSpec`, `spec.replicas`.
    holder: String,
    path: String,
    /// The Go type of the field.
    wanted: String,
    found: &'v Value,
    /// What is wrong with a string that has to be read as something else.
    unread: Option<String>,
}

/// What is wrong with the types of an object that is read from JSON: `json: cannot unmarshal …`. Only built-in kinds are
/// read so.
pub fn mistyped(types: Types<'_>, object: &Value) -> Option<String> {
    let misfit = first(types, object)?;
    if let Some(why) = misfit.unread {
        return Some(why);
    }
    let found = match misfit.found {
        Value::Number(number) if misfit.wanted.starts_with("int") => format!("number {number}"),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Bool(_) => "bool".into(),
        Value::Array(_) => "array".into(),
        Value::Object(_) => "object".into(),
        Value::Null => "null".into(),
    };
    let Misfit { holder, path, wanted, .. } = misfit;
    if path.is_empty() {
        return Some(format!("json: cannot unmarshal {found} into Go value of type {wanted}"));
    }
    Some(format!("json: cannot unmarshal {found} into Go struct field {holder}.{path} of type {wanted}"))
}

/// What is wrong with the types of an object that a strategic merge patch gave: `cannot convert int64 to string`.
pub fn unconvertible(types: Types<'_>, object: &Value) -> Option<String> {
    let misfit = first(types, object)?;
    if let Some(why) = misfit.unread {
        let decoded = if why.starts_with(ILLEGAL_BASE64) { "error decoding from json: " } else { "" };
        return Some(format!("{decoded}{why}"));
    }
    let found = match go::type_name(misfit.found) {
        "[]interface {}" => "slice",
        "map[string]interface {}" => "map",
        other => other,
    };
    Some(match misfit.wanted.as_str() {
        wanted if wanted.starts_with("[]") => format!("cannot restore slice from {found}"),
        wanted if wanted.starts_with("map[") => format!("cannot restore map from {found}"),
        wanted if wanted.contains('.') => format!("cannot restore struct from: {found}"),
        // Go converts numbers to texts, and hardly anything else.
        wanted if !misfit.found.is_number() => format!("unrecognized type: {wanted}"),
        wanted => format!("cannot convert {} to {wanted}", go::type_name(misfit.found)),
    })
}

fn first<'v>(types: Types<'_>, object: &'v Value) -> Option<Misfit<'v>> {
    if types.schema.is_custom() || types.root.is_none() {
        return None;
    }
    look(types.top(), object, types.kind, "")
}

fn look<'v>(place: Place<'_>, value: &'v Value, holder: &str, path: &str) -> Option<Misfit<'v>> {
    let misfit = |unread: Option<String>| {
        let (holder, path) = (holder.to_owned(), path.to_owned());
        Some(Misfit { holder, path, wanted: place.go_type(), found: value, unread })
    };
    match (place.form, value) {
        (_, Value::Null) => None,
        (Form::Struct(known) | Form::AtomicMap(Inner::Struct(known)), Value::Object(fields)) => {
            fields.iter().find_map(|(key, value)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                look(place.child(key).0, value, known.short_name(), &path)
            })
        }
        (Form::Map(_) | Form::AtomicMap(_), Value::Object(fields)) => {
            fields.iter().find_map(|(key, value)| look(place.child(key).0, value, holder, path))
        }
        (Form::List(_), Value::Array(items)) => items.iter().find_map(|item| look(place.item(), item, holder, path)),
        (Form::Unknown | Form::AtomicMap(Inner::Unknown), _) => None,
        (Form::String, Value::String(text)) if place.shape == Some(&Shape::Bytes) => {
            illegal_byte(text).and_then(|at| misfit(Some(format!("{ILLEGAL_BASE64} {at}"))))
        }
        (Form::String, Value::String(_)) | (Form::Boolean, Value::Bool(_)) => None,
        (Form::Number, Value::Number(number)) if number.is_i64() || number.is_u64() => None,
        (Form::Number, Value::Number(number)) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => None,
        (Form::Scalar, value) => match (place.shape, value) {
            (Some(Shape::Time), Value::String(text)) if !scalar::is_time(text) => {
                misfit(Some(unread_time(text, is_micro(holder, path))))
            }
            (Some(Shape::Time), Value::String(text)) if is_micro(holder, path) => {
                without_microseconds(text).and_then(|why| misfit(Some(why)))
            }
            (Some(Shape::Quantity), Value::String(text)) if !scalar::is_quantity(text) => {
                misfit(Some(UNREAD_QUANTITY.into()))
            }
            (Some(Shape::IntOrString), Value::Number(number)) if !number.is_i64() => {
                misfit(None).map(|misfit| Misfit { wanted: "int32".into(), ..misfit })
            }
            (Some(Shape::IntOrString), Value::String(_) | Value::Number(_)) => None,
            (Some(Shape::Quantity), Value::String(_) | Value::Number(_)) => None,
            (Some(Shape::Time), Value::String(_)) => None,
            _ => misfit(None),
        },
        _ => misfit(None),
    }
}

const UNREAD_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const ILLEGAL_BASE64: &str = "illegal base64 data at input byte";

/// Where Go stops to read base64; None where it is in order.
fn illegal_byte(text: &str) -> Option<usize> {
    if scalar::is_base64(text) {
        return None;
    }
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n');
    Some(text.bytes().position(|byte| !is_known(byte)).unwrap_or(text.len() / 4 * 4))
}

const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const MICROSECONDS: &str = "2006-01-02T15:04:05.000000Z07:00";

fn unread_time(text: &str, micro: bool) -> String {
    let layout = if micro { MICROSECONDS } else { SECONDS };
    format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\"")
}

/// Whether Go holds the time of this field to the microsecond, which OpenAPI does not say.
fn is_micro(holder: &str, path: &str) -> bool {
    let field = path.rsplit('.').next().unwrap_or_default();
    matches!(
        (holder, field),
        ("LeaseSpec", "acquireTime" | "renewTime") | ("Event", "eventTime") | ("EventSeries", "lastObservedTime")
    )
}

/// Such a time has six digits after the second; what is wrong where it has not.
fn without_microseconds(text: &str) -> Option<String> {
    let rest = text.get("2006-01-02T15:04:05".len()..)?;
    let digits = rest.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    (digits != 6).then(|| format!("parsing time {text:?} as {MICROSECONDS:?}: cannot parse {rest:?} as \".000000\""))
}

impl Place<'_> {
    /// The Go type of what is here, as error messages name it.
    fn go_type(self) -> String {
        match self.form {
            Form::Struct(known) | Form::AtomicMap(Inner::Struct(known)) => struct_type(known),
            Form::Map(values) | Form::AtomicMap(Inner::Map(values)) => {
                format!("map[string]{}", self.of_shape(values).go_type())
            }
            Form::List(list) => format!("[]{}", self.of_shape(list.items).go_type()),
            Form::String => if self.shape == Some(&Shape::Bytes) { "[]uint8" } else { "string" }.into(),
            Form::Number => match self.shape {
                Some(Shape::Int32) => "int32",
                Some(Shape::Int64) => "int64",
                _ => "float64",
            }
            .into(),
            Form::Boolean => "bool".into(),
            Form::Scalar => match self.shape {
                Some(Shape::Time) => "v1.Time",
                Some(Shape::Quantity) => "resource.Quantity",
                _ => "intstr.IntOrString",
            }
            .into(),
            Form::Unknown | Form::AtomicMap(Inner::Unknown) => "interface {}".into(),
        }
    }
}

/// `v1.PodSpec`
fn struct_type(known: &Type) -> String {
    let mut parts = known.name.rsplit('.');
    let (name, package) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{package}.{name}")
}
