//! Values that are none of those a field allows.

use super::{
    rule::{Check, Findings, Rule},
    walk::{Seen, Visit},
};
use crate::{config::nearest, model::Severity};

pub(super) static RULE: Rule = Rule {
    code: "wrong-value",
    severity: Severity::Error,
    summary: "A value that is none of those the field allows",
    help: "The API server refuses the object. The message lists the values that the field allows; capital letters count.",
    check: Check::Field(check),
};

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Value { value, field: Some((_, field)), .. } = visit.seen else { return };
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return };
    if field.values.is_empty() || field.values.iter().any(|allowed| allowed == text) || visit.trail.in_status() {
        return;
    }
    let allowed = field.values.iter().filter(|allowed| !allowed.is_empty());
    let list: Vec<&str> = allowed.map(String::as_str).collect();
    let message = format!("{text:?} is none of the values of {}: {}", field.name, list.join(", "));
    let found = findings.add(visit.manifest, visit.trail.path(), message);
    if let Some(near) = nearest(text, list) {
        found.hint(format!("did you mean {near}?"));
    }
    if visit.context.facts.newer_than(&visit.schema.version) {
        found.severity(Severity::Warning);
    }
}
