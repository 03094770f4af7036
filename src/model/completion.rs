//! The report of `completion install`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What `completion install` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstallReport {
    /// The file that kubectl calls.
    pub completer: PathBuf,
    /// What the file leads to.
    pub target: PathBuf,
    pub done: Installed,
    /// Whether kubectl finds the file.
    pub on_path: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Installed {
    Placed,
    /// It was there.
    Already,
}
