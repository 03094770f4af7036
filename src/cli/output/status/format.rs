//! The formats of a status.

use std::{
    io::{self, Write},
    str::FromStr,
};

use serde::Serialize;

use super::tree::draw_status;
use crate::{
    cli::output::{Format, Style, write_report},
    model::{API_VERSION, StatusReport},
    rules::jsonpath::Template,
};

/// How a status is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusFormat {
    /// For people.
    Tree,
    /// For people, with everything.
    Wide,
    Json,
    Yaml,
    /// A JSON object on a line for each workload and each other object.
    JsonLines,
    Name,
    JsonPath(Template),
}

impl FromStr for StatusFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "table" | "tree" | "human" => Ok(Self::Tree),
            "wide" => Ok(Self::Wide),
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            "jsonl" => Ok(Self::JsonLines),
            "name" => Ok(Self::Name),
            _ => match text.strip_prefix("jsonpath=") {
                Some(template) => Template::parse(template).map(Self::JsonPath),
                None => Err("one of table, wide, json, yaml, jsonl, name and jsonpath=TEMPLATE is meant".into()),
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'r, T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    status: &'r T,
}

/// Writes a report in a format.
pub fn write_status(
    out: &mut dyn Write,
    style: &Style,
    report: &StatusReport,
    format: &StatusFormat,
) -> io::Result<()> {
    match format {
        StatusFormat::Tree => draw_status(out, style, report, false),
        StatusFormat::Wide => draw_status(out, style, report, true),
        StatusFormat::Json => write_report(out, "StatusReport", report, Format::Json),
        StatusFormat::Yaml => write_report(out, "StatusReport", report, Format::Yaml),
        StatusFormat::JsonLines => {
            report.workloads.iter().try_for_each(|status| write_line(out, "WorkloadStatus", status))?;
            report.others.iter().try_for_each(|status| write_line(out, "OtherStatus", status))
        }
        StatusFormat::Name => {
            let workloads = report.workloads.iter().map(|status| &status.object);
            let mut objects = workloads.chain(report.others.iter().map(|status| &status.object));
            objects.try_for_each(|object| writeln!(out, "{object}"))
        }
        StatusFormat::JsonPath(template) => {
            let text = template.fill(&serde_json::to_value(report)?);
            if text.is_empty() || text.ends_with('\n') { write!(out, "{text}") } else { writeln!(out, "{text}") }
        }
    }
}

/// One part of a report as JSON on a line of its own.
pub(super) fn write_line<T: Serialize>(out: &mut dyn Write, kind: &'static str, status: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { api_version: API_VERSION, kind, status })?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectRef, Verdict, WorkloadStatus};

    fn written(format: &str) -> String {
        let object =
            ObjectRef { api_version: "apps/v1".into(), kind: "Deployment".into(), name: "api".into(), namespace: None };
        let workload =
            WorkloadStatus { object, verdict: Verdict::Failed, message: "why".into(), ..WorkloadStatus::default() };
        let report = StatusReport { workloads: vec![workload], ..StatusReport::default() };
        let mut out = Vec::new();
        write_status(&mut out, &Style::default(), &report, &format.parse().unwrap()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_format_has_its_form() {
        assert_eq!(written("name"), "deployment.apps/api\n");
        assert_eq!(written("jsonpath={.workloads[*].verdict}"), "failed\n");
        assert_eq!(written(r#"jsonpath={range .workloads[*]}{.object.name}{"\t"}{.message}{"\n"}{end}"#), "api\twhy\n");
        let line = written("jsonl");
        assert!(line.starts_with(r#"{"apiVersion":"evolve/v1","kind":"WorkloadStatus","object":"#), "{line}");
        assert_eq!(line.lines().count(), 1);
        assert!("xml".parse::<StatusFormat>().unwrap_err().contains("jsonpath=TEMPLATE"));
        assert!("jsonpath={.a".parse::<StatusFormat>().is_err());
    }
}
