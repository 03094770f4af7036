//! `kubectl evolve scale`

use std::io::Write;

use clap::Args;

use super::{
    Session,
    arguments::WaitArguments,
    output::{Format, Style, draw_evidence},
};
use crate::{
    error::{Error, Result},
    exit,
    model::{ScaleReport, ScaleRequest, Scaling, ScopeRequest},
    ops,
    rules::scaling::parse,
};

/// Change how many replicas a workload has, and wait until it is healthy
///
/// What stands in the way, an autoscaler or a quota, is told before anything is changed.
#[derive(Debug, Args)]
#[command(override_usage = "kubectl evolve scale [OPTIONS] <TARGET> <NUMBER>\n       \
    kubectl evolve scale [OPTIONS] [TARGET] <--undo|--to-zero|--wake>")]
pub struct Arguments {
    /// KIND/NAME, a name alone, or /REGEX/ [default: the application, with --undo, --to-zero and --wake]
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// 3, +1, -1, or 2..6 for the bounds of its autoscaler
    #[arg(value_name = "NUMBER", allow_negative_numbers = true, conflicts_with_all = ["undo", "to_zero", "wake"])]
    number: Option<String>,
    /// Scale the workloads with these labels, to NUMBER in place of TARGET
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// Only if it has so many replicas now
    #[arg(long, value_name = "NUMBER")]
    current: Option<u32>,
    /// Back to what was before the last scaling
    #[arg(long, conflicts_with_all = ["to_zero", "wake"])]
    undo: bool,
    /// Stop everything, autoscalers included, and remember how it was
    #[arg(long, conflicts_with = "wake")]
    to_zero: bool,
    /// Bring back what --to-zero stopped
    #[arg(long)]
    wake: bool,
    /// Beyond the bounds of the configuration, and against what stands in the way
    #[arg(long)]
    force: bool,
    /// Tell what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: WaitArguments,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

impl Arguments {
    /// What is meant, and how it is to be scaled.
    fn meaning(&self) -> Result<(Vec<String>, Scaling)> {
        let target: Vec<String> = self.target.iter().cloned().collect();
        let scaling = match (self.undo, self.to_zero, self.wake) {
            (true, ..) => Some(Scaling::Undo),
            (_, true, _) => Some(Scaling::ToZero),
            (.., true) => Some(Scaling::Wake),
            _ => None,
        };
        match (scaling, &self.number, &self.target, &self.selector) {
            (Some(scaling), ..) => Ok((target, scaling)),
            (None, Some(number), _, None) => Ok((target, parse(number)?)),
            (None, None, Some(number), Some(_)) => Ok((Vec::new(), parse(number)?)),
            (None, Some(_), Some(target), Some(_)) => {
                Err(Error::usage(format!("{target} and --selector do not go together")).hint("leave one of them out"))
            }
            _ => Err(Error::usage("a target and a number of replicas are needed")
                .hint("as in `kubectl evolve scale deployment/api 3`, or +1, -1, 2..6")),
        }
    }
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let (words, scaling) = arguments.meaning()?;
    let (format, wait) = (arguments.output, arguments.wait);
    let request = ScaleRequest {
        scope: ScopeRequest { target: session.target(), all_namespaces: false, selector: arguments.selector, words },
        scaling,
        current: arguments.current,
        force: arguments.force,
        dry_run: arguments.dry_run,
        wait: wait.wait.unwrap_or(true),
        timeout: wait.timeout,
        grace: wait.grace,
        restart_budget: wait.restart_budget,
        lock_timeout: wait.lock_timeout,
    };
    let report = ops::scale::run(&session.ctx, &request).await?;
    let refused = !report.obstacles.is_empty() && !request.force;
    session.report("ScaleReport", &report, format, |out, style| draw(out, style, &report, &request, refused))?;
    Ok(if report.evidence.is_empty() && !refused { exit::DONE } else { exit::FAILED })
}

fn draw(
    out: &mut dyn Write,
    style: &Style,
    report: &ScaleReport,
    request: &ScaleRequest,
    refused: bool,
) -> std::io::Result<()> {
    for obstacle in &report.obstacles {
        writeln!(out, "{} {obstacle}", style.bad("in the way:"))?;
    }
    for evidence in &report.evidence {
        draw_evidence(out, style, evidence)?;
    }
    for note in &report.notes {
        writeln!(out, "{} {note}", style.faint("note:"))?;
    }
    let how = match (refused, report.dry_run, report.evidence.is_empty(), request.wait) {
        (true, ..) => "not scaled; --force does it all the same",
        (_, true, ..) => "would be scaled",
        (.., false, _) => "scaled, and not healthy",
        (.., true) => "scaled and healthy",
        _ => "scaled, not waited for",
    };
    let well = report.evidence.is_empty() && !refused;
    for change in &report.changes {
        let line = match change.from == change.to {
            true => format!("{} is at {} already", change.object, change.to),
            false => format!("{} {} → {}: {how}", change.object, change.from, change.to),
        };
        writeln!(out, "{}", if well { style.good(line) } else { style.bad(line) })?;
    }
    Ok(())
}
