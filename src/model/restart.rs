//! The request and the report of `restart`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Evidence, ObjectHealth, ObjectRef, Target};

/// Which workloads to restart; with neither names nor a selector, those of the application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RestartRequest {
    pub target: Target,
    /// `kind/name`, or a name alone.
    pub workloads: Vec<String>,
    /// A label selector.
    pub selector: Option<String>,
    pub wait: bool,
    /// What is None here is decided by the configuration, then by a default.
    pub timeout: Option<Duration>,
    pub grace: Option<Duration>,
    pub restart_budget: Option<u32>,
    /// How long to wait for another operation on the application.
    pub lock_timeout: Option<Duration>,
}

/// What was restarted, and how it went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestartReport {
    pub restarted: Vec<ObjectRef>,
    /// Of what was waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<ObjectHealth>,
    /// Why it failed, the likeliest cause first; empty when all is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
