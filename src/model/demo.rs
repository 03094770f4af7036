//! The request and the report of `demo`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::DeployOutcome;

/// How the demo is to run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DemoRequest {
    /// Without pauses, and with a clock that jumps.
    pub fast: bool,
    /// A folder, new or empty, for the application's files; they stay there.
    pub folder: Option<PathBuf>,
}

/// What the demo showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoReport {
    pub acts: Vec<DemoAct>,
    pub seconds: f64,
}

/// One deploy of the demo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoAct {
    pub title: String,
    pub expected: DeployOutcome,
    pub outcome: DeployOutcome,
    /// The first cause of a failure, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    pub seconds: f64,
}

impl DemoReport {
    /// Whether everything went as the demo says it does.
    pub fn is_as_expected(&self) -> bool {
        self.acts.iter().all(|act| act.outcome == act.expected)
    }
}
