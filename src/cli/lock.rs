//! `kubectl evolve lock`

use clap::{Args, Subcommand};

use super::{
    Session,
    output::{Format, draw_lock},
};
use crate::{error::Result, exit, ops};

/// Show who works on the application now, or take the lock away
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show who holds the lock, since when, and when it expires
    Show {
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Take the lock from its holder, whose operation then ends with your reason
    Break {
        /// Why; the holder reads it
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let target = session.target();
    let command = arguments.command.unwrap_or(Command::Show { output: arguments.output });
    let (report, format) = match command {
        Command::Show { output } => (ops::lock::show(&session.ctx, &target).await?, output),
        Command::Break { reason, output } => (ops::lock::break_lock(&session.ctx, &target, &reason).await?, output),
    };
    session.report("Lock", &report, format, |out, style| draw_lock(out, style, &report))?;
    Ok(exit::DONE)
}
