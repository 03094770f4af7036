//! What is waited for, and for how long.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    cluster::Resource,
    model::ObjectRef,
    rules::{pods::Patience, redact::Redactor},
};

/// An object that is waited for.
#[derive(Debug, Clone)]
pub struct Target {
    pub resource: Resource,
    /// The object as it was last seen, or as it was applied; what it is now is read when the wait begins.
    pub object: Value,
    /// Whether this deploy has changed it; its controller then gets a moment to react.
    pub changed: bool,
}

impl Target {
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::of(&self.object)
    }
}

/// What is waited for, and for how long.
#[derive(Debug, Clone)]
pub struct WaitRequest {
    pub targets: Vec<Target>,
    /// The longest wait.
    pub timeout: Duration,
    pub patience: Patience,
    /// When the deploy began; errors and events from before are not its own.
    pub since: Timestamp,
    /// A label selector that all targets match, to watch no more than them.
    pub selector: Option<String>,
    /// Cleans what comes from the cluster before anyone sees it.
    pub redactor: Redactor,
    /// The namespaces and names of the Secrets whose values the redactor knows. The others that the targets refer to
    /// are read when the wait begins.
    pub known_secrets: BTreeSet<(String, String)>,
}
