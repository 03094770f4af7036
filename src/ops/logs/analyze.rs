//! What the errors in logs say, clustered.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    io,
};

use super::{
    run::run,
    sink::{Lines, LogSink},
};
use crate::{
    context::Ctx,
    error::Result,
    model::{LogAnalysis, LogCluster, LogCount, LogLevel, LogSource, LogsRequest},
    rules::{
        logs::{Cluster, Clusters, Entries, level, to_timestamp},
        redact::Redactor,
    },
};

/// How many sources a cluster names.
const SOURCES: usize = 3;
/// How many lines of an example are shown.
const EXAMPLE: usize = 12;

/// Reads the logs and clusters the entries of a level and graver ones; of `error` when the request names none.
///
/// # Errors
/// As [`run`].
pub async fn analyze(ctx: &Ctx, request: &LogsRequest) -> Result<LogAnalysis> {
    let least = request.level.unwrap_or(LogLevel::Error);
    // Every entry is counted by its level, so none is filtered by it beforehand.
    let request =
        LogsRequest { level: None, entries: true, timestamps: true, follow: false, sort: false, ..request.clone() };
    ctx.phase("analyze", "reading logs");
    let (report, analysis) = run(ctx, &request, Analysis { least, ..Analysis::default() }).await?;
    Ok(LogAnalysis { streams: report.streams, failed: report.failed, ..analysis.finish() })
}

/// Counts what it is given.
#[derive(Default)]
struct Analysis {
    least: LogLevel,
    lines: u64,
    bytes: u64,
    matching: u64,
    levels: BTreeMap<LogLevel, u64>,
    clusters: Clusters,
    sources: HashMap<usize, String>,
}

impl LogSink for Analysis {
    fn put(&mut self, source: &LogSource, lines: Lines<'_>) {
        self.bytes += lines.bytes.len() as u64;
        // Of a line in pieces, the first says what it is.
        if !lines.begins {
            self.lines += u64::from(lines.ends);
            return;
        }
        let mut found = false;
        for entry in Entries::new(lines.bytes, lines.stamped) {
            self.lines += memchr::memchr_iter(b'\n', entry.bytes).count() as u64;
            let Some(level) = level(entry.head) else { continue };
            *self.levels.entry(level).or_default() += 1;
            if level >= self.least {
                self.matching += 1;
                found = true;
                self.clusters.add(source.number, level, entry.stamp, entry.head, entry.bytes);
            }
        }
        if found {
            self.sources.entry(source.number).or_insert_with(|| source.to_string());
        }
    }

    fn is_full(&self) -> bool {
        false
    }

    fn flush(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        std::future::ready(Ok(()))
    }
}

impl Analysis {
    fn finish(self) -> LogAnalysis {
        let beyond = self.clusters.beyond;
        let redactor = Redactor::default();
        let clusters = self.clusters.finish().into_iter();
        let clusters = clusters.map(|cluster| report(cluster, &self.sources, &redactor)).collect();
        LogAnalysis {
            lines: self.lines,
            bytes: self.bytes,
            matching: self.matching,
            level: Some(self.least),
            levels: self.levels,
            clusters,
            omitted_clusters: u64::from(beyond > 0),
            omitted_entries: beyond,
            ..LogAnalysis::default()
        }
    }
}

fn report(cluster: Cluster, names: &HashMap<usize, String>, redactor: &Redactor) -> LogCluster {
    let mut sources: Vec<(usize, u64)> = cluster.sources.into_iter().collect();
    sources.sort_by_key(|(number, count)| (std::cmp::Reverse(*count), *number));
    let name = |number: usize| names.get(&number).cloned().unwrap_or_default();
    let named = sources.into_iter().take(SOURCES).map(|(number, count)| LogCount { source: name(number), count });
    let example = String::from_utf8_lossy(&cluster.example);
    let stamped =
        |line: &str| crate::rules::logs::split(line.as_bytes()).map_or(0, |(_, text)| line.len() - text.len());
    let example: String = example.lines().take(EXAMPLE).flat_map(|line| [&line[stamped(line)..], "\n"]).collect();
    LogCluster {
        template: redactor.line(&cluster.template),
        level: cluster.level,
        count: cluster.count,
        first: cluster.first.map(|stamp| to_timestamp(stamp).to_string()),
        last: cluster.last.map(|stamp| to_timestamp(stamp).to_string()),
        sources: named.collect(),
        example: redactor.lines(&example),
    }
}
