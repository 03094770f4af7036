//! Items of a list that have the same identity.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    rule::{Check, Findings, Rule},
    walk::{Seen, Visit},
};
use crate::{
    model::Severity,
    schema::{Field, ListType, Shape, Type},
};

pub(super) static RULE: Rule = Rule {
    code: "duplicate-item",
    severity: Severity::Error,
    summary: "Two items of a list have the same identity",
    help: "Server-side apply tells the items of a list apart by their keys (a container by its name, a port by number and protocol) and refuses two that are the same.",
    check: Check::Field(check),
};

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Value { value: Value::Array(items), shape: Shape::List(item), field: Some((_, field)) } = visit.seen
    else {
        return;
    };
    if field.list == ListType::Atomic || items.len() < 2 {
        return;
    }
    let kind = match **item {
        Shape::Object(id) => visit.schema.get(id),
        _ => None,
    };
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let Some(identity) = identity(field, kind, item) else { continue };
        if let Some(first) = seen.get(&identity) {
            let message = format!("{identity} is also item {first} of {}", field.name);
            findings.add(visit.manifest, visit.trail.path().index(index), message);
        } else {
            seen.insert(identity, index);
        }
    }
}

/// What tells an item from the others, in words: `name=api`.
fn identity(field: &Field, kind: Option<&Type>, item: &Value) -> Option<String> {
    if field.list == ListType::Set {
        return item.as_str().map(Into::into);
    }
    let pairs = field.keys.iter().map(|key| {
        let default = || kind?.field(key)?.default.as_ref();
        let value = item.get(key).or_else(default)?;
        let shown = value.as_str().map_or_else(|| value.to_string(), Into::into);
        Some(format!("{key}={shown}"))
    });
    Some(pairs.collect::<Option<Vec<_>>>()?.join(" ")).filter(|identity| !identity.is_empty())
}
