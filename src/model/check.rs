//! The report of `check`: what is wrong with manifests before anything is sent.

use serde::{Deserialize, Serialize};

use crate::{
    error::Place,
    model::{ObjectRef, Severity, Target},
};

/// One thing found in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A stable name of the rule: `unknown-field`.
    pub code: String,
    pub severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub object: Option<ObjectRef>,
    /// The field, as in `spec.template.spec.containers[0].image`; empty for the object as a whole.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub field: String,
    pub place: Place,
    /// One sentence: what is wrong and what was expected.
    pub message: String,
    /// What to do, where one answer is right.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

impl Finding {
    /// The object, the field and what is wrong with it, in one line: names come from the manifests, and a terminal
    /// must not obey them.
    pub fn in_words(&self) -> String {
        let object = self.object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
        let field = if self.field.is_empty() { String::new() } else { format!("{}: ", self.field) };
        format!("{object}{field}{}", self.message).replace(char::is_control, "\u{fffd}")
    }
}

/// What to check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CheckRequest {
    pub target: Target,
    /// Files, folders, URLs, or `-` for standard input.
    pub files: Vec<String>,
    /// Folders with a kustomization.
    pub kustomize: Vec<String>,
    /// Only the objects with these labels.
    pub selector: Option<String>,
    /// Ask no cluster.
    pub offline: bool,
}

/// What `check` found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// How many objects were read.
    pub objects: usize,
    pub findings: Vec<Finding>,
    /// Checks that could not be made, and why (for example: no cluster to look referenced objects up in).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub skipped: Vec<String>,
}

impl CheckReport {
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
