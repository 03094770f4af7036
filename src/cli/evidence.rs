//! `kubectl evolve evidence`

use clap::Args;

use super::{
    Session,
    output::{Format, draw_evidence_report},
};
use crate::{error::Result, exit, ops};

/// Show why a deploy failed, as it was recorded then
///
/// With the pod's own words: the last lines of its log, its exit code, its events.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The number of the revision [default: the newest that failed]
    #[arg(value_name = "REVISION")]
    number: Option<u64>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let report = ops::revisions::evidence(&session.ctx, &session.target(), arguments.number).await?;
    session.report("Evidence", &report, arguments.output, |out, style| draw_evidence_report(out, style, &report))?;
    Ok(exit::DONE)
}
