//! `kubectl evolve inventory`

use clap::{Args, Subcommand};

use super::{
    Session,
    output::{Format, draw_inventory},
};
use crate::{
    error::{Error, Result},
    exit,
    model::InventoryReport,
    ops,
};

/// Show the objects of the application, take a set over from kubectl, or give it back
///
/// The inventory is an ApplySet, as kubectl apply --applyset makes it.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the objects of the application
    Show {
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Make a set that `kubectl apply --applyset` made the application's own
    ///
    /// Its objects are not touched. From then on kubectl refuses the set, until it is released.
    Adopt {
        /// The set's parent, as in secret/NAME or configmap/NAME
        #[arg(value_name = "PARENT")]
        parent: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Give the set back to the tool that it was adopted from, or to kubectl
    Release {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let target = session.target();
    let (report, format) = match arguments.command {
        Command::Show { output } => (ops::inventory::show(&session.ctx, &target).await?, output),
        Command::Adopt { parent, yes, output } => {
            consent(session, yes, &format!("take the set of {parent} over")).await?;
            (ops::inventory::adopt(&session.ctx, &target, &parent).await?, output)
        }
        Command::Release { yes, output } => {
            consent(session, yes, "give the application's set away").await?;
            (ops::inventory::release(&session.ctx, &target).await?, output)
        }
    };
    print(session, &report, format)
}

async fn consent(session: &Session, yes: bool, question: &str) -> Result<()> {
    match yes || session.confirm(question, "--yes").await? {
        true => Ok(()),
        false => Err(Error::interrupted("nothing was changed")),
    }
}

fn print(session: &mut Session, report: &InventoryReport, format: Format) -> Result<u8> {
    session.report("Inventory", report, format, |out, style| draw_inventory(out, style, report))?;
    Ok(exit::DONE)
}
