//! The report of `version`.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionReport {
    pub client: String,
    /// None when the server was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerVersion>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerVersion {
    pub url: String,
    /// As in `v1.34.4`.
    pub version: String,
}
