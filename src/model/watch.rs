//! Alerts of `watch`, and the notices that tell of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{ObjectRef, ScopeRequest, Severity};

/// What to watch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WatchRequest {
    pub scope: ScopeRequest,
    /// Look once, tell what is new since the last look, and end.
    pub once: bool,
    /// How often volumes and certificates are looked at, and everything is judged anew.
    pub interval: Option<std::time::Duration>,
}

/// Whether an alert begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AlertState {
    Firing,
    Recovered,
}

/// An alert, from its begin to its recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The same in every notice of this alert, so that a receiver can tell what it has had.
    pub id: String,
    pub rule: String,
    pub severity: Severity,
    pub object: ObjectRef,
    /// One sentence: what is wrong.
    pub message: String,
    pub since: Timestamp,
    /// When it was over; None while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What is told about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    pub state: AlertState,
    #[serde(flatten)]
    pub alert: Alert,
    /// The API server, so that two clusters can be told apart.
    pub cluster: String,
}

/// What one look has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchReport {
    /// What lasts, the worst first.
    pub firing: Vec<Alert>,
    /// What was told in this run.
    pub notices: Vec<Notice>,
    /// What could not be looked at, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
