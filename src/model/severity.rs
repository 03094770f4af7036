//! How bad something is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a finding or an alert is; the worst comes first in the order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It is broken, or the cluster would refuse it.
    Error,
    /// It works, and will bite.
    #[default]
    Warning,
    Info,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}
