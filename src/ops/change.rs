//! What changes of running workloads have in common: how long is waited, and how many may be asked for.

use std::time::Duration;

use crate::{
    context::Ctx,
    error::Result,
    model::{ConfigRequest, DeployRequest, Target},
    ops::{config, deploy::Options},
    rules::pods::Patience,
};

/// How long is waited, by the request, else the configuration, else the defaults of both.
pub(super) struct Settings {
    pub timeout: Duration,
    pub patience: Patience,
    pub lock_timeout: Duration,
    /// The numbers of replicas that are allowed.
    pub replicas: (u32, u32),
}

impl Settings {
    pub fn of(ctx: &Ctx, target: &Target, wishes: &DeployRequest) -> Result<Self> {
        let config = ConfigRequest { file: target.config.clone(), profile: target.profile.clone() };
        let config = config::load(ctx, &config)?;
        let scale = config.as_ref().map(|config| config.settings.scale.clone()).unwrap_or_default();
        let options = Options::of(wishes, config.as_ref());
        let Options { timeout, grace, restart_budget, lock_timeout, .. } = options;
        let patience = Patience { grace, restart_budget };
        Ok(Self { timeout, patience, lock_timeout, replicas: (scale.min, scale.max) })
    }
}
