//! The report of a wait.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Evidence, ImageUse, ObjectHealth, Status};

/// How a wait ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitReport {
    /// Every object that was asked for.
    pub objects: Vec<ObjectHealth>,
    /// Why it failed, the likeliest cause first; empty when all is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure: Vec<Evidence>,
    /// Whether it ended because its time was over.
    pub timed_out: bool,
    /// The images that ran, with their digests.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub images: BTreeSet<ImageUse>,
    /// What was not waited for, or could not be seen, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl WaitReport {
    /// Whether every object has become what its spec asks for.
    pub fn all_current(&self) -> bool {
        self.objects.iter().all(|object| object.health.status == Status::Current)
    }
}
