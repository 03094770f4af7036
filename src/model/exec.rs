//! The request of `exec`.

use serde::{Deserialize, Serialize};

use crate::model::Target;

/// A command to run in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommandRequest {
    pub target: Target,
    /// `kind/name`, or a name alone, of a pod or of what has pods.
    pub of: String,
    /// Decided by the pod when it is None.
    pub container: Option<String>,
    pub command: Vec<String>,
    /// Whether the command is given an input.
    pub stdin: bool,
    /// Whether it is given a terminal.
    pub tty: bool,
}
