//! ConfigMaps and Secrets.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    text,
};
use crate::schema::scalar::base64_length;

/// The most that all values may come to, in bytes.
const LARGEST: usize = 1024 * 1024;

fn keys(object: &Value, part: &str, causes: &mut Causes) {
    let path = Path::Root.to(part);
    for key in object.fields(&[part]).into_iter().flat_map(Map::keys) {
        causes.all(&path.key(key), key, text::config_key(key));
    }
}

/// What an object that was made immutable may not change any more.
pub(super) fn fixed(object: &Value, live: &Value, parts: &[&str], causes: &mut Causes) {
    if !live.is_true(&["immutable"]) {
        return;
    }
    if !object.is_true(&["immutable"]) {
        causes.forbidden(&Path::Root.to("immutable"), "field is immutable when `immutable` is set");
    }
    for part in parts.iter().filter(|part| object.get(part) != live.get(part)) {
        causes.forbidden(&Path::Root.to(part), "field is immutable when `immutable` is set");
    }
}

pub(super) fn config_map(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("data");
    let (texts, bytes) = (object.fields(&["data"]), object.fields(&["binaryData"]));
    for key in texts.into_iter().flat_map(Map::keys) {
        causes.all(&path.key(key), key, text::config_key(key));
        if bytes.is_some_and(|bytes| bytes.contains_key(key)) {
            causes.invalid(&path.key(key), key.as_str(), "duplicate of key present in binaryData");
        }
    }
    keys(object, "binaryData", causes);
    let text_size: usize = texts.into_iter().flat_map(Map::values).filter_map(Value::as_str).map(str::len).sum();
    let byte_size: usize =
        bytes.into_iter().flat_map(Map::values).filter_map(Value::as_str).filter_map(base64_length).sum();
    if text_size + byte_size > LARGEST {
        causes.too_long(&Path::Root, LARGEST);
    }
}

/// A Secret that is changed: its type stays.
pub(super) fn changed_secret(object: &Value, live: &Value, causes: &mut Causes) {
    super::meta::immutable(object, live, &["type"], &Path::Root.to("type"), causes);
    fixed(object, live, &["data"], causes);
}

pub(super) fn secret(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("data");
    keys(object, "data", causes);
    let values = object.fields(&["data"]).into_iter().flat_map(Map::values);
    let size: usize = values.filter_map(Value::as_str).filter_map(base64_length).sum();
    if size > LARGEST {
        causes.too_long(&path, LARGEST);
    }
    let has = |key: &str| object.has(&["data", key]);
    match object.text(&["type"]) {
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            if object.text(&["metadata", "annotations", key]).is_empty() {
                let metadata = Path::Root.to("metadata");
                causes.required(&metadata.to("annotations").key(key), "");
            }
        }
        "kubernetes.io/dockercfg" => docker(object, ".dockercfg", &path, causes),
        "kubernetes.io/dockerconfigjson" => docker(object, ".dockerconfigjson", &path, causes),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            causes.required(&path.key("username"), "");
            causes.required(&path.key("password"), "");
        }
        "kubernetes.io/ssh-auth" if object.text(&["data", "ssh-privatekey"]).is_empty() => {
            causes.required(&path.key("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"].into_iter().filter(|key| !has(key)) {
                causes.required(&path.key(key), "");
            }
        }
        _ => {}
    }
}

fn docker(object: &Value, key: &str, path: &Path<'_>, causes: &mut Causes) {
    let Some(packed) = object.at(&["data", key]).and_then(Value::as_str) else {
        return causes.required(&path.key(key), "");
    };
    let bytes = BASE64_STANDARD.decode(packed).unwrap_or_default();
    if let Err(fault) = serde_json::from_slice::<Map<String, Value>>(&bytes) {
        let first = bytes.iter().map(|byte| char::from(*byte)).find(|c| !c.is_whitespace());
        let said = match first {
            _ if fault.is_eof() => "unexpected end of JSON input".into(),
            Some(c) if c != '{' => format!("invalid character '{c}' looking for beginning of value"),
            _ => fault.to_string(),
        };
        causes.invalid_as(&path.key(key), "\"<secret contents redacted>\"", said);
    }
}
