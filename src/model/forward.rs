//! The request and the report of `forward`.

use serde::{Deserialize, Serialize};

use crate::model::{ObjectRef, Target};

/// Ports to forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardRequest {
    pub target: Target,
    /// `kind/name`, or a name alone, of a Service, a pod or what has pods.
    pub of: String,
    /// Words like `8080:http`; the only port when there are none.
    pub ports: Vec<String>,
    /// The IP address to listen at.
    pub address: String,
}

/// Where is listened, and for what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardReport {
    pub target: ObjectRef,
    pub ports: Vec<ForwardedPort>,
}

/// One port that is forwarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardedPort {
    /// With a scheme where the port is known to speak HTTP.
    pub url: String,
    pub local: u16,
    /// The number as the target declares it.
    pub port: u16,
    /// Empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}
