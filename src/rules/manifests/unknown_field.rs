//! Fields that the type does not have.

use super::{
    rule::{Check, Findings, Rule},
    walk::{Seen, Visit},
};
use crate::{
    config::nearest,
    model::Severity,
    schema::{Schema, Shape, Type},
};

pub(super) static RULE: Rule = Rule {
    code: "unknown-field",
    severity: Severity::Error,
    summary: "A field that the object's type does not have",
    help: "Server-side apply refuses the object. The field is misspelt, indented under the wrong parent, or belongs to another version of the API.",
    check: Check::Field(check),
};

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Unknown { parent, key } = visit.seen else { return };
    let message = format!("unknown field {key:?}{}", of_type(parent));
    let found = findings.add(visit.manifest, visit.trail.path().key(key), message);
    if let Some(near) = nearest(key, parent.fields.iter().map(|field| field.name.as_str())) {
        found.hint(format!("did you mean {near}?"));
    } else if let Some(inner) = holder(visit.schema, parent, key) {
        found.hint(format!("{key} is a field of {inner}: indent it below"));
    }
    if visit.context.facts.newer_than(&visit.schema.version) {
        found.severity(Severity::Warning);
    }
}

/// The kind of object in words: ` of a Container`.
pub(super) fn of_type(parent: &Type) -> String {
    let name = parent.short_name();
    if name.starts_with(char::is_uppercase) { format!(" of {name}") } else { String::new() }
}

/// The field of `parent` whose type has the key.
fn holder<'s>(schema: &'s Schema, parent: &'s Type, key: &str) -> Option<&'s str> {
    let has = |shape: &Shape| matches!(shape, Shape::Object(id) if schema.get(*id).is_some_and(|inner| inner.field(key).is_some()));
    let holds = parent.fields.iter().filter(|field| field.name != "status" && has(&field.shape));
    holds.map(|field| field.name.as_str()).next()
}
