//! What a simulated cluster is made of.

use super::nodes::NodeSettings;
use crate::sandbox::pods::Scenario;

/// What the controllers of a sandbox are started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one, or nothing can be scheduled.
    pub nodes: Vec<NodeSettings>,
    pub scenario: Scenario,
    /// The certificate that clients trust, as PEM, for the ConfigMaps that hold it.
    pub authority: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { nodes: vec![NodeSettings::default()], scenario: Scenario::default(), authority: String::new() }
    }
}
