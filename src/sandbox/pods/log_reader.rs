//! A log as it is read: what there is, and what comes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    log_options::LogOptions,
    logs::{LogBook, LogRun, Runs},
};
use crate::{
    rules::fields::text,
    sandbox::{controllers::objects, problem::Problem},
};

/// How often a log that is followed is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Reads one container's log, piece by piece.
#[derive(Debug)]
pub struct LogReader {
    book: Arc<LogBook>,
    uid: Box<str>,
    container: Box<str>,
    previous: bool,
    options: LogOptions,
    /// Up to here everything was read; None at the start.
    read: Option<Timestamp>,
    /// How many bytes may still be given.
    left: Option<usize>,
    over: bool,
}

impl LogBook {
    /// Opens the log of a pod's container.
    ///
    /// # Errors
    /// As the real API server and kubelet refuse it.
    pub fn open(self: &Arc<Self>, pod: &Value, options: &LogOptions) -> Result<LogReader, Problem> {
        options.check(pod)?;
        let container = options.choose(pod)?;
        let unplaced = text(pod, "/spec/nodeName").is_empty();
        let previous = if unplaced { false } else { options.choose_previous(pod, container)? };
        Ok(LogReader {
            book: self.clone(),
            uid: objects::uid(pod).into(),
            container: container.into(),
            previous,
            read: None,
            left: options.limit_bytes.and_then(|bytes| usize::try_from(bytes).ok()),
            // A pod without a node has an empty log.
            over: unplaced,
            options: options.clone(),
        })
    }
}

impl LogReader {
    /// The next piece; None at the end. A log that is followed ends with its container.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.over {
                return None;
            }
            let piece = self.piece();
            if !piece.is_empty() {
                return Some(piece);
            }
            if self.over {
                return None;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn run(&self) -> Option<LogRun> {
        let Runs { current, previous } = self.book.runs(&self.uid, &self.container)?;
        // Behind a back-off the last run is still the present one.
        if self.previous { previous.or(current) } else { current }
    }

    fn piece(&mut self) -> Bytes {
        let Some(run) = self.run() else {
            self.over = true;
            return Bytes::new();
        };
        let now = self.book.clock.now();
        let mut lines = run.lines(self.read, now);
        if self.read.is_none() {
            let since = self
                .options
                .since_time
                .or_else(|| now.checked_sub(SignedDuration::from_secs(self.options.since_seconds?)).ok());
            lines.retain(|(at, _)| since.is_none_or(|since| *at >= since));
            if let Some(tail) = self.options.tail_lines.and_then(|lines| usize::try_from(lines).ok()) {
                let surplus = lines.len().saturating_sub(tail);
                lines.drain(..surplus);
            }
        }
        self.read = Some(now);
        let mut text = String::new();
        for (at, line) in lines {
            if self.options.timestamps {
                text.push_str(&at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string());
            }
            text.push_str(line);
            text.push('\n');
        }
        self.over = !self.options.follow || self.previous || run.until.is_some_and(|(until, _)| until <= now);
        let mut bytes = Bytes::from(text);
        if let Some(left) = &mut self.left {
            bytes.truncate(*left);
            *left -= bytes.len();
            self.over |= *left == 0;
        }
        bytes
    }
}
