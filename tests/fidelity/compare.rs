//! Where two answers differ.

use serde_json::Value;

/// One place where they do.
#[derive(Debug, Clone)]
pub struct Difference {
    /// `/body/spec/replicas`
    pub path: String,
    pub real: Value,
    pub ours: Value,
}

/// Every difference; of answers with different statuses, or of different kinds, only that, with both messages.
pub fn compare(real: &Value, ours: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    if real["status"] == ours["status"] && real["body"]["kind"] == ours["body"]["kind"] {
        walk("", real, ours, &mut found);
    } else {
        let words = |answer: &Value| {
            let said =
                answer["body"]["message"].as_str().or_else(|| answer["body"]["kind"].as_str()).unwrap_or_default();
            Value::String(format!("{} {said}", answer["status"]))
        };
        found.push(Difference { path: "/status".into(), real: words(real), ours: words(ours) });
    }
    found
}

pub fn walk(path: &str, real: &Value, ours: &Value, found: &mut Vec<Difference>) {
    match (real, ours) {
        (Value::Object(real), Value::Object(ours)) => {
            for (key, real) in real {
                walk(&format!("{path}/{key}"), real, ours.get(key).unwrap_or(&Value::Null), found);
            }
            for (key, ours) in ours {
                if !real.contains_key(key) {
                    walk(&format!("{path}/{key}"), &Value::Null, ours, found);
                }
            }
        }
        (Value::Array(real), Value::Array(ours)) if real.len() == ours.len() => {
            for (at, (real, ours)) in real.iter().zip(ours).enumerate() {
                walk(&format!("{path}/{at}"), real, ours, found);
            }
        }
        (real, ours) if real == ours => {}
        _ => found.push(Difference { path: path.into(), real: real.clone(), ours: ours.clone() }),
    }
}
