//! API versions that the cluster no longer has.

use super::rule::{Check, Context, Findings, Rule};
use crate::{
    model::{FieldPath, Severity},
    schema::{builtin, withdrawn},
};

pub(super) static RULE: Rule = Rule {
    code: "removed-api",
    severity: Severity::Error,
    summary: "An API version that Kubernetes has removed",
    help: "The API server does not know it any more. Change the apiVersion to the one named, and the fields that differ with it.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (index, manifest) in context.set.manifests.iter().enumerate() {
        let reference = &manifest.reference;
        let Some(gone) = withdrawn(&reference.api_version, &reference.kind) else { continue };
        let Some(removed) = gone.removed.filter(|removed| *removed <= minor(context)) else { continue };
        let message = format!("{} {} was removed in Kubernetes 1.{removed}", reference.api_version, reference.kind);
        findings.add(index, FieldPath::default().key("apiVersion"), message).hint(format!("use {}", gone.replacement));
    }
}

/// The minor version of the cluster, or else of the table.
pub(super) fn minor(context: &Context<'_>) -> u32 {
    let table = || builtin().version.rsplit('.').next()?.parse().ok();
    context.facts.minor.or_else(table).unwrap_or_default()
}
