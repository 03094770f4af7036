//! What became of objects that were to be removed.

use serde::{Deserialize, Serialize};

use crate::model::ObjectRef;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalOutcome {
    Deleted,
    /// Left in the cluster, and no longer a member of the application.
    Detached,
    /// Left in the cluster, and still a member.
    Kept,
    /// Being deleted when the time was over.
    Lingering,
    /// Not tried, because what had to go before it was still there.
    Waiting,
    Failed,
}

impl RemovalOutcome {
    /// Whether nothing is left to do: what should go is gone.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Deleted | Self::Detached | Self::Kept)
    }
}

/// One object that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedObject {
    pub object: ObjectRef,
    pub outcome: RemovalOutcome,
    /// Why it was kept or let go, what holds it, or what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
