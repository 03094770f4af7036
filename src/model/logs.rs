//! The requests and the reports of `logs`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Target;

/// How grave an entry of a log is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    #[default]
    Error,
    Fatal,
}

/// Where in the pod a container stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerKind {
    Init,
    #[default]
    Container,
    Ephemeral,
}

/// Which logs are read, and what of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogsRequest {
    pub target: Target,
    /// `kind/name`, a name alone, or `/pattern/`; with none and no selector, the application.
    pub words: Vec<String>,
    /// A label selector.
    pub selector: Option<String>,
    pub all_namespaces: bool,
    /// Only these containers: names, or `/pattern/`.
    pub containers: Vec<String>,
    /// The instance before the present one.
    pub previous: bool,
    pub follow: bool,
    /// Only what was written within this time.
    pub since: Option<Duration>,
    /// Only what was written at this time (RFC 3339) and later.
    pub since_time: Option<String>,
    /// Only what was written until this time (RFC 3339).
    pub until: Option<String>,
    /// Only so many lines of each log's end.
    pub tail: Option<u64>,
    /// Regular expressions: one of them matches a line of the entry.
    pub include: Vec<String>,
    /// Regular expressions: none of them matches a line of the entry.
    pub exclude: Vec<String>,
    /// Entries of this level and graver ones.
    pub level: Option<LogLevel>,
    /// In the order of time over all containers.
    pub sort: bool,
    /// With the events and revisions of what the pods belong to.
    pub timeline: bool,
    /// Whether lines carry their times.
    pub timestamps: bool,
    /// Whether lines that belong together come together.
    pub entries: bool,
}

/// Where lines come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogSource {
    /// Counts from 0, in the order in which sources were found.
    #[serde(skip)]
    pub number: usize,
    pub namespace: String,
    /// Of what is no container, such as an event: the object, as `kind/name`.
    pub pod: String,
    /// Empty for what is no container.
    pub container: String,
    pub kind: ContainerKind,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// How often the container had been started before.
    pub restarts: u32,
    /// Whether this is the instance before the present one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub previous: bool,
}

impl std::fmt::Display for LogSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.container.as_str() {
            "" => f.write_str(&self.pod),
            container => write!(f, "{}/{container}", self.pod),
        }
    }
}

/// How the reading went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogsReport {
    /// How many logs were read, or begun.
    pub streams: usize,
    /// Logs that could not be read, each with why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// Whether the user ended it.
    pub interrupted: bool,
}

/// What the errors in logs say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogAnalysis {
    pub streams: usize,
    pub lines: u64,
    pub bytes: u64,
    /// Entries of the level that was asked for and graver ones; `error` when none was.
    pub matching: u64,
    pub level: Option<LogLevel>,
    /// Entries by level; those without one are not among them.
    pub levels: std::collections::BTreeMap<LogLevel, u64>,
    /// The gravest and most frequent first.
    pub clusters: Vec<LogCluster>,
    /// Clusters, and their entries, that did not fit the budget.
    pub omitted_clusters: u64,
    pub omitted_entries: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// Entries that say the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogCluster {
    /// What they have in common; `<n>`, `<id>` and `<*>` stand for what differs.
    pub template: String,
    pub level: LogLevel,
    pub count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The containers that wrote them, the most frequent first, as `pod/container`; not all when there are many.
    pub sources: Vec<LogCount>,
    /// One entry, with secrets masked.
    pub example: Vec<String>,
}

/// How many entries a container wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogCount {
    pub source: String,
    pub count: u64,
}

/// The files that `--export` wrote.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogExport {
    pub folder: String,
    pub files: Vec<LogFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// One container's log in a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// In the folder.
    pub file: String,
    #[serde(flatten)]
    pub source: LogSource,
    pub lines: u64,
    pub bytes: u64,
}

/// One entry, as `-o jsonl` writes it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogRecord<'l> {
    /// RFC 3339 with nanoseconds, as the node had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    pub namespace: &'l str,
    pub pod: &'l str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub container: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// The entry; its lines are parted by `\n`. What is no UTF-8 is replaced.
    pub message: std::borrow::Cow<'l, str>,
    /// The line itself, where it is a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<&'l serde_json::value::RawValue>,
    /// The line goes on in the next record, because it is longer than can be held.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub goes_on: bool,
}
