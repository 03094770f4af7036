//! Lines of the level error, as they are written.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    context::Ctx,
    error::Result,
    model::{LogLevel, LogSource, LogsRequest, ScopeRequest},
    ops::logs::{self, Lines, LogSink},
    rules::{
        logs::{Entries, level, to_timestamp},
        redact::Redactor,
    },
};

/// How many are kept, the newest.
const KEPT: usize = 10_000;
/// After so long, logs that could not be followed are tried again.
const AGAIN: Duration = Duration::from_secs(15);

/// One line and where it came from.
#[derive(Debug, Clone)]
pub(super) struct ErrorLine {
    pub namespace: String,
    pub pod: String,
    pub time: Timestamp,
    pub line: String,
}

/// The lines that were seen. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Errors(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    lines: VecDeque<ErrorLine>,
    /// Why logs cannot be read.
    failed: Option<String>,
}

impl Errors {
    /// The lines; why there are none, where logs cannot be read.
    pub fn lines(&self) -> Result<Vec<ErrorLine>, String> {
        let seen = self.seen();
        match &seen.failed {
            Some(why) => Err(why.clone()),
            None => Ok(seen.lines.iter().cloned().collect()),
        }
    }

    /// Reads what was written within the time.
    pub async fn read(&self, ctx: &Ctx, scope: &ScopeRequest, during: Duration) {
        self.run(ctx, &wanted(scope, during, false)).await;
    }

    /// Follows the logs for ever.
    pub async fn follow(&self, ctx: &Ctx, scope: &ScopeRequest, mut during: Duration) {
        loop {
            self.run(ctx, &wanted(scope, during, true)).await;
            tokio::time::sleep(AGAIN).await;
            // What was written before has been read.
            during = AGAIN;
        }
    }

    async fn run(&self, ctx: &Ctx, request: &LogsRequest) {
        self.seen().failed = None;
        let sink = Sink { errors: self.clone(), redactor: Redactor::default() };
        let ended = logs::run(ctx, request, sink).await;
        // An application without pods has no logs, which is for other rules to tell.
        self.seen().failed = ended.err().filter(|error| error.code() == 403).map(|error| error.to_string());
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wanted(scope: &ScopeRequest, during: Duration, follow: bool) -> LogsRequest {
    LogsRequest {
        target: scope.target.clone(),
        words: scope.words.clone(),
        selector: scope.selector.clone(),
        all_namespaces: scope.all_namespaces,
        follow,
        since: Some(during),
        level: Some(LogLevel::Error),
        timestamps: true,
        entries: true,
        ..LogsRequest::default()
    }
}

struct Sink {
    errors: Errors,
    redactor: Redactor,
}

impl LogSink for Sink {
    fn put(&mut self, source: &LogSource, lines: Lines<'_>) {
        // Of a line in pieces, the first says what it is.
        if !lines.begins {
            return;
        }
        let found = Entries::new(lines.bytes, lines.stamped).filter_map(|entry| {
            let grave = level(entry.head) >= Some(LogLevel::Error);
            let text = String::from_utf8_lossy(entry.head);
            grave.then(|| ErrorLine {
                namespace: source.namespace.clone(),
                pod: source.pod.clone(),
                time: to_timestamp(entry.stamp.unwrap_or_default()),
                line: self.redactor.line(text.lines().next().unwrap_or_default()),
            })
        });
        let mut seen = self.errors.seen();
        seen.lines.extend(found);
        let excess = seen.lines.len().saturating_sub(KEPT);
        seen.lines.drain(..excess);
    }

    fn is_full(&self) -> bool {
        false
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
