//! `kubectl evolve db`

use std::io::{self, IsTerminal};

use clap::{Args, Subcommand};

use super::{
    Session,
    exec::attach,
    output::{Format, draw_database},
};
use crate::{error::Result, exit, model::DatabaseRequest, ops};

/// Show how a PostgreSQL does: sizes, connections, queries, cache, dead rows, replicas, migrations
///
/// Its own psql is asked in its container, with the credentials of the container's environment, in a read-only session: no
/// password leaves the pod.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The workload or pod [default: the only PostgreSQL of the namespace]
    #[arg(value_name = "WORKLOAD")]
    what: Option<String>,
    /// The database [default: the one of the container's environment]
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open the psql of the container; the session is read-only
    Shell {
        /// The workload or pod [default: the only PostgreSQL of the namespace]
        #[arg(value_name = "WORKLOAD")]
        what: Option<String>,
        /// The database [default: the one of the container's environment]
        #[arg(long, value_name = "NAME")]
        database: Option<String>,
        /// Let the session write
        #[arg(long)]
        write: bool,
    },
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let Arguments { command, what, database, output } = arguments;
    if let Some(Command::Shell { what, database, write }) = command {
        let request = DatabaseRequest { target: session.target(), what, database };
        let tty = io::stdin().is_terminal() && io::stdout().is_terminal();
        let shell = ops::database::shell(&session.ctx, &request, write, tty).await?;
        return attach(&shell, session).await;
    }
    let request = DatabaseRequest { target: session.target(), what, database };
    let report = ops::database::run(&session.ctx, &request).await?;
    session.report("DatabaseReport", &report, output, |out, style| draw_database(out, style, &report))?;
    Ok(exit::DONE)
}
