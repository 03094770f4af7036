//! Bodies in protobuf, which clients written in Go send for built-in kinds: read by the table of types, with the numbers
//! of their fields from `protobuf.json.gz` (made by `tools/schema-table`).

use std::{
    collections::{BTreeMap, HashMap},
    io::Read as _,
    sync::OnceLock,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::schema::{Schema, Shape, Type};

static PACKED: &[u8] = include_bytes!("protobuf.json.gz");

/// What every body begins with (`k8s.io/apimachinery/pkg/runtime/serializer/protobuf`).
const BEGINNING: &[u8] = b"k8s\0";
/// How deep messages may lie in each other.
const DEEPEST: usize = 100;

/// The fields of a message by their numbers: the name in JSON, or the message whose fields count as its own.
type Message = BTreeMap<u32, (String, String)>;

fn messages() -> &'static HashMap<String, Message> {
    static TABLE: OnceLock<HashMap<String, Message>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut json = Vec::new();
        let read = GzDecoder::new(PACKED).read_to_end(&mut json);
        // A table that does not unpack is a broken build, which the test below finds.
        read.ok().and_then(|_| serde_json::from_slice(&json).ok()).unwrap_or_default()
    })
}

/// The object of a body, with its kind and version. None for what is no such body, or of a kind that is not known.
pub(super) fn decode(schema: &Schema, bytes: &[u8]) -> Option<Value> {
    let envelope = fields(bytes.strip_prefix(BEGINNING)?)?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, field) in envelope {
        match (number, field) {
            (1, Wire::Bytes(meta)) => {
                for (number, field) in fields(meta)? {
                    match (number, field) {
                        (1, Wire::Bytes(text)) => api_version = String::from_utf8(text.into()).ok()?,
                        (2, Wire::Bytes(text)) => kind = String::from_utf8(text.into()).ok()?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    if kind == "DeleteOptions" {
        return delete_options(raw);
    }
    let root = schema.kind(&api_version, &kind).or_else(|| schema.view(&api_version, &kind))?;
    let known = schema.get(root.root)?;
    let mut object = Map::new();
    object.insert("kind".into(), kind.into());
    object.insert("apiVersion".into(), api_version.into());
    message(schema, known, &key(known), raw, &mut object, 0)?;
    Some(Value::Object(object))
}

/// `DeleteOptions` are no kind of the table.
fn delete_options(raw: &[u8]) -> Option<Value> {
    let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
    for (number, field) in fields(raw)? {
        match (number, field) {
            (1, Wire::Number(seconds)) => options["gracePeriodSeconds"] = seconds.cast_signed().into(),
            (2, Wire::Bytes(conditions)) => {
                for (number, field) in fields(conditions)? {
                    let name = if number == 1 { "uid" } else { "resourceVersion" };
                    options["preconditions"][name] = scalar(&Shape::String, &field)?;
                }
            }
            (3, Wire::Number(orphan)) => options["orphanDependents"] = (orphan != 0).into(),
            (4, field) => options["propagationPolicy"] = scalar(&Shape::String, &field)?,
            (5, field) => {
                let mut stages = options["dryRun"].as_array().cloned().unwrap_or_default();
                stages.push(scalar(&Shape::String, &field)?);
                options["dryRun"] = stages.into();
            }
            _ => {}
        }
    }
    Some(options)
}

/// The last three parts of a type's name: `core.v1.PodSpec`.
fn key(known: &Type) -> String {
    let mut parts: Vec<&str> = known.name.rsplitn(4, '.').take(3).collect();
    parts.reverse();
    parts.join(".")
}

/// A field as it is on the wire.
enum Wire<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    Double(f64),
}

/// The fields of a message in their order; None where the bytes are none.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u32, Wire<'_>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        let field = match tag & 7 {
            0 => Wire::Number(number(&mut bytes)?),
            1 => Wire::Double(f64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(number(&mut bytes)?).ok()?;
                Wire::Bytes(take(&mut bytes, length)?)
            }
            _ => return None,
        };
        found.push((u32::try_from(tag >> 3).ok()?, field));
    }
    Some(found)
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn message(
    schema: &Schema,
    known: &Type,
    key: &str,
    bytes: &[u8],
    into: &mut Map<String, Value>,
    depth: usize,
) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    let numbers = messages().get(key)?;
    for (number, field) in fields(bytes)? {
        let Some((name, embedded)) = numbers.get(&number) else { continue };
        if !embedded.is_empty() {
            if let Wire::Bytes(bytes) = field {
                message(schema, known, embedded, bytes, into, depth + 1)?;
            }
            continue;
        }
        let Some(known) = known.field(name) else { continue };
        match &known.shape {
            Shape::List(items) => {
                let item = value(schema, name, items, &field, depth)?;
                if let Value::Array(list) = into.entry(name.as_str()).or_insert_with(|| json!([])) {
                    list.push(item);
                }
            }
            Shape::Map(values) => {
                let Wire::Bytes(entry) = field else { return None };
                let (mut key, mut held) = (String::new(), None);
                for (number, field) in fields(entry)? {
                    match (number, field) {
                        (1, Wire::Bytes(text)) => key = String::from_utf8(text.into()).ok()?,
                        (2, field) => held = Some(value(schema, name, values, &field, depth)?),
                        _ => {}
                    }
                }
                if let Value::Object(map) = into.entry(name.as_str()).or_insert_with(|| json!({})) {
                    map.insert(key, held.unwrap_or_else(|| "".into()));
                }
            }
            shape => {
                let found = value(schema, name, shape, &field, depth)?;
                if !found.is_null() {
                    into.insert(name.clone(), found);
                }
            }
        }
    }
    Some(())
}

