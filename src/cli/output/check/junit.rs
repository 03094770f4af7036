//! JUnit XML: a test case for each rule.

use std::io::{self, Write};

use super::human::count;
use crate::{
    model::{CheckReport, Finding, Severity},
    rules::manifests::RULES,
};

/// Draws the report; a rule fails when it found an error, and other findings are its output.
pub fn draw_junit(out: &mut dyn Write, report: &CheckReport) -> io::Result<()> {
    let of = |code: &str, error: bool| -> Vec<&Finding> {
        let found = report.findings.iter().filter(|finding| finding.code == code);
        found.filter(|finding| (finding.severity == Severity::Error) == error).collect()
    };
    let failures = RULES.iter().filter(|rule| !of(rule.code, true).is_empty()).count();
    let numbers = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\"", RULES.len());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"kubectl-evolve\" {numbers}>")?;
    writeln!(out, "  <testsuite name=\"check\" {numbers}>")?;
    for rule in RULES {
        let (errors, others) = (of(rule.code, true), of(rule.code, false));
        write!(out, "    <testcase classname=\"check\" name=\"{}\"", rule.code)?;
        if errors.is_empty() && others.is_empty() {
            writeln!(out, "/>")?;
            continue;
        }
        writeln!(out, ">")?;
        if !errors.is_empty() {
            let message = escape(&format!("{}: {}", rule.summary, count(errors.len(), "error")));
            writeln!(out, "      <failure type=\"{}\" message=\"{message}\">{}</failure>", rule.code, lines(&errors))?;
        }
        if !others.is_empty() {
            writeln!(out, "      <system-out>{}</system-out>", lines(&others))?;
        }
        writeln!(out, "    </testcase>")?;
    }
    if !report.skipped.is_empty() {
        writeln!(out, "    <system-out>{}</system-out>", escape(&report.skipped.join("\n")))?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn lines(findings: &[&Finding]) -> String {
    let line = |finding: &&Finding| {
        let hint = finding.hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
        format!("{}: {}{hint}", finding.place, finding.in_words())
    };
    escape(&findings.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// For text and attributes; what XML cannot hold at all becomes a replacement character.
fn escape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\n' | '\t' => c.into(),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => "\u{fffd}".into(),
            c => String::from(c),
        })
        .collect()
}
