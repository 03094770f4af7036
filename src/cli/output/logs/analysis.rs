//! What the errors in logs say, within a budget of lines or bytes; and what an export wrote.

use std::{
    io::{self, Write},
    str::FromStr,
};

use super::super::Style;
use crate::model::{LogAnalysis, LogCluster, LogExport};

/// How long the report may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    Lines(usize),
    Bytes(usize),
}

impl FromStr for Budget {
    type Err = String;

    /// `60` are lines; `8k`, `8KiB`, `8000B` are bytes.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let number: usize = number.parse().map_err(|_| format!("{text:?} is no number of lines or bytes"))?;
        match unit.to_ascii_lowercase().as_str() {
            "" | "lines" => Ok(Self::Lines(number)),
            "b" => Ok(Self::Bytes(number)),
            "k" | "kb" => Ok(Self::Bytes(number.saturating_mul(1000))),
            "kib" => Ok(Self::Bytes(number.saturating_mul(1024))),
            _ => Err(format!("{text:?}: write 60 for lines, 8k or 8KiB for bytes")),
        }
    }
}

impl Budget {
    /// Leaves out the clusters that do not fit, the last first; one always stays. `drawn` says how a cluster looks.
    pub fn fit(self, report: &mut LogAnalysis, drawn: impl Fn(&LogCluster) -> String) {
        let (Self::Lines(mut left) | Self::Bytes(mut left)) = self;
        let mut kept = 0;
        for cluster in &report.clusters {
            let text = drawn(cluster);
            let size = match self {
                Self::Lines(_) => text.lines().count(),
                Self::Bytes(_) => text.len(),
            };
            if size > left && kept > 0 {
                break;
            }
            left = left.saturating_sub(size);
            kept += 1;
        }
        let omitted = report.clusters.split_off(kept);
        report.omitted_clusters += omitted.len() as u64;
        report.omitted_entries += omitted.iter().map(|cluster| cluster.count).sum::<u64>();
    }
}

/// Draws the clusters of a report.
pub fn draw_analysis(out: &mut dyn Write, style: &Style, report: &LogAnalysis) -> io::Result<()> {
    let level = report.level.unwrap_or_default();
    let (level, kinds) = (format!("{level:?}").to_lowercase(), report.clusters.len() as u64 + report.omitted_clusters);
    let read = format!("{} lines of {} containers", grouped(report.lines), grouped(report.streams as u64));
    if report.matching == 0 {
        return writeln!(out, "{}", style.good(format!("no entries of level {level} or above in {read}")));
    }
    let verdict = format!("{} entries of level {level} or above in {read}: {kinds} kinds", grouped(report.matching));
    writeln!(out, "{}", style.bad(verdict))?;
    for cluster in &report.clusters {
        out.write_all(cluster_text(style, cluster).as_bytes())?;
    }
    if report.omitted_clusters > 0 {
        let (kinds, entries) = (grouped(report.omitted_clusters), grouped(report.omitted_entries));
        writeln!(out, "{}", style.faint(format!("and {kinds} more kinds with {entries} entries (--budget)")))?;
    }
    Ok(())
}

/// A cluster as people see it.
pub fn cluster_text(style: &Style, cluster: &LogCluster) -> String {
    let level = format!("{:?}", cluster.level).to_lowercase();
    let mut text = format!("\n{} {} × {}\n", style.bad(level), grouped(cluster.count), style.strong(&cluster.template));
    let times = match (&cluster.first, &cluster.last) {
        (Some(first), Some(last)) if first != last => format!("{} to {}", second(first), second(last)),
        (Some(first), _) => second(first),
        _ => String::new(),
    };
    let sources: Vec<String> =
        cluster.sources.iter().map(|source| format!("{} ({})", source.source, grouped(source.count))).collect();
    text += &format!("  {}\n", style.faint([times, sources.join(", ")].join("  ").trim()));
    for line in &cluster.example {
        text += &format!("  | {line}\n");
    }
    text
}

/// Draws which files were written.
pub fn draw_export(out: &mut dyn Write, style: &Style, report: &LogExport) -> io::Result<()> {
    let lines = report.files.iter().map(|file| file.lines).sum();
    let bytes = report.files.iter().map(|file| file.bytes).sum();
    let files = report.files.len();
    let words = format!("{files} logs, {} lines, {} bytes in {}", grouped(lines), grouped(bytes), report.folder);
    writeln!(out, "{}", style.good(words))
}

/// A time without its fraction.
fn second(time: &str) -> String {
    match time.split_once('.') {
        Some((second, _)) => format!("{second}Z"),
        None => time.to_owned(),
    }
}

/// `2,000,000`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogCount, LogLevel};

    fn report() -> LogAnalysis {
        let cluster = |template: &str, count| LogCluster {
            template: template.to_owned(),
            level: LogLevel::Error,
            count,
            first: Some("2026-11-21T10:00:39.58Z".into()),
            last: Some("2026-11-21T10:05:00Z".into()),
            sources: vec![LogCount { source: "api-1/main".into(), count }],
            example: vec![format!("ERROR {template}"), "    at main".into()],
        };
        LogAnalysis {
            streams: 2,
            lines: 2_000_000,
            matching: 1312,
            level: Some(LogLevel::Error),
            clusters: vec![cluster("cannot reach <n>", 1300), cluster("disk full", 12)],
            ..LogAnalysis::default()
        }
    }

    #[test]
    fn clusters_are_drawn_with_an_example() {
        let mut out = Vec::new();
        draw_analysis(&mut out, &Style::default(), &report()).unwrap();
        snapbox::assert_data_eq!(
            String::from_utf8(out).unwrap(),
            snapbox::str![[r#"
1,312 entries of level error or above in 2,000,000 lines of 2 containers: 2 kinds

error 1,300 × cannot reach <n>
  2026-11-21T10:00:39Z to 2026-11-21T10:05:00Z  api-1/main (1,300)
  | ERROR cannot reach <n>
  |     at main

error 12 × disk full
  2026-11-21T10:00:39Z to 2026-11-21T10:05:00Z  api-1/main (12)
  | ERROR disk full
  |     at main

"#]]
        );
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let drawn = |cluster: &LogCluster| cluster_text(&Style::default(), cluster);
        for (budget, kept) in [("12", 2), ("9", 1), ("1", 1), ("1KiB", 2), ("150b", 1)] {
            let mut report = report();
            budget.parse::<Budget>().unwrap().fit(&mut report, drawn);
            let omitted = (report.omitted_clusters, report.omitted_entries);
            assert_eq!((report.clusters.len(), omitted), (kept, if kept == 2 { (0, 0) } else { (1, 12) }), "{budget}");
        }
        assert!("x".parse::<Budget>().is_err() && "5 apples".parse::<Budget>().is_err());
    }
}
