//! Reports for machines, and tables for people.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;

use super::Style;
use crate::{model::API_VERSION, source::to_yaml};

/// How a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    #[value(name = "table", alias = "human")]
    Human,
    Json,
    Yaml,
}

/// How a listing is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    #[default]
    #[value(name = "table", alias = "human")]
    Human,
    /// For people, with more columns
    Wide,
    Json,
    Yaml,
}

impl From<ListFormat> for Format {
    fn from(format: ListFormat) -> Self {
        match format {
            ListFormat::Human | ListFormat::Wide => Self::Human,
            ListFormat::Json => Self::Json,
            ListFormat::Yaml => Self::Yaml,
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'a str,
    #[serde(flatten)]
    report: &'a T,
}

/// Writes a report as JSON or YAML with its `apiVersion` and `kind`.
pub fn write_report<T: Serialize>(out: &mut dyn Write, kind: &str, report: &T, format: Format) -> io::Result<()> {
    let envelope = Envelope { api_version: API_VERSION, kind, report };
    match format {
        // Manifests in a report must mean the same to kubectl, whose YAML has more booleans and numbers than others.
        Format::Yaml => {
            let text = serde_json::to_value(&envelope).map_err(io::Error::other).map(|value| to_yaml(&value))?;
            out.write_all(text.map_err(io::Error::other)?.as_bytes())
        }
        Format::Json | Format::Human => {
            serde_json::to_writer_pretty(&mut *out, &envelope)?;
            writeln!(out)
        }
    }
}

/// A table in kubectl's habit: capitals above, columns three spaces apart, nothing behind the last one.
pub fn table(out: &mut dyn Write, style: &Style, header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().map(|text| style.strong(text)));
    if let Some(width) = style.width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    // The first column names the row: it is never folded.
    if let (Some(column), Some(_)) = (table.column_mut(0), style.width) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(12)));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piped_table_is_bare() {
        let rows = vec![vec!["api".into(), "1/2".into()], vec!["frontend".into(), "2/2".into()]];
        let mut out = Vec::new();
        table(&mut out, &Style::default(), &["NAME", "READY"], rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME       READY\napi        1/2\nfrontend   2/2\n");
    }

    #[test]
    fn a_report_names_its_schema() {
        #[derive(Serialize)]
        struct Report {
            objects: usize,
        }
        let mut out = Vec::new();
        write_report(&mut out, "CheckReport", &Report { objects: 1 }, Format::Yaml).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "apiVersion: evolve/v1\nkind: CheckReport\nobjects: 1\n");
    }
}
