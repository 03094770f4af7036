//! Objects that are in the set more than once.

use super::rule::{Check, Context, Findings, Rule};
use crate::model::{FieldPath, Severity};

pub(super) static RULE: Rule = Rule {
    code: "duplicate-object",
    severity: Severity::Error,
    summary: "The same object is in the manifests twice",
    help: "The last one applied would win, and which that is cannot be relied on. Remove one of the two.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (index, manifest) in context.set.manifests.iter().enumerate() {
        let (group, kind, namespace, name) = context.set.identity(manifest);
        let Some((first, other)) = context.set.find(group, kind, namespace, name).filter(|(first, _)| *first != index)
        else {
            continue;
        };
        let same = context.set.manifests.get(first).is_some_and(|other| other.object == manifest.object);
        let message = format!("{} is already at {}", manifest.reference, other.place);
        let found = findings.add(index, FieldPath::default().key("metadata").key("name"), message);
        found.hint(if same { "the two are the same: remove one" } else { "the two differ: remove one, or rename it" });
    }
}
