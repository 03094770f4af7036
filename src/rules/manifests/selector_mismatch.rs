//! Workloads whose selector does not match their own pods.

use super::{
    labels::{in_words, unmet},
    rule::{Check, Context, Findings, Rule},
};
use crate::model::{FieldPath, Severity};

pub(super) static RULE: Rule = Rule {
    code: "selector-mismatch",
    severity: Severity::Error,
    summary: "A workload's selector does not match the labels of its pod template",
    help: "The API server refuses the workload. Give the template every label that the selector asks for. A selector cannot be changed later.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for workload in &context.set.workloads {
        let Some(manifest) = context.set.manifests.get(workload.manifest) else { continue };
        let spec = &manifest.object["spec"];
        let selects_its_own = match manifest.reference.kind.as_str() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => true,
            "Job" => spec["manualSelector"] == true,
            _ => false,
        };
        let Some((steps, words)) = unmet(&spec["selector"], workload.labels()).filter(|_| selects_its_own) else {
            continue;
        };
        let mut path = FieldPath::default().key("spec").key("selector");
        path.0.extend(steps);
        let labels = workload.path.key("metadata").key("labels");
        let has = match in_words(workload.labels()) {
            none if none.is_empty() => "has none".into(),
            pairs => format!("has {pairs}"),
        };
        findings.add(workload.manifest, path, format!("the selector asks for {words}, and {labels} {has}"));
    }
}
