//! `kubectl evolve status`

use clap::Args;

use super::{
    Session,
    arguments::ScopeArguments,
    output::{ListFormat, draw_status},
};
use crate::{error::Result, exit, ops};

/// Show how the application does, from the workload to the container, and why where it does not
///
/// Without a target it is the application of evolve.yaml, else everything in the namespace.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    scope: ScopeArguments,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: ListFormat,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let format = arguments.output;
    let request = arguments.scope.request(session);
    let report = ops::status::run(&session.ctx, &request).await?;
    session.report("StatusReport", &report, format.into(), |out, style| {
        draw_status(out, style, &report, format == ListFormat::Wide)
    })?;
    Ok(if report.verdict.is_bad() { exit::FAILED } else { exit::DONE })
}
