//! The reports of `config check` and `config show`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Place;

/// Which configuration, and for which profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigRequest {
    /// The file; otherwise evolve.yaml in the working directory or above.
    pub file: Option<String>,
    /// The profile; otherwise the file's default.
    pub profile: Option<String>,
}

/// Something wrong in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigProblem {
    pub place: Place,
    /// The setting, as in `profiles.dev.deploy.timeout`; empty for the file as a whole.
    pub path: String,
    /// One sentence: what is wrong and what was expected. Never a value that may be a secret.
    pub message: String,
    /// What to do, where one answer is likely right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What `config check` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigCheckReport {
    pub file: String,
    pub profiles: Vec<String>,
    /// In the order of the file.
    pub problems: Vec<ConfigProblem>,
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "camelCase")]
pub enum SettingOrigin {
    /// The file itself.
    File { place: Place },
    /// A profile in the file.
    Profile { profile: String, place: Place },
    /// Nobody set it.
    Default,
}

/// The settings as they are in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigReport {
    pub file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The settings with their defaults, as they would be written. Secrets are named by their sources only.
    pub settings: serde_json::Value,
    /// The origin of each single value, by its path.
    pub origins: BTreeMap<String, SettingOrigin>,
}
