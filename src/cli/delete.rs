//! `kubectl evolve delete`

use std::time::Duration;

use clap::Args;

use super::{
    Session,
    global::duration,
    output::{Format, draw_delete},
};
use crate::{
    error::{Error, Result},
    exit,
    model::{DeleteReport, DeleteRequest, RemovalOutcome},
    ops,
};

/// Remove the application from the cluster, in the reverse order of a deploy
///
/// Claims and their data stay unless they are named; so does the history, from which `rollback` brings the application
/// back. A namespace goes only when nothing else is in it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Delete these claims too, with their data; may be given again
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "all_claims")]
    claims: Vec<String>,
    /// Delete every claim of the application, with the data
    #[arg(long)]
    all_claims: bool,
    /// Delete the history too
    #[arg(long)]
    purge: bool,
    /// Only say what would be deleted
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// The longest wait until everything is gone [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    /// How long to wait for another operation on the application [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    lock_timeout: Option<Duration>,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let (dry_run, yes, format) = (arguments.dry_run, arguments.yes, arguments.output);
    let request = arguments.request(session);
    if dry_run || !yes {
        let plan = ops::delete::plan(&session.ctx, &request).await?;
        if dry_run {
            print(session, &plan, format)?;
            return Ok(exit::DONE);
        }
        session.write(|out, style| draw_delete(out, style, &plan))?;
        let question = format!(
            "delete {} objects of {} in namespace {}",
            plan.count(RemovalOutcome::Deleted),
            plan.application,
            plan.namespace
        );
        if !session.confirm(&question, "--yes").await? {
            return Err(Error::interrupted("nothing was deleted"));
        }
    }
    let report = ops::delete::run(&session.ctx, &request).await?;
    print(session, &report, format)?;
    Ok(if report.is_complete() { exit::DONE } else { exit::FAILED })
}

fn print(session: &mut Session, report: &DeleteReport, format: Format) -> Result<()> {
    session.report("DeleteReport", report, format, |out, style| draw_delete(out, style, report))
}

impl Arguments {
    fn request(self, session: &Session) -> DeleteRequest {
        DeleteRequest {
            target: session.target(),
            claims: self.claims,
            all_claims: self.all_claims,
            purge: self.purge,
            timeout: self.timeout,
            lock_timeout: self.lock_timeout,
        }
    }
}
