//! Secrets whose values are in the manifest.

use serde_json::Value;

use super::rule::{Check, Context, Findings, Rule};
use crate::model::{FieldPath, Severity};

pub(super) static RULE: Rule = Rule {
    code: "secret-in-plain-text",
    severity: Severity::Warning,
    summary: "A Secret's values are written in a manifest",
    help: "Whoever can read the file or its history has the secret; base64 hides nothing. Let evolve.yaml take the value from the environment or a file, or generate it.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (index, manifest) in context.set.manifests.iter().enumerate() {
        if manifest.reference.api_version != "v1" || manifest.reference.kind != "Secret" {
            continue;
        }
        for field in ["data", "stringData"] {
            let path = FieldPath::default().key(field);
            let is_written = |key: &str, value: &Value| {
                let filled_in = || context.facts.filled_in.contains(&(index, path.key(key)));
                value.as_str().is_some_and(|text| !text.is_empty()) && !filled_in()
            };
            let entries = manifest.object[field].as_object().into_iter().flatten();
            let keys: Vec<&str> =
                entries.filter(|(key, value)| is_written(key, value)).map(|(key, _)| key.as_str()).collect();
            if !keys.is_empty() {
                let message = format!("the values of {} are in the file", keys.join(", "));
                findings.add(index, path, message);
            }
        }
    }
}
