//! JSON patch (RFC 6902), as lenient as the library of the real server is (evanphx/json-patch 4.12): `replace` may add,
//! `copy` of what is absent gives null, indexes may count from the end.

use serde_json::{Map, Value};

use super::PatchFailure;

/// The most operations of one patch.
const MOST_OPERATIONS: usize = 10_000;
/// The most bytes that `copy` may make; without a limit a short patch could fill the memory.
const MOST_COPIED: usize = 3 * 1024 * 1024;

/// The live object after the operations of a patch.
pub fn json(live: &Value, patch: &[u8]) -> Result<Value, PatchFailure> {
    let operations = read(patch)?;
    if operations.len() > MOST_OPERATIONS {
        return Err(PatchFailure::TooLarge(format!(
            "The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {}",
            operations.len()
        )));
    }
    let mut document = live.clone();
    let mut copied = 0;
    for operation in &operations {
        carry_out(&mut document, operation, &mut copied).map_err(PatchFailure::Unprocessable)?;
    }
    Ok(document)
}

fn read(patch: &[u8]) -> Result<Vec<Map<String, Value>>, PatchFailure> {
    let malformed = |why: String| PatchFailure::Malformed(format!("error decoding patch: {why}"));
    let mistyped = |found: &str, wanted: &str| malformed(format!("json: cannot unmarshal {found} into Go {wanted}"));
    let parsed: Value = serde_json::from_slice(patch).map_err(|error| malformed(error.to_string()))?;
    let operations = match parsed {
        Value::Null => return Ok(Vec::new()),
        Value::Array(operations) => operations,
        other => return Err(mistyped(json_name(&other), "value of type []handlers.jsonPatchOp")),
    };
    let operation = |operation: Value| match operation {
        Value::Object(fields) => {
            for key in ["op", "path", "from"] {
                if let Some(value) = fields.get(key).filter(|value| !value.is_string() && !value.is_null()) {
                    let wanted = format!("struct field jsonPatchOp.{key} of type string");
                    return Err(mistyped(json_name(value), &wanted));
                }
            }
            Ok(fields)
        }
        Value::Null => Ok(Map::new()),
        other => Err(mistyped(json_name(&other), "value of type handlers.jsonPatchOp")),
    };
    operations.into_iter().map(operation).collect()
}

/// As Go's JSON errors name a value.
fn json_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn carry_out(document: &mut Value, operation: &Map<String, Value>, copied: &mut usize) -> Result<(), String> {
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    let path = || text("path").ok_or_else(|| "the operation has no path".to_owned());
    let from = || text("from").ok_or_else(|| "the operation has no from".to_owned());
    let value = operation.get("value").unwrap_or(&Value::Null);
    match text("op").unwrap_or_default() {
        "add" => add(document, path()?, value.clone()),
        "remove" => remove(document, path()?).map(|_| ()),
        "replace" => replace(document, path()?, value.clone()),
        "move" => {
            let from = from()?;
            let moved = remove(document, from)?;
            add(document, path()?, moved)
        }
        "copy" => {
            let copy = get(document, from()?)?.cloned().unwrap_or_default();
            *copied += copy.to_string().len();
            if *copied > MOST_COPIED {
                return Err(format!("copies of {copied} bytes are more than {MOST_COPIED}"));
            }
            add(document, path()?, copy)
        }
        "test" => test(document, path()?, value),
        other => Err(format!("Unexpected kind: {other}")),
    }
}

/// The map or list that holds a place, and the last step to it.
fn holder<'d>(document: &'d mut Value, path: &str) -> Result<(&'d mut Value, String), String> {
    let missing = || format!("doc is missing path: {path:?}");
    let mut steps: Vec<&str> = path.split('/').collect();
    let last = steps.pop().filter(|_| !steps.is_empty()).ok_or_else(missing)?;
    let mut at = document;
    for step in steps.into_iter().skip(1) {
        at = match at {
            Value::Object(fields) => fields.get_mut(&decoded(step)).ok_or_else(missing)?,
            Value::Array(items) => {
                let index = index(step, items.len())?;
                items.get_mut(index).ok_or_else(missing)?
            }
            _ => return Err(missing()),
        };
    }
    if at.is_object() || at.is_array() { Ok((at, decoded(last))) } else { Err(missing()) }
}

fn decoded(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// An index of a list; a negative one counts from the end.
fn index(step: &str, length: usize) -> Result<usize, String> {
    let wrong = || format!("Unable to access invalid index: {step}");
    let index: i64 = step.parse().map_err(|_| wrong())?;
    let length = i64::try_from(length).map_err(|_| wrong())?;
    let index = if index < 0 { index + length } else { index };
    usize::try_from(index).ok().filter(|_| index < length).ok_or_else(wrong)
}

/// None for an absent key of a map; an error for anything else that is not there.
fn get<'d>(document: &'d mut Value, path: &str) -> Result<Option<&'d Value>, String> {
    match holder(document, path)? {
        (Value::Object(fields), key) => Ok(fields.get(&key)),
        (Value::Array(items), step) => {
            let index = index(&step, items.len())?;
            Ok(items.get(index))
        }
        _ => Ok(None),
    }
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    match holder(document, path)? {
        (Value::Object(fields), key) => {
            fields.insert(key, value);
        }
        (Value::Array(items), step) if step == "-" => items.push(value),
        (Value::Array(items), step) => {
            let index = index(&step, items.len() + 1)?;
            items.insert(index, value);
        }
        _ => {}
    }
    Ok(())
}

fn remove(document: &mut Value, path: &str) -> Result<Value, String> {
    match holder(document, path)? {
        (Value::Object(fields), key) => {
            fields.shift_remove(&key).ok_or_else(|| format!("Unable to remove nonexistent key: {key}"))
        }
        (Value::Array(items), step) => {
            let index = index(&step, items.len())?;
            Ok(items.remove(index))
        }
        _ => Ok(Value::Null),
    }
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        if !value.is_object() && !value.is_array() {
            return Err("replace operation value must be object or array".into());
        }
        *document = value;
        return Ok(());
    }
    match holder(document, path)? {
        (Value::Object(fields), key) => {
            fields.insert(key, value);
        }
        (Value::Array(items), step) => {
            let index = index(&step, items.len())?;
            if let Some(slot) = items.get_mut(index) {
                *slot = value;
            }
        }
        _ => {}
    }
    Ok(())
}

fn test(document: &mut Value, path: &str, wanted: &Value) -> Result<(), String> {
    let found = if path.is_empty() { Some(&*document) } else { get(document, path)? };
    if found.unwrap_or(&Value::Null) == wanted { Ok(()) } else { Err(format!("testing value {path} failed")) }
}
