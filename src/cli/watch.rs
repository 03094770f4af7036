//! `kubectl evolve watch`

use std::{
    io::{self, Write},
    time::Duration,
};

use clap::Args;

use super::{
    Session,
    arguments::ScopeArguments,
    global::duration,
    output::{Format, draw_alerts, draw_notice, write_report},
};
use crate::{
    error::Result,
    exit,
    model::{Notice, Severity, WatchRequest},
    ops,
};

/// Watch an application, and tell of what goes wrong and of its end
///
/// The rules and who is told are in evolve.yaml (`watch:`). Each alert is told once, and its recovery once, also when
/// this ends and is started again. It runs until Ctrl-C.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    scope: ScopeArguments,
    /// Look once, tell what is new, print what lasts, and end with exit code 1 where that is an error
    #[arg(long)]
    once: bool,
    /// How often everything is judged
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15s")]
    interval: Duration,
    /// How to print; without --once, json is a line for each notice
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let format = arguments.output;
    let once = arguments.once;
    let interval = Some(arguments.interval).filter(|interval| !interval.is_zero());
    let request = WatchRequest { scope: arguments.scope.request(session), once, interval };
    let style = session.style;
    let tell = |notice: &Notice| -> Result<()> {
        let mut out = io::stdout().lock();
        let written = match format {
            _ if once => Ok(()),
            Format::Human => draw_notice(&mut out, &style, notice),
            Format::Json | Format::Yaml => write_line(&mut out, notice, format),
        };
        super::session::quiet_on_broken_pipe(written.and_then(|()| out.flush()))
    };
    let report = ops::watch::run(&session.ctx, &request, tell).await?;
    if !once {
        return Ok(exit::INTERRUPTED);
    }
    session.report("WatchReport", &report, format, |out, style| draw_alerts(out, style, &report))?;
    let broken = report.firing.iter().any(|alert| alert.severity == Severity::Error);
    Ok(if broken { exit::FAILED } else { exit::DONE })
}

fn write_line(out: &mut dyn Write, notice: &Notice, format: Format) -> io::Result<()> {
    match format {
        Format::Yaml => {
            writeln!(out, "---")?;
            write_report(out, "Notice", notice, format)
        }
        _ => {
            let mut text = Vec::new();
            write_report(&mut text, "Notice", notice, format)?;
            let value: serde_json::Value = serde_json::from_slice(&text)?;
            writeln!(out, "{value}")
        }
    }
}
