//! Draws alerts.

use std::io::{self, Write};

use super::Style;
use crate::model::{Alert, AlertState, Notice, Severity, WatchReport};

/// A line for a notice.
pub fn draw_notice(out: &mut dyn Write, style: &Style, notice: &Notice) -> io::Result<()> {
    let alert = &notice.alert;
    let (time, state) = match notice.state {
        AlertState::Firing => (alert.since, word(style, alert.severity)),
        AlertState::Recovered => (alert.until.unwrap_or(alert.since), style.good("recovered")),
    };
    writeln!(out, "{} {state} {}", style.faint(time.strftime("%Y-%m-%dT%H:%M:%SZ")), what(alert))
}

/// What lasts, and what could not be looked at.
pub fn draw_alerts(out: &mut dyn Write, style: &Style, report: &WatchReport) -> io::Result<()> {
    for alert in &report.firing {
        writeln!(out, "{} {} (since {})", word(style, alert.severity), what(alert), alert.since)?;
    }
    for note in &report.notes {
        writeln!(out, "{} {note}", style.faint("note:"))?;
    }
    if report.firing.is_empty() {
        writeln!(out, "{}", style.good("nothing is wrong by the rules"))?;
    }
    Ok(())
}

fn what(alert: &Alert) -> String {
    let place = alert.object.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    format!("{} {}{place}: {}", alert.rule, alert.object, alert.message)
}

fn word(style: &Style, severity: Severity) -> String {
    match severity {
        Severity::Error => style.bad(severity.word()),
        Severity::Warning => style.changed(severity.word()),
        Severity::Info => severity.word().to_owned(),
    }
}
