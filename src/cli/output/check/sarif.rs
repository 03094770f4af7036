//! SARIF 2.1.0, which code hosts and editors read.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::{
    model::{CheckReport, Finding, Severity},
    rules::manifests::RULES,
};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Draws the report as a SARIF log with one run.
pub fn draw_sarif(out: &mut dyn Write, report: &CheckReport) -> io::Result<()> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "shortDescription": {"text": format!("{}.", rule.summary)},
                "help": {"text": rule.help},
                "defaultConfiguration": {"level": level(rule.severity)},
            })
        })
        .collect();
    let skipped: Vec<Value> =
        report.skipped.iter().map(|text| json!({"level": "note", "message": {"text": text}})).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl-evolve",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": skipped}],
            "columnKind": "unicodeCodePoints",
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn result(finding: &Finding) -> Value {
    let place = &finding.place;
    let mut location = json!({"physicalLocation": {"artifactLocation": {"uri": uri(&place.file)}}});
    if place.line > 0 {
        let region = match place.column {
            0 => json!({"startLine": place.line}),
            column => json!({"startLine": place.line, "startColumn": column}),
        };
        location["physicalLocation"]["region"] = region;
    }
    if let Some(object) = &finding.object {
        let name = [object.to_string(), finding.field.clone()].join(" ");
        location["logicalLocations"] = json!([{"fullyQualifiedName": name.trim_end()}]);
    }
    let hint = finding.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": {"text": format!("{}{hint}", finding.message)},
        "locations": [location],
    });
    if let Some(index) = RULES.iter().position(|rule| rule.code == finding.code) {
        result["ruleIndex"] = index.into();
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A file's name as a URI: relative as it is, absolute with its scheme.
fn uri(file: &str) -> String {
    if file.starts_with("http://") || file.starts_with("https://") {
        return file.into();
    }
    let slashes = file.replace('\\', "/");
    let mut uri = String::new();
    if slashes.starts_with('/') {
        uri.push_str("file://");
    } else if slashes.as_bytes().get(1) == Some(&b':') {
        uri.push_str("file:///");
    }
    for byte in slashes.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => uri.push(byte.into()),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
