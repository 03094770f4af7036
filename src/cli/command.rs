//! All commands. A new one is a file beside this one and a line in [`Command`] and in `run`.

use clap::{Parser, Subcommand};

use super::{GlobalArguments, Session, completion, config, version};
use crate::error::Result;

/// From manifests to a healthy rollout, with the reason when it is not.
#[derive(Debug, Parser)]
#[command(name = "kubectl-evolve", bin_name = "kubectl evolve", version, propagate_version = false)]
#[command(disable_help_subcommand = true, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: GlobalArguments,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Completion(completion::Arguments),
    Config(config::Arguments),
    Version(version::Arguments),
}

impl Command {
    /// Runs the command and returns its exit code.
    pub async fn run(self, session: &mut Session) -> Result<u8> {
        match self {
            Self::Completion(arguments) => completion::run(arguments, session),
            Self::Config(arguments) => config::run(arguments, session),
            Self::Version(arguments) => version::run(arguments, session).await,
        }
    }
}
