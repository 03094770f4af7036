//! `kubectl evolve logs`

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};
use regex::bytes::Regex;

use super::{
    Session,
    arguments::ScopeArguments,
    global::seconds_or_duration,
    output::{
        Budget, Format, LineOptions, LineSink, LineTemplate, RecordFormat, RecordSink, cluster_text, draw_analysis,
        draw_export,
    },
};
use crate::{
    error::{Error, Result},
    exit,
    model::{LogLevel, LogsReport, LogsRequest},
    ops::logs,
};

/// How long `--analyze` may be when nothing is said.
const BUDGET: Budget = Budget::Lines(60);

/// Read the logs of everything that has pods, and follow them through cuts, restarts and rollouts
///
/// TARGET is KIND/NAME, a name, or /pattern/: a workload, a Job, a CronJob, a Service, a Node or a pod. Without one it is
/// the application, or where there is none, the namespace. All containers are read, those of init and of debugging too.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    scope: ScopeArguments,
    /// Only these containers: a name or /pattern/; may be given again
    #[arg(short, long = "container", value_name = "CONTAINER")]
    containers: Vec<String>,
    /// Go on with what comes, also of pods that appear
    #[arg(short, long)]
    follow: bool,
    /// The instance before the present one, such as the one that crashed
    #[arg(short, long, conflicts_with = "follow")]
    previous: bool,
    /// Only the last lines of each log
    #[arg(long, value_name = "LINES")]
    tail: Option<i64>,
    /// Only what was written within this time, such as 10m
    #[arg(long, value_name = "DURATION", value_parser = seconds_or_duration, conflicts_with = "since_time")]
    since: Option<Duration>,
    /// Only what was written at this time and later, as in 2026-11-21T10:00:00Z
    #[arg(long, value_name = "TIME")]
    since_time: Option<String>,
    /// Only what was written until this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only entries with a line that matches; may be given again
    #[arg(short, long, value_name = "REGEX")]
    include: Vec<String>,
    /// No entries with a line that matches; may be given again
    #[arg(short, long, value_name = "REGEX")]
    exclude: Vec<String>,
    /// Show matches in colour; may be given again
    #[arg(long, value_name = "REGEX")]
    highlight: Vec<String>,
    /// Only entries of this level and above
    #[arg(long, value_name = "LEVEL", value_enum)]
    level: Option<Level>,
    /// In the order of time over all containers
    #[arg(long)]
    sort: bool,
    /// With events and rollout revisions between the lines, in the order of time
    #[arg(long)]
    timeline: bool,
    /// The time before each line
    #[arg(long)]
    timestamps: bool,
    /// The pod and the container before each line [default: when there are several]
    #[arg(long, overrides_with = "no_prefix")]
    prefix: bool,
    /// Nothing before the lines
    #[arg(long)]
    no_prefix: bool,
    /// raw, json, jsonl or template='{time} {pod} {message}'
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<String>,
    /// Say what the errors are, each kind once with its number and an example; with --level, other levels
    #[arg(long, conflicts_with_all = ["follow", "export", "timeline", "sort"])]
    analyze: bool,
    /// How long --analyze may be: 60 lines, or 8k bytes [default: 60]
    #[arg(long, value_name = "LINES|BYTES", requires = "analyze")]
    budget: Option<Budget>,
    /// Write each log into a file of its own in this folder, with an index
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["follow", "timeline", "sort"])]
    export: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
            Level::Fatal => Self::Fatal,
        }
    }
}

/// How lines or entries are written.
enum Output {
    Lines,
    Raw,
    Records(RecordFormat),
}

