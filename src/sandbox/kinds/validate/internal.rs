//! Objects as an API server keeps them inside, in Go's structs: so it shows them in some messages, and what differs.
//!
//! `internal.json.gz` has the structs; `tools/schema-table/` writes it.

use std::{collections::HashMap, io::Read as _, sync::OnceLock};

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use super::difference::unified;

static PACKED: &[u8] = include_bytes!("internal.json.gz");

/// The most structs within each other.
const DEEPEST: usize = 30;

/// The fields of a struct: name and type; embedded ones have no name.
type Fields = Vec<(String, String)>;

fn table() -> &'static HashMap<String, Fields> {
    static TABLE: OnceLock<HashMap<String, Fields>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut json = Vec::new();
        let read = GzDecoder::new(PACKED).read_to_end(&mut json);
        // A table that does not unpack is a broken build, which the test below finds.
        read.ok().and_then(|_| serde_json::from_slice(&json).ok()).unwrap_or_default()
    })
}

/// A value of the API as the struct of that name.
pub(super) fn shown(name: &str, value: &Value) -> Value {
    structure(name, value, 0)
}

/// What differs between two values of the API, each as the struct of that name.
pub(super) fn difference(name: &str, old: &Value, new: &Value) -> String {
    let pretty = |value: &Value| indented(&shown(name, value));
    unified(&pretty(old), &pretty(new))
}

/// As Go's `json.MarshalIndent` with one space.
fn indented(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    if serde::Serialize::serialize(value, &mut serializer).is_err() {
        return String::new();
    }
    String::from_utf8(bytes).unwrap_or_default()
}

fn structure(name: &str, value: &Value, depth: usize) -> Value {
    let mut shown = Map::new();
    if depth < DEEPEST {
        fields(name, value, depth, &mut shown);
    }
    shown.into()
}

fn fields(name: &str, value: &Value, depth: usize, into: &mut Map<String, Value>) {
    let Some(known) = table().get(name) else { return };
    for (field, held) in known {
        if !field.is_empty() {
            let found = member(name, field, value);
            into.insert(field.clone(), of_type(held, found, depth + 1));
        } else if held.ends_with("ObjectMeta") {
            // The metadata has names in JSON, and leaves out what is empty.
            let metadata = value.get("metadata").and_then(Value::as_object);
            for (key, value) in metadata.into_iter().flatten() {
                let mut value = value.clone();
                if let Value::Object(entries) = &mut value {
                    entries.sort_keys();
                }
                into.insert(key.clone(), value);
            }
        } else {
            fields(held, value, depth + 1, into);
        }
    }
}

/// The value of a field, by its name in the API: the same but for upper case.
fn member<'v>(name: &str, field: &str, value: &'v Value) -> Option<&'v Value> {
    // These are fields of the pod itself in the API.
    const OF_POD: [&str; 5] = ["HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace", "HostUsers"];
    let find = |object: &'v Value| {
        let fields = object.as_object().into_iter().flatten();
        fields.filter(|(_, value)| !value.is_null()).find(|(key, _)| key.eq_ignore_ascii_case(field)).map(|(_, v)| v)
    };
    match (name, field) {
        ("PodSpec", "SecurityContext") => Some(value),
        ("PodSecurityContext", field) if OF_POD.contains(&field) => find(value),
        ("PodSecurityContext", _) => value.get("securityContext").and_then(find),
        _ => find(value),
    }
}

fn of_type(held: &str, value: Option<&Value>, depth: usize) -> Value {
    if let Some(held) = held.strip_prefix('*') {
        return value.map_or(Value::Null, |value| of_type(held, Some(value), depth));
    }
    if held == "[]byte" {
        return value.cloned().unwrap_or_default();
    }
    if let Some(held) = held.strip_prefix("[]") {
        let items = value.and_then(Value::as_array).filter(|items| !items.is_empty());
        return items.map_or(Value::Null, |items| items.iter().map(|item| of_type(held, Some(item), depth)).collect());
    }
    if held.starts_with("map[") {
        let mut entries = value.cloned().unwrap_or_default();
        if let Value::Object(entries) = &mut entries {
            entries.sort_keys();
        }
        return entries;
    }
    let absent = match held {
        "string" | "types.UID" => json!(""),
        "bool" => json!(false),
        "int" | "int32" | "int64" | "intstr.IntOrString" => json!(0),
        "resource.Quantity" => json!("0"),
        name if table().contains_key(name) => return structure(name, value.unwrap_or(&Value::Null), depth),
        _ => Value::Null,
    };
    value.cloned().unwrap_or(absent)
}

#[cfg(test)]
mod tests {
    use super::{super::super::edit::Read as _, *};

    #[test]
    fn a_claim_is_shown_as_the_server_shows_it() {
        let old = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        let mut new = old.clone();
        new["selector"] = json!({"matchLabels": {"a": "b"}});
        let expected = "@@ -2,7 +2,11 @@\n  \"AccessModes\": [\n   \"ReadWriteOnce\"\n  ],\n- \"Selector\": null,\n\
            + \"Selector\": {\n+  \"matchLabels\": {\n+   \"a\": \"b\"\n+  }\n+ },\n  \"Resources\": {\n   \"Limits\": null,\n   \
            \"Requests\": {\n";
        assert_eq!(difference("PersistentVolumeClaimSpec", &old, &new), expected);
    }

    #[test]
    fn what_a_pod_shares_with_its_node_is_in_its_security_context() {
        let shown = shown("PodSpec", &json!({"hostNetwork": true, "securityContext": {"runAsUser": 1}}));
        assert_eq!(shown["SecurityContext"]["HostNetwork"], true);
        assert_eq!(shown["SecurityContext"]["RunAsUser"], 1);
        assert!(!shown.has(&["HostNetwork"]) && shown["Containers"].is_null());
    }
}
