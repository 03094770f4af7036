//! The request and the reports of `sandbox`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a sandbox is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SandboxRequest {
    /// A named sandbox is kept in a file between runs; without a name it is gone at the end.
    pub name: Option<String>,
    /// The port on the loopback address; 0 takes a free one.
    pub port: u16,
    /// Time jumps to what happens next instead of passing.
    pub fast: bool,
    /// The file that says how pods behave.
    pub scenario: Option<PathBuf>,
    /// The file with faults of the API server.
    pub faults: Option<PathBuf>,
    /// Where the kubeconfig is written for as long as the sandbox runs.
    pub write: Option<PathBuf>,
}

/// A sandbox that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxReport {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub url: String,
    /// The file that the kubeconfig was written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig_file: Option<PathBuf>,
    /// The kubeconfig itself, where it is in no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// From the start to the first answer.
    pub ready_milliseconds: u64,
}

/// The named sandboxes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxList {
    pub sandboxes: Vec<KeptSandbox>,
}

/// A named sandbox, as its files tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptSandbox {
    pub name: String,
    /// The kubeconfig of the process that runs it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig_file: Option<PathBuf>,
    /// The size of its file.
    pub bytes: u64,
    /// When it was changed last, RFC 3339.
    pub changed: String,
}

/// A named sandbox that is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxRemoval {
    pub name: String,
    pub bytes: u64,
}