impl Output {
    fn read(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("default") => Ok(Self::Lines),
            Some("raw") => Ok(Self::Raw),
            Some("json") => Ok(Self::Records(RecordFormat::Json)),
            Some("jsonl") => Ok(Self::Records(RecordFormat::JsonLines)),
            Some(other) => match other.strip_prefix("template=") {
                Some(template) => Ok(Self::Records(RecordFormat::Template(LineTemplate::parse(template)?))),
                None => Err(Error::usage(format!("-o {other} is not known"))
                    .hint("there are raw, json, jsonl and template='{time} {pod} {message}'")),
            },
        }
    }
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    if arguments.analyze {
        return analyze(arguments, session).await;
    }
    if let Some(folder) = arguments.export.clone() {
        return export(arguments, &folder, session).await;
    }
    let output = Output::read(arguments.output.as_deref())?;
    let highlight = patterns(&arguments.highlight)?;
    let (no_prefix, asked) = (arguments.no_prefix, arguments.prefix);
    let mut request = request(arguments, session);
    let (color, terminal) = (session.style.color, session.style.width.is_some());
    session.ctx.events.finish();
    let report = match output {
        Output::Records(format) => {
            request.entries = true;
            request.timestamps = true;
            let sink = RecordSink::new(format, terminal, io::stdout());
            let (report, sink) = logs::run(&session.ctx, &request, sink).await?;
            written(sink.finish().await)?;
            report
        }
        Output::Lines | Output::Raw => {
            let raw = matches!(output, Output::Raw);
            let options = LineOptions {
                prefix: match (asked, no_prefix || raw || (request.follow && is_one(&request))) {
                    (true, _) => Some(true),
                    (false, true) => Some(false),
                    (false, false) => None,
                },
                namespaces: request.all_namespaces
                    || request.target.namespace.as_deref().is_some_and(|names| names.contains(',')),
                timestamps: request.timestamps,
                color: color && !raw,
                width: session.style.width.filter(|_| !raw),
                highlight: if color && !raw { highlight } else { Vec::new() },
                gaps: raw.then(|| Arc::clone(&session.ctx.events)),
            };
            let (report, sink) = logs::run(&session.ctx, &request, LineSink::new(options, io::stdout())).await?;
            written(sink.finish().await)?;
            report
        }
    };
    Ok(code(&report))
}

async fn analyze(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let format = report_format(arguments.output.as_deref())?;
    let budget = arguments.budget;
    let mut report = logs::analyze(&session.ctx, &request(arguments, session)).await?;
    let style = session.style;
    match format {
        Format::Human => budget.unwrap_or(BUDGET).fit(&mut report, |cluster| cluster_text(&style, cluster)),
        Format::Json | Format::Yaml => {
            let drawn = |cluster: &_| serde_json::to_string_pretty(cluster).unwrap_or_default();
            budget.into_iter().for_each(|budget| budget.fit(&mut report, drawn));
        }
    }
    session.report("LogAnalysis", &report, format, |out, style| draw_analysis(out, style, &report))?;
    Ok(if report.failed.is_empty() { exit::DONE } else { exit::FAILED })
}

async fn export(arguments: Arguments, folder: &std::path::Path, session: &mut Session) -> Result<u8> {
    let format = report_format(arguments.output.as_deref())?;
    let folder = session.ctx.environment.folder.join(folder);
    let report = logs::export(&session.ctx, &request(arguments, session), &folder).await?;
    session.report("LogExport", &report, format, |out, style| draw_export(out, style, &report))?;
    Ok(if report.failed.is_empty() { exit::DONE } else { exit::FAILED })
}

fn request(arguments: Arguments, session: &Session) -> LogsRequest {
    let scope = arguments.scope.request(session);
    LogsRequest {
        target: scope.target,
        words: scope.words,
        selector: scope.selector,
        all_namespaces: scope.all_namespaces,
        containers: arguments.containers,
        previous: arguments.previous,
        follow: arguments.follow,
        since: arguments.since,
        since_time: arguments.since_time,
        until: arguments.until,
        // As in kubectl, a negative number is all.
        tail: arguments.tail.and_then(|lines| u64::try_from(lines).ok()),
        include: arguments.include,
        exclude: arguments.exclude,
        level: arguments.level.map(LogLevel::from),
        sort: arguments.sort,
        timeline: arguments.timeline,
        timestamps: arguments.timestamps,
        entries: false,
    }
}

/// Whether only one log can be meant, whatever comes: one container of one pod.
fn is_one(request: &LogsRequest) -> bool {
    let pod = |word: &String| ["pod/", "pods/", "po/"].iter().any(|kind| word.starts_with(kind));
    let named = |name: &String| !name.starts_with('/');
    request.words.len() == 1
        && request.words.iter().all(pod)
        && request.containers.len() == 1
        && request.containers.iter().all(named)
        && !request.timeline
}

fn patterns(patterns: &[String]) -> Result<Vec<Regex>> {
    let read = |text: &String| {
        Regex::new(text)
            .map_err(|cause| Error::usage(format!("--highlight {text}: not a regular expression")).because(cause))
    };
    patterns.iter().map(read).collect()
}

fn report_format(output: Option<&str>) -> Result<Format> {
    match output {
        None => Ok(Format::Human),
        Some(text) => Format::from_str(text, true)
            .map_err(|_| Error::usage(format!("-o {text} is not known here")).hint("there are table, json and yaml")),
    }
}

/// A reader that went away has all that it wanted.
fn written(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed("the logs cannot be written").because(error))
        }
        _ => Ok(()),
    }
}

fn code(report: &LogsReport) -> u8 {
    match (report.interrupted, report.failed.is_empty()) {
        (true, _) => exit::INTERRUPTED,
        (false, true) => exit::DONE,
        (false, false) => exit::FAILED,
    }
}
