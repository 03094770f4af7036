//! The subcommands; without one, the table.

use clap::{Args, Subcommand};

use super::{expand, table};
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
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    match arguments.command {
        None => table::run(arguments.table, session).await,
        Some(Command::Expand(arguments)) => expand::run(arguments, session).await,
    }
}
