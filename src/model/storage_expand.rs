//! The request and the report of `storage expand`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Target;

/// What is to grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExpandRequest {
    pub target: Target,
    /// A claim or a StatefulSet: `data`, `claim/data`, `statefulset/db`.
    pub what: String,
    /// `2Gi`, or `+1Gi` for that much more.
    pub size: String,
    /// The volume claim template of the StatefulSet, where it has several.
    pub template: Option<String>,
    pub dry_run: bool,
    pub wait: bool,
    pub timeout: Option<Duration>,
    /// How long to wait for another operation on the application.
    pub lock_timeout: Option<Duration>,
}

/// What grew, or what stands in the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpandReport {
    pub namespace: String,
    /// `claim/data` or `statefulset/db`.
    pub object: String,
    /// The wanted size as an amount.
    pub size: String,
    pub dry_run: bool,
    pub claims: Vec<ClaimGrowth>,
    /// Whether the StatefulSet was (or would be) replaced by one whose template asks for the size. Its pods and claims stay.
    pub replaces_template: bool,
    /// Why nothing was changed; empty when nothing stands in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<String>,
    /// Whether every claim has the size.
    pub complete: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How one claim grew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimGrowth {
    pub claim: String,
    /// What it asked for before.
    pub from: String,
    /// What it has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<String>,
    /// Whether it has to be changed.
    pub changes: bool,
    /// What was last seen of it; None when it has the size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}
