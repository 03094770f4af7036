//! What was deployed, when, by whom and with what outcome.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Action, Evidence, Plan};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Begun and not ended: it is running now, or its process was killed.
    #[default]
    Pending,
    Deployed,
    Failed,
    /// Failed, and the revision before it was put back.
    RolledBack,
    /// The user or a kill ended it.
    Interrupted,
}

impl Outcome {
    /// As it is written in labels and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Deployed => "deployed",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Where the manifests came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Files, folders and URLs, as given.
    pub sources: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_branch: Option<String>,
    /// Whether the work tree had changes that were not committed.
    #[serde(default)]
    pub git_dirty: bool,
}

/// An image of a workload, with the digest that ran where a node told it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageUse {
    pub image: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether the digest names an image that only the node has, so that no registry knows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_on_node: bool,
}

/// How many objects a revision touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub created: usize,
    pub changed: usize,
    pub replaced: usize,
    pub deleted: usize,
    pub unchanged: usize,
}

impl Counts {
    pub fn of(plan: &Plan) -> Self {
        Self {
            created: plan.count(Action::Create),
            changed: plan.count(Action::Change),
            replaced: plan.count(Action::Replace),
            deleted: plan.count(Action::Delete),
            unchanged: plan.count(Action::Keep),
        }
    }
}

/// One deploy in a line: what `history` lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionSummary {
    pub number: u64,
    pub outcome: Outcome,
    /// RFC 3339.
    pub started: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// User and host.
    pub by: String,
    /// `deploy`, `rollback to 3`, `restart`.
    pub cause: String,
    /// The revision whose manifests this one put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<u64>,
    pub origin: Origin,
    pub counts: Counts,
}

/// One deploy, without the manifests themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    pub application: String,
    pub namespace: String,
    #[serde(flatten)]
    pub summary: RevisionSummary,
    #[serde(default)]
    pub images: Vec<ImageUse>,
    pub plan: Plan,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// The report of `history`: the revisions of an application, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryReport {
    pub application: String,
    pub namespace: String,
    pub revisions: Vec<RevisionSummary>,
}

/// The report of `history show`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionReport {
    #[serde(flatten)]
    pub revision: Revision,
    /// What was applied, with the values of secrets masked; None unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifests: Option<Vec<Value>>,
}

/// The report of `evidence`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceReport {
    pub application: String,
    pub namespace: String,
    pub revision: u64,
    pub outcome: Outcome,
    pub evidence: Vec<Evidence>,
}
