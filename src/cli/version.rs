//! `kubectl evolve version`

use clap::Args;

use super::{Session, output::Format};
use crate::{error::Result, exit, ops};

/// Print the versions of this program and of the cluster
#[derive(Debug, Args)]
pub struct Arguments {
    /// Do not ask the cluster
    #[arg(long)]
    client: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let report = ops::version::run(&session.ctx, arguments.client).await?;
    session.report("Version", &report, arguments.output, |out, _| {
        writeln!(out, "kubectl-evolve {}", report.client)?;
        match &report.server {
            Some(server) => writeln!(out, "Kubernetes {} at {}", server.version, server.url),
            None => Ok(()),
        }
    })?;
    Ok(exit::DONE)
}
