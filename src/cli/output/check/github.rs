//! Workflow commands of GitHub Actions, which become annotations in the changed files.

use std::io::{self, Write};

use super::human::count;
use crate::model::{CheckReport, Severity};

/// Draws `::error file=…,line=…,col=…,title=…::message` for each finding.
pub fn draw_github(out: &mut dyn Write, report: &CheckReport) -> io::Result<()> {
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let place = &finding.place;
        write!(out, "::{command} file={}", property(&place.file))?;
        for (name, number) in [("line", place.line), ("col", place.column)] {
            if number > 0 {
                write!(out, ",{name}={number}")?;
            }
        }
        let hint = finding.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        writeln!(out, ",title={}::{}", property(&finding.code), data(&(finding.in_words() + &hint)))?;
    }
    for skipped in &report.skipped {
        writeln!(out, "::notice title=skipped::{}", data(skipped))?;
    }
    let [errors, warnings] = [Severity::Error, Severity::Warning].map(|severity| report.count(severity));
    writeln!(out, "{}: {}, {}", count(report.objects, "object"), count(errors, "error"), count(warnings, "warning"))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
