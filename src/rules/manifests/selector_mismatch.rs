//! Workloads whose selector does not match their own pods.

use serde_json::Value;

use super::{
    labels::unmet,
    rule::{Check, Context, Findings, Rule},
};
use crate::model::Severity;

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
        let path = crate::model::FieldPath::default().key("spec").key("selector");
        let selector = &spec["selector"];
        let unmet = match manifest.reference.kind.as_str() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => unmet(selector, workload.labels()),
            "Job" if spec["manualSelector"] == true => unmet(selector, workload.labels()),
            _ => continue,
        };
        let Some((steps, words)) = unmet else { continue };
        let mut path = path;
        path.0.extend(steps);
        let labels = &workload.path.key("metadata").key("labels");
        let has = match workload.labels() {
            Value::Object(all) if !all.is_empty() => {
                let pairs: Vec<String> =
                    all.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
                format!("has {}", pairs.join(", "))
            }
            _ => "has none".into(),
        };
        findings.add(workload.manifest, path, format!("the selector asks for {words}, and {labels} {has}"));
    }
}
