//! `kubectl evolve restart`

use std::io::Write;

use clap::Args;

use super::{
    Session,
    arguments::WaitArguments,
    output::{Format, Style, draw_evidence},
};
use crate::{
    error::Result,
    exit,
    model::{RestartReport, RestartRequest},
    ops,
};

/// Restart workloads pod by pod, and wait until they are healthy
///
/// The new pods are made as the update strategy of each workload says, so that a Deployment stays available. It fails
/// fast, with the cause, as a deploy does.
#[derive(Debug, Args)]
pub struct Arguments {
    /// KIND/NAME, or a name alone [default: all workloads of the application]
    #[arg(value_name = "WORKLOAD", conflicts_with = "selector")]
    workloads: Vec<String>,
    /// Restart the workloads with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    #[command(flatten)]
    wait: WaitArguments,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let (format, wait) = (arguments.output, arguments.wait);
    let request = RestartRequest {
        target: session.target(),
        workloads: arguments.workloads,
        selector: arguments.selector,
        wait: wait.wait.unwrap_or(true),
        timeout: wait.timeout,
        grace: wait.grace,
        restart_budget: wait.restart_budget,
        lock_timeout: wait.lock_timeout,
    };
    let report = ops::restart::run(&session.ctx, &request).await?;
    session.report("RestartReport", &report, format, |out, style| draw(out, style, &report, request.wait))?;
    Ok(if report.evidence.is_empty() { exit::DONE } else { exit::FAILED })
}

fn draw(out: &mut dyn Write, style: &Style, report: &RestartReport, waited: bool) -> std::io::Result<()> {
    for evidence in &report.evidence {
        draw_evidence(out, style, evidence)?;
    }
    for note in &report.notes {
        writeln!(out, "{} {note}", style.faint("note:"))?;
    }
    let names: Vec<String> = report.restarted.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    match (report.evidence.is_empty(), waited) {
        (true, true) => writeln!(out, "{}", style.good(format!("restarted and healthy: {names}"))),
        (true, false) => writeln!(out, "{}", style.good(format!("restarted, not waited for: {names}"))),
        (false, _) => writeln!(out, "{}", style.bad(format!("restarted, and not healthy: {names}"))),
    }
}
