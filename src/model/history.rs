//! What was deployed, when, by whom and with what outcome.

use serde::{Deserialize, Serialize};

use crate::model::{Evidence, Plan};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Begun and not ended: it is running now, or its process was killed.
    Pending,
    Deployed,
    Failed,
    /// Failed, and the revision before it was put back.
    RolledBack,
    Interrupted,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageUse {
    pub image: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// One deploy, without the manifests themselves: what `history` lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    pub number: u64,
    pub application: String,
    pub namespace: String,
    pub outcome: Outcome,
    /// RFC 3339.
    pub started: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// User and host.
    pub by: String,
    /// `deploy`, `rollback to 3`, `restart`.
    pub cause: String,
    pub origin: Origin,
    #[serde(default)]
    pub images: Vec<ImageUse>,
    pub plan: Plan,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}