/// One value of a shape.
fn value(schema: &Schema, name: &str, shape: &Shape, field: &Wire<'_>, depth: usize) -> Option<Value> {
    let Wire::Bytes(bytes) = field else { return scalar(shape, field) };
    match shape {
        Shape::Object(id) => {
            let known = schema.get(*id)?;
            let mut object = Map::new();
            message(schema, known, &key(known), bytes, &mut object, depth + 1)?;
            Some(Value::Object(object))
        }
        Shape::Any => any(bytes),
        Shape::Time => time(name, bytes),
        Shape::Quantity => match fields(bytes)?.as_slice() {
            [(1, text), ..] => scalar(&Shape::String, text),
            _ => Some("0".into()),
        },
        Shape::IntOrString => {
            let (mut is_text, mut number, mut text) = (false, 0, Value::Null);
            for (at, field) in fields(bytes)? {
                match (at, field) {
                    (1, Wire::Number(kind)) => is_text = kind == 1,
                    (2, Wire::Number(found)) => number = found.cast_signed(),
                    (3, found) => text = scalar(&Shape::String, &found)?,
                    _ => {}
                }
            }
            Some(if is_text { text } else { number.into() })
        }
        // A list as the value of a map is a message of its own.
        Shape::List(items) => {
            fields(bytes)?.iter().map(|(_, field)| value(schema, name, items, field, depth + 1)).collect()
        }
        Shape::Map(_) => None,
        shape => scalar(shape, field),
    }
}

/// JSON as it stands: `RawExtension`, `FieldsV1`, `JSON`.
fn any(bytes: &[u8]) -> Option<Value> {
    match fields(bytes)?.as_slice() {
        [(1, Wire::Bytes(raw)), ..] => serde_json::from_slice(raw).ok(),
        _ => Some(Value::Null),
    }
}

fn time(name: &str, bytes: &[u8]) -> Option<Value> {
    let (mut seconds, mut nanoseconds) = (0, 0);
    for (number, field) in fields(bytes)? {
        match (number, field) {
            (1, Wire::Number(found)) => seconds = found.cast_signed(),
            (2, Wire::Number(found)) => nanoseconds = i32::try_from(found).ok()?,
            _ => {}
        }
    }
    // The zero time of Go, and what is written for none.
    if bytes.is_empty() || seconds <= -62_135_596_800 {
        return Some(Value::Null);
    }
    let micro = matches!(name, "acquireTime" | "renewTime" | "eventTime" | "lastObservedTime");
    let format = if micro { "%Y-%m-%dT%H:%M:%S.%6fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    Some(Timestamp::new(seconds, nanoseconds).ok()?.strftime(format).to_string().into())
}

fn scalar(shape: &Shape, field: &Wire<'_>) -> Option<Value> {
    match (shape, field) {
        (Shape::Boolean, Wire::Number(number)) => Some((*number != 0).into()),
        (_, Wire::Number(number)) => Some(number.cast_signed().into()),
        (_, Wire::Double(number)) => Some((*number).into()),
        (Shape::Bytes, Wire::Bytes(bytes)) => Some(BASE64_STANDARD.encode(bytes).into()),
        (_, Wire::Bytes(bytes)) => String::from_utf8((*bytes).into()).ok().map(Value::String),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::builtin;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut all = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        all.extend_from_slice(bytes);
        all
    }

    fn body(kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [BEGINNING.to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn a_body_is_read_by_the_numbers_of_its_fields() {
        let metadata = field(1, b"a");
        let entry = [field(1, b"x"), field(2, b"1")].concat();
        let body = body("ConfigMap", &[field(1, &metadata), field(2, &entry)].concat());
        let wanted = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"x": "1"}});
        assert_eq!(decode(builtin(), &body).unwrap(), wanted);
    }

    #[test]
    fn fields_of_embedded_messages_are_the_objects_own() {
        let volume = [field(1, b"v"), field(2, &field(2, &[]))].concat();
        let body = body("Pod", &field(2, &field(1, &volume)));
        assert_eq!(decode(builtin(), &body).unwrap()["spec"], json!({"volumes": [{"name": "v", "emptyDir": {}}]}));
    }

    #[test]
    fn what_is_no_body_is_refused() {
        for bytes in [&b""[..], b"k8s\0", b"k8s\0\xff", b"{}", &body("Nope", b""), &body("Pod", b"\xff\xff")] {
            assert!(decode(builtin(), bytes).is_none(), "{bytes:?}");
        }
    }
}
