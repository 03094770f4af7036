//! For people: a line for each finding, as compilers write them.

use std::io::{self, Write};

use super::super::Style;
use crate::model::{CheckReport, Severity};

/// Draws `file:line:column: error: message [code]` and the hint below it, then the counts.
pub fn draw_check(out: &mut dyn Write, style: &Style, report: &CheckReport) -> io::Result<()> {
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Error => style.bad("error:"),
            Severity::Warning => style.changed("warning:"),
            Severity::Info => style.strong("info:"),
        };
        let code = style.faint(format!("[{}]", finding.code));
        writeln!(out, "{}: {severity} {} {code}", style.strong(&finding.place), finding.in_words())?;
        if let Some(hint) = &finding.hint {
            writeln!(out, "  {} {hint}", style.strong("hint:"))?;
        }
    }
    for skipped in &report.skipped {
        writeln!(out, "{} {skipped}", style.faint("skipped:"))?;
    }
    let counts = [Severity::Error, Severity::Warning, Severity::Info].map(|severity| report.count(severity));
    let words = match counts {
        [0, 0, 0] => style.good("in order"),
        [0, 0, info] => format!("in order, {}", count(info, "remark")),
        [0, warnings, _] => style.changed(count(warnings, "warning")),
        [errors, 0, _] => style.bad(count(errors, "error")),
        [errors, warnings, _] => format!("{}, {}", style.bad(count(errors, "error")), count(warnings, "warning")),
    };
    writeln!(out, "{}: {words}", count(report.objects, "object"))
}

pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
