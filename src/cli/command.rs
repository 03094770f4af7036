//! All commands. A new one is a file beside this one and a line in [`Command`] and in `run`.

use clap::{Parser, Subcommand};

use super::{GlobalArguments, Session};
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

/// In the order of the help: what is done every day first.
#[derive(Debug, Subcommand)]
pub enum Command {
    Deploy(Box<super::deploy::Arguments>),
    Status(super::status::Arguments),
    Diff(super::diff::Arguments),
    Plan(super::plan::Arguments),
    Check(super::check::Arguments),
    Logs(Box<super::logs::Arguments>),
    History(super::history::Arguments),
    Evidence(super::evidence::Arguments),
    Forward(super::forward::Arguments),
    Exec(super::exec::Arguments),
    Storage(super::storage::Arguments),
    Db(super::db::Arguments),
    Scale(super::scale::Arguments),
    Restart(super::restart::Arguments),
    Rollback(super::rollback::Arguments),
    Delete(super::delete::Arguments),
    Inventory(super::inventory::Arguments),
    Lock(super::lock::Arguments),
    Watch(super::watch::Arguments),
    Demo(super::demo::Arguments),
    Sandbox(super::sandbox::Arguments),
    Config(super::config::Arguments),
    Completion(super::completion::Arguments),
    Version(super::version::Arguments),
}

impl Command {
    /// Runs the command and returns its exit code.
    pub async fn run(self, session: &mut Session) -> Result<u8> {
        match self {
            Self::Check(arguments) => super::check::run(arguments, session).await,
            Self::Completion(arguments) => super::completion::run(arguments, session),
            Self::Config(arguments) => super::config::run(arguments, session),
            Self::Db(arguments) => super::db::run(arguments, session).await,
            Self::Delete(arguments) => super::delete::run(arguments, session).await,
            Self::Demo(arguments) => super::demo::run(arguments, session).await,
            Self::Deploy(arguments) => super::deploy::run(*arguments, session).await,
            Self::Diff(arguments) => super::diff::run(arguments, session).await,
            Self::Evidence(arguments) => super::evidence::run(arguments, session).await,
            Self::Exec(arguments) => super::exec::run(arguments, session).await,
            Self::Forward(arguments) => super::forward::run(arguments, session).await,
            Self::History(arguments) => super::history::run(arguments, session).await,
            Self::Inventory(arguments) => super::inventory::run(arguments, session).await,
            Self::Lock(arguments) => super::lock::run(arguments, session).await,
            Self::Logs(arguments) => super::logs::run(*arguments, session).await,
            Self::Plan(arguments) => super::plan::run(arguments, session).await,
            Self::Restart(arguments) => super::restart::run(arguments, session).await,
            Self::Rollback(arguments) => super::rollback::run(arguments, session).await,
            Self::Sandbox(arguments) => super::sandbox::run(arguments, session).await,
            Self::Status(arguments) => super::status::run(arguments, session).await,
            Self::Storage(arguments) => super::storage::run(arguments, session).await,
            Self::Scale(arguments) => super::scale::run(arguments, session).await,
            Self::Watch(arguments) => super::watch::run(arguments, session).await,
            Self::Version(arguments) => super::version::run(arguments, session).await,
        }
    }
}
