//! `kubectl evolve status`

use std::{io, str::FromStr, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};

use super::{
    Session,
    arguments::ScopeArguments,
    global::duration,
    output::{LiveStatus, StatusFormat, draw_evidence, write_status},
};
use crate::{
    error::{Error, Result},
    exit,
    model::{ScopeRequest, StatusReport, WaitFor, WaitWish},
    ops,
};

/// Show how the application does, from the workload to the container, and why where it does not
///
/// Without a target it is the application of evolve.yaml, else everything in the namespace.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    scope: ScopeArguments,
    /// Go on: in place at a terminal, a line for each change elsewhere
    #[arg(short, long)]
    watch: bool,
    /// Wait, and end as soon as it cannot get there, with the cause
    #[arg(long, conflicts_with = "watch")]
    wait: bool,
    /// What to wait for
    #[arg(long = "for", value_enum, default_value_t, requires = "wait")]
    until: Until,
    /// The longest wait [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "wait")]
    timeout: Option<Duration>,
    /// How long an error may last before it counts as a failure [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "wait")]
    grace: Option<Duration>,
    /// How often a container may restart [default: 1]
    #[arg(long, value_name = "NUMBER", requires = "wait")]
    restart_budget: Option<u32>,
    /// Show what differs from this revision of the application's history
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["watch", "wait", "targets", "selector", "all_namespaces"])]
    as_of_revision: Option<u64>,
    /// How to print: table, wide, json, yaml, jsonl, name or jsonpath=TEMPLATE
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = StatusFormat::from_str)]
    output: StatusFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Until {
    /// Everything is as its spec asks
    #[default]
    Ready,
    /// The Jobs have done their work
    Complete,
    /// Everything is gone
    Deleted,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let format = arguments.output.clone();
    let request = arguments.scope.clone().request(session);
    if arguments.watch {
        return watch(session, &request, format).await;
    }
    let report = match (arguments.wait, arguments.as_of_revision) {
        (true, _) => ops::status::wait(&session.ctx, &request, &arguments.wish()).await?,
        (false, Some(revision)) => ops::status::as_of(&session.ctx, &request, revision).await?,
        (false, None) => ops::status::run(&session.ctx, &request).await?,
    };
    session.write(|out, style| {
        if matches!(format, StatusFormat::Tree | StatusFormat::Wide) {
            report.evidence.iter().try_for_each(|evidence| draw_evidence(out, style, evidence))?;
        }
        write_status(out, style, &report, &format)
    })?;
    Ok(code(&report))
}

impl Arguments {
    fn wish(&self) -> WaitWish {
        WaitWish {
            until: match self.until {
                Until::Ready => WaitFor::Ready,
                Until::Complete => WaitFor::Complete,
                Until::Deleted => WaitFor::Deleted,
            },
            timeout: self.timeout,
            grace: self.grace,
            restart_budget: self.restart_budget,
        }
    }
}

fn code(report: &StatusReport) -> u8 {
    if report.verdict.is_bad() { exit::FAILED } else { exit::DONE }
}

async fn watch(session: &mut Session, request: &ScopeRequest, format: StatusFormat) -> Result<u8> {
    if matches!(format, StatusFormat::Name) {
        return Err(Error::usage("-o name does not change, so there is nothing to watch")
            .hint("leave --watch out, or choose table, wide, json, yaml or jsonl"));
    }
    let mut live = LiveStatus::new(session.style, format);
    let events = Arc::clone(&session.ctx.events);
    let mut last = exit::DONE;
    let watching = ops::status::watch(&session.ctx, request, |report| {
        events.finish();
        last = code(&report);
        goes_on(live.show(&mut io::stdout().lock(), &report))
    });
    let ended = watching.await;
    goes_on(live.finish(&mut io::stdout().lock()))?;
    ended?;
    Ok(if session.ctx.cancel.is_cancelled() { exit::INTERRUPTED } else { last })
}

/// Whether somebody still reads.
fn goes_on(written: io::Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(cause) => Err(Error::failed("the output cannot be written").because(cause)),
    }
}
