//! The request and the report of `delete`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ObjectRef, RemovalOutcome, RemovedObject, Target};

/// What to delete of an application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeleteRequest {
    pub target: Target,
    /// The claims to delete, with the data in them.
    pub claims: Vec<String>,
    pub all_claims: bool,
    /// Whether the history goes too.
    pub purge: bool,
    /// How long to wait until everything is gone.
    pub timeout: Option<Duration>,
    /// How long to wait for another operation on the application.
    pub lock_timeout: Option<Duration>,
}

/// What `delete` did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteReport {
    pub application: String,
    pub namespace: String,
    /// Whether nothing was done yet.
    pub dry_run: bool,
    /// In the order in which they go. What a dry run would delete is said to be deleted.
    pub objects: Vec<RemovedObject>,
    /// Records of ours that were kept: revisions, and the parent of what is still a member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<ObjectRef>,
    /// Requests to the API server, repeated ones included.
    pub requests: usize,
    pub seconds: f64,
}

impl DeleteReport {
    pub fn count(&self, outcome: RemovalOutcome) -> usize {
        self.objects.iter().filter(|object| object.outcome == outcome).count()
    }

    /// Whether everything that was to go is gone.
    pub fn is_complete(&self) -> bool {
        self.objects.iter().all(|object| object.outcome.is_settled())
    }
}
