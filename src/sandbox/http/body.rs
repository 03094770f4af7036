//! Bodies of requests: bounded, and read as what they say they are.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use serde_json::Value;

use super::protobuf;
use crate::{
    sandbox::{go, problem::Problem},
    schema,
};

/// `MaxRequestBodyBytes` of the API server.
pub(super) const LIMIT: usize = 3 * 1024 * 1024;

/// The whole body.
///
/// # Errors
/// It is longer than the limit, or the client went away.
pub(super) async fn read(mut body: Incoming) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {LIMIT}"));
    if body.size_hint().lower() > LIMIT as u64 {
        return Err(too_large());
    }
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad_request(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if collected.len() + data.len() > LIMIT {
            return Err(too_large());
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}

/// The media type of a content type, in lower case and without parameters.
pub(super) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// An object of the kind that is expected.
///
/// # Errors
/// Another media type than JSON and YAML, and what cannot be read.
pub(super) fn object(bytes: &[u8], media_type: &str, expected: &str) -> Result<Value, Problem> {
    let unrecognized = |why: String| {
        Problem::bad_request(format!(
            "the object provided is unrecognized (must be of type {expected}): couldn't get version/kind; json parse error: {why} ({})",
            shown(bytes)
        ))
    };
    match media_type {
        "application/json" => {
            let value = parse(bytes).map_err(unrecognized)?;
            if let Some(what) = not_an_object(&value) {
                return Err(unrecognized(format!(
                    "json: cannot unmarshal {what} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
                )));
            }
            Ok(value)
        }
        "application/vnd.kubernetes.protobuf" => protobuf::decode(schema::builtin(), bytes).ok_or_else(|| {
            Problem::bad_request(format!("the object provided is unrecognized (must be of type {expected})"))
        }),
        "application/yaml" => serde_yaml::from_slice(bytes).map_err(|error| {
            Problem::bad_request(format!(
                "the object provided is unrecognized (must be of type {expected}): {} ({})",
                yaml_fault(&error),
                shown(bytes)
            ))
        }),
        _ => Err(Problem::new(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        )),
    }
}

/// What is wrong with YAML, as Go's library says it: `yaml: line 1: did not find expected node content`.
pub(super) fn yaml_fault(error: &serde_yaml::Error) -> String {
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or(&said);
    match error.location() {
        Some(place) => format!("yaml: line {}: {what}", place.line().saturating_sub(1).max(1)),
        None => format!("yaml: {what}"),
    }
}

fn not_an_object(value: &Value) -> Option<&'static str> {
    match value {
        Value::Object(_) | Value::Null => None,
        Value::Array(_) => Some("array"),
        Value::String(_) => Some("string"),
        Value::Number(_) => Some("number"),
        Value::Bool(_) => Some("bool"),
    }
}

/// JSON, with Go's words for what is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| go::json_error(bytes, &error))
}

/// The body as messages show it: hexadecimal where it does not begin as an object, and only its beginning.
fn shown(bytes: &[u8]) -> String {
    const SHOWN: usize = 30;
    if bytes.is_empty() {
        return "<empty>".into();
    }
    let cut = bytes.get(..SHOWN).unwrap_or(bytes);
    let more = if bytes.len() > SHOWN { " ..." } else { "" };
    match std::str::from_utf8(cut) {
        Ok(text) if bytes.starts_with(b"{") => format!("{text}{more}"),
        _ => format!("{}{more}", cut.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}
