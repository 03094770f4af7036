//! The health of one object.

use serde::{Deserialize, Serialize};

/// Whether an object has become what its spec asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As its spec asks.
    Current,
    /// On the way.
    InProgress,
    /// Will not get there by itself.
    Failed,
    /// Being deleted.
    Terminating,
    /// Not in the cluster.
    NotFound,
}

/// A status with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    pub status: Status,
    /// A word for machines, as Kubernetes has it where it has one: `ProgressDeadlineExceeded`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// A sentence for people: `1 of 2 replicas available`.
    pub message: String,
}

impl Health {
    pub fn new(status: Status, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), message: message.into() }
    }

    pub fn current(message: impl Into<String>) -> Self {
        Self::new(Status::Current, "", message)
    }

    pub fn in_progress(message: impl Into<String>) -> Self {
        Self::new(Status::InProgress, "", message)
    }

    pub fn failed(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Status::Failed, reason, message)
    }
}
