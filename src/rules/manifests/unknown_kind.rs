//! Kinds that Kubernetes does not have in the API version given.

use super::rule::{Check, Context, Findings, Rule};
use crate::{
    config::nearest,
    model::{FieldPath, Severity},
    schema::{builtin, withdrawn},
};

pub(super) static RULE: Rule = Rule {
    code: "unknown-kind",
    severity: Severity::Error,
    summary: "A kind that Kubernetes does not have in this API version",
    help: "The kind is misspelt, or belongs to another API version. Kinds of custom resources are not judged.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let table = builtin();
    for (index, manifest) in context.set.manifests.iter().enumerate() {
        let (api_version, kind) = (manifest.reference.api_version.as_str(), manifest.reference.kind.as_str());
        if table.kind(api_version, kind).is_some() || withdrawn(api_version, kind).is_some() {
            continue;
        }
        let same_version: Vec<&str> = table
            .kinds
            .iter()
            .filter(|known| known.api_version == api_version)
            .map(|known| known.kind.as_str())
            .collect();
        let elsewhere = table.kinds.iter().find(|known| known.kind == kind);
        // A version of a group that is not in the table may be one that the cluster was told to serve.
        if same_version.is_empty() && (api_version.contains('/') || elsewhere.is_none()) {
            continue;
        }
        let hint = match elsewhere {
            Some(known) => Some(format!("{kind} is in {}", known.api_version)),
            None => nearest(kind, same_version).map(|near| format!("did you mean {near}?")),
        };
        let path = FieldPath::default().key(if elsewhere.is_some() { "apiVersion" } else { "kind" });
        let found = findings.add(index, path, format!("Kubernetes has no {kind} in {api_version}"));
        // A kind like no other may be that of a newer Kubernetes than the table's.
        let may_be_newer = context.facts.minor.is_none() && hint.is_none();
        if may_be_newer || context.facts.newer_than(&table.version) {
            found.severity(Severity::Warning);
        }
        found.hint = hint;
    }
}
