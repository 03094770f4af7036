//! `kubectl evolve history`

use clap::{Args, Subcommand};

use super::{
    Session,
    output::{Format, ListFormat, draw_history, draw_revision},
};
use crate::{error::Result, exit, ops};

/// List what was deployed, when, by whom, and how it ended
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: ListFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show one revision: where it came from, what it changed, and why it failed
    Show {
        /// The number of the revision [default: the newest]
        #[arg(value_name = "REVISION")]
        number: Option<u64>,
        /// Show the manifests too, with the values of secrets masked
        #[arg(long)]
        manifests: bool,
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let target = session.target();
    match arguments.command {
        None => {
            let report = ops::revisions::list(&session.ctx, &target).await?;
            let wide = arguments.output == ListFormat::Wide;
            session.report("History", &report, arguments.output.into(), |out, style| {
                draw_history(out, style, &report, wide)
            })?;
        }
        Some(Command::Show { number, manifests, output }) => {
            let report = ops::revisions::show(&session.ctx, &target, number, manifests).await?;
            session.report("Revision", &report, output, |out, style| draw_revision(out, style, &report))?;
        }
    }
    Ok(exit::DONE)
}
