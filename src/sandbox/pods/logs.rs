//! Logs of simulated containers. A log is what a script says up to a time, so it costs nothing to keep.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use super::behaviour::Line;
use crate::sandbox::Clock;

/// How many lines of a log are kept: the newest.
pub const KEPT: usize = 10_000;

/// What one run of a container writes.
#[derive(Debug, Default)]
pub struct Script {
    pub lines: Vec<Line>,
}

/// One run of a container.
#[derive(Debug, Clone)]
pub struct LogRun {
    pub since: Timestamp,
    /// When it ended, with its last lines.
    pub until: Option<(Timestamp, Arc<[String]>)>,
    pub script: Arc<Script>,
}

impl LogRun {
    /// The lines written behind `from` and up to `to`, the oldest first; at most [`KEPT`], the newest.
    pub fn lines(&self, from: Option<Timestamp>, to: Timestamp) -> Vec<(Timestamp, &str)> {
        let end = self.until.as_ref().map_or(to, |(until, _)| to.min(*until));
        let mut found = Vec::new();
        for line in &self.script.lines {
            self.times(line, from, end, &mut |at| found.push((at, line.text.as_str())));
        }
        if let Some((until, last)) = &self.until
            && *until <= to
            && from.is_none_or(|from| *until > from)
        {
            found.extend(last.iter().map(|line| (*until, line.as_str())));
        }
        found.sort_by_key(|(at, _)| *at);
        let surplus = found.len().saturating_sub(KEPT);
        found.drain(..surplus);
        found
    }

    /// When a line of the script is written.
    fn times(&self, line: &Line, from: Option<Timestamp>, end: Timestamp, take: &mut dyn FnMut(Timestamp)) {
        let Ok(first) = self.since.checked_add(line.after.0) else { return };
        let is_new = |at: Timestamp| from.is_none_or(|from| at > from);
        let Some(every) = line.every.filter(|every| !every.0.is_zero()) else {
            if first <= end && is_new(first) {
                take(first);
            }
            return;
        };
        if first > end {
            return;
        }
        let every = i64::try_from(every.0.as_millis()).unwrap_or(i64::MAX);
        let count = end.duration_since(first).as_millis() as i64 / every;
        let oldest = (count + 1).saturating_sub(KEPT as i64).max(0);
        for number in oldest..=count {
            if let Ok(at) = first.checked_add(SignedDuration::from_millis(every.saturating_mul(number)))
                && is_new(at)
            {
                take(at);
            }
        }
    }
}

/// The runs of one container that can be read.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    pub current: Option<LogRun>,
    pub previous: Option<LogRun>,
}

/// The runs of a pod's containers, by name.
type RunsOfPod = HashMap<Box<str>, Runs>;

/// The logs of all containers.
#[derive(Debug)]
pub struct LogBook {
    pub(super) clock: Arc<Clock>,
    runs: Mutex<HashMap<Box<str>, RunsOfPod>>,
}

impl LogBook {
    pub fn new(clock: Arc<Clock>) -> Arc<Self> {
        Arc::new(Self { clock, runs: Mutex::default() })
    }

    /// The runs of a container, by the uid of its pod.
    pub fn runs(&self, uid: &str, container: &str) -> Option<Runs> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.get(uid)?.get(container).cloned()
    }

    /// A container begins a run.
    pub(super) fn begin(&self, uid: &str, container: &str, since: Timestamp, script: &Arc<Script>) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let found = runs.entry(uid.into()).or_default().entry(container.into()).or_default();
        found.previous = found.current.take();
        found.current = Some(LogRun { since, until: None, script: script.clone() });
    }

    /// The present run of a container ends.
    pub(super) fn end(&self, uid: &str, container: &str, until: Timestamp, last: &[String]) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let current = runs.get_mut(uid).and_then(|pod| pod.get_mut(container)).and_then(|runs| runs.current.as_mut());
        if let Some(run) = current {
            run.until = Some((until, last.into()));
        }
    }

    /// A pod is gone, and its logs with it.
    pub(super) fn forget(&self, uid: &str) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::behaviour::Span, *};

    #[test]
    fn lines_come_at_their_times_and_only_the_newest_are_kept() {
        let since: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let span = |milliseconds| Span(Duration::from_millis(milliseconds));
        let lines = vec![
            Line { after: span(100), every: None, text: "up".into() },
            Line { after: span(200), every: Some(span(100)), text: "tick".into() },
        ];
        let mut run = LogRun { since, until: None, script: Arc::new(Script { lines }) };
        let at = |milliseconds| since + SignedDuration::from_millis(milliseconds);
        let texts =
            |run: &LogRun, from, to| run.lines(from, to).iter().map(|(_, text)| text.to_string()).collect::<Vec<_>>();
        assert_eq!(texts(&run, None, at(50)), [""; 0]);
        assert_eq!(texts(&run, None, at(300)), ["up", "tick", "tick"]);
        assert_eq!(texts(&run, Some(at(200)), at(300)), ["tick"]);
        assert_eq!(run.lines(None, at(10_000_000)).len(), KEPT);
        run.until = Some((at(250), ["bye".to_owned()].into()));
        assert_eq!(texts(&run, None, at(10_000)), ["up", "tick", "bye"]);
        assert_eq!(texts(&run, Some(at(250)), at(10_000)), [""; 0]);
    }
}
