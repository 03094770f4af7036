//! Answers without what differs between any two servers: identities, times, addresses, and the order of what has none.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::server::{Answer, Session};

static UID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap());
static NOW: LazyLock<Regex> = LazyLock::new(|| {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    Regex::new(&format!(r"{today}T\d\d:\d\d:\d\d(\.\d+)?Z")).unwrap()
});
/// The object that a patch gave, inside of a message: its keys are in no order.
static PATCHED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"Invalid value: "(\{|map\[).*": "#).unwrap());
static AGE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d+s$").unwrap());
static VERSION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"resource version: \d+|current: \d+|\(\d+\)").unwrap());
static GENERATED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(fidelity-gen-|gen-|Bad_)[bcdfghjklmnpqrstvwxz2456789]{5}").unwrap());

/// An answer in the form in which two are compared.
pub fn answer(session: &mut Session, answer: &Answer, with_status: bool) -> Value {
    let mut body = events_of(&answer.body).map_or_else(|| answer.body.clone(), Value::from);
    remember(session, &mut body);
    without_others(&mut body);
    clean(&mut body, "", with_status);
    let mut warnings: Vec<String> = answer.warnings.iter().map(|warning| text(warning)).collect();
    warnings.sort();
    json!({"status": answer.status, "type": answer.content_type, "warnings": warnings, "body": body})
}

/// Discovery of all groups without those that other sequences define and remove meanwhile.
fn without_others(body: &mut Value) {
    let list = match body["kind"].as_str() {
        Some("APIGroupDiscoveryList") => "items",
        Some("APIGroupList") => "groups",
        _ => return,
    };
    if let Some(Value::Array(groups)) = body.get_mut(list) {
        groups.retain(|group| {
            let name = group["name"].as_str().or_else(|| group["metadata"]["name"].as_str());
            !name.is_some_and(is_custom)
        });
    }
}

/// The events of a watch that has ended, one in a line; None where the body is no such thing.
pub fn events_of(body: &Value) -> Option<Vec<Value>> {
    match body {
        // One event alone is one JSON document.
        Value::Object(fields) if fields.contains_key("object") && fields.contains_key("type") => {
            Some(vec![body.clone()])
        }
        Value::String(text) if text.starts_with("{\"type\"") => {
            Some(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
        }
        _ => None,
    }
}

/// Whether a write changed something is told by the object's version, which is noted before it is taken out.
fn remember(session: &mut Session, body: &mut Value) {
    session.note_page(body);
    match body.get_mut("items") {
        Some(Value::Array(items)) => items.iter_mut().for_each(|item| remember_one(session, item)),
        _ => remember_one(session, body),
    }
}

fn remember_one(session: &mut Session, object: &mut Value) {
    if object["metadata"]["name"].is_string() && object["metadata"]["uid"].is_string() {
        let word = session.note(object);
        object["metadata"]["resourceVersion"] = json!(word);
    }
}

/// An event of a watch in the form in which two are compared.
pub fn event(mut event: Value, with_status: bool) -> Value {
    clean(&mut event, "", with_status);
    event
}

fn clean(value: &mut Value, key: &str, with_status: bool) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("metadata") && !with_status {
                fields.remove("status");
            }
            if let Some(prefix) = fields.get("generateName").and_then(Value::as_str).map(str::to_owned) {
                fields.insert("name".into(), json!(format!("{prefix}<generated>")));
            }
            // What is wrong with a custom object comes in no order.
            if fields.get("details").is_some_and(|details| details["group"].as_str().is_some_and(is_custom)) {
                unordered(fields);
            }
            for (key, value) in fields.iter_mut() {
                clean(value, key, with_status);
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| clean(item, key, with_status));
            if key == "managedFields" {
                sort_entries(items, with_status);
            } else if key == "causes" {
                sort_conflicts(items);
            }
        }
        Value::String(said) => *said = word(key, said),
        Value::Number(number) if key == "nodePort" && number.as_u64() > Some(29_999) => *value = json!("<port>"),
        _ => {}
    }
}

/// Entries of one second come in no order between two servers.
fn sort_entries(entries: &mut Vec<Value>, with_status: bool) {
    if !with_status {
        entries.retain(|entry| entry["manager"] != "kube-controller-manager");
    }
    let words = |entry: &Value| {
        ["operation", "manager", "apiVersion", "subresource"]
            .map(|key| entry[key].as_str().unwrap_or_default().to_owned())
    };
    entries.sort_by_key(words);
}

fn is_custom(group: &str) -> bool {
    group.ends_with("example.com")
}

fn unordered(status: &mut serde_json::Map<String, Value>) {
    let Some(Value::Array(causes)) = status.get_mut("details").and_then(|details| details.get_mut("causes")) else {
        return;
    };
    causes.sort_by_key(Value::to_string);
    let several = causes.len() > 1;
    if let Some(Value::String(message)) = status.get_mut("message").filter(|_| several) {
        let named = message.split(" is invalid: [").next().unwrap_or_default();
        *message = format!("{named} is invalid: [<causes>]");
    }
}

/// Conflicts come by manager in no order.
fn sort_conflicts(causes: &mut [Value]) {
    if causes.iter().all(|cause| cause["reason"] == "FieldManagerConflict") {
        causes.sort_by_key(|cause| format!("{} {}", cause["message"], cause["field"]));
    }
}

fn word(key: &str, said: &str) -> String {
    match key {
        "resourceVersion" if !said.starts_with('<') => "<version>".into(),
        "serverAddress" => "<address>".into(),
        "continue" => "<continue>".into(),
        "clusterIP" | "clusterIPs" | "cells" if said.starts_with("10.") => "<address>".into(),
        "cells" if AGE.is_match(said) => "<age>".into(),
        _ => text(said),
    }
}

fn text(said: &str) -> String {
    let said = UID.replace_all(said, "<uid>");
    let said = NOW.replace_all(&said, "<now>");
    let said = PATCHED.replace_all(&said, "Invalid value: \"<object>\": ");
    let said = GENERATED.replace_all(&said, "$1<generated>");
    let said = VERSION.replace_all(&said, "<version>");
    // Go goes through maps in no order, and so through what is wrong with them.
    match said.split_once(": errors:\n") {
        Some((before, faults)) => {
            let mut faults: Vec<&str> = faults.lines().collect();
            faults.sort_unstable();
            format!("{before}: errors:\n{}", faults.join("\n"))
        }
        None => said.into(),
    }
}
