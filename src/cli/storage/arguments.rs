//! The subcommands; without one, the table.

use clap::{Args, Subcommand};

use super::{backup, expand, table};
use crate::{cli::Session, error::Result};

/// Show claims and volumes: who mounts them, how full they are, when they will be full
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    table: table::TableArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    Expand(expand::Arguments),
    Backup(backup::BackupArguments),
    Restore(backup::RestoreArguments),
    Du(backup::DiskUseArguments),
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    match arguments.command {
        None => table::run(arguments.table, session).await,
        Some(Command::Expand(arguments)) => expand::run(arguments, session).await,
        Some(Command::Backup(arguments)) => backup::backup(arguments, session).await,
        Some(Command::Restore(arguments)) => backup::restore(arguments, session).await,
        Some(Command::Du(arguments)) => backup::disk_use(arguments, session).await,
    }
}
