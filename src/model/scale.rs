//! The request and the report of `scale`.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::model::{Evidence, ObjectHealth, ObjectRef, ScopeRequest};

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scaling {
    /// A number of replicas.
    To(u32),
    /// More or fewer.
    By(i64),
    /// An autoscaler's bounds.
    Between { min: u32, max: u32 },
    /// What was before the last scaling.
    Undo,
    /// Nothing runs, until it is woken.
    ToZero,
    /// What was before it was put to sleep.
    Wake,
}

/// Which workloads to scale, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleRequest {
    pub scope: ScopeRequest,
    pub scaling: Scaling,
    /// Only where there are so many now.
    pub current: Option<u32>,
    /// Beyond the bounds, and against what stands in the way.
    pub force: bool,
    pub dry_run: bool,
    pub wait: bool,
    /// What is None here is decided by the configuration, then by a default.
    pub timeout: Option<Duration>,
    pub grace: Option<Duration>,
    pub restart_budget: Option<u32>,
    /// How long to wait for another operation on the application.
    pub lock_timeout: Option<Duration>,
}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Size {
    Replicas(u32),
    /// Of an autoscaler.
    Bounds {
        min: u32,
        max: u32,
    },
}

/// As `scale` takes it.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas(number) => write!(f, "{number}"),
            Self::Bounds { min, max } => write!(f, "{min}..{max}"),
        }
    }
}

/// One object whose number changes, or would.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleChange {
    pub object: ObjectRef,
    pub from: Size,
    pub to: Size,
}

/// What was scaled, and how it went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleReport {
    pub dry_run: bool,
    pub changes: Vec<ScaleChange>,
    /// What stands in the way; without consent nothing was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Of what was waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<ObjectHealth>,
    /// Why it failed, the likeliest cause first; empty when all is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}
