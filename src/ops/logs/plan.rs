//! The request, read once.

use jiff::Timestamp;
use regex::bytes::Regex;

use crate::{
    error::{Error, Result},
    model::LogsRequest,
    rules::logs::{Container, Filter, Stamp},
};

/// What each log is asked for, and what is kept of it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub filter: Filter,
    names: Vec<Name>,
    /// RFC 3339.
    pub since: Option<String>,
    pub tail: Option<u64>,
    pub previous: bool,
    pub follow: bool,
    pub sort: bool,
    pub timeline: bool,
    /// Whether the server is asked for the time of each line, which makes every line longer.
    pub stamped: bool,
    /// Whether lines that belong together come together.
    pub grouped: bool,
}

/// Which containers are wanted.
#[derive(Debug, Clone)]
enum Name {
    Exact(String),
    Pattern(regex::Regex),
}

impl Plan {
    pub fn of(request: &LogsRequest, now: Timestamp) -> Result<Self> {
        let since = match (request.since, &request.since_time) {
            (Some(since), _) => {
                let ago = jiff::SignedDuration::try_from(since).unwrap_or(jiff::SignedDuration::MAX);
                Some(now.checked_sub(ago).unwrap_or(Timestamp::MIN).to_string())
            }
            (None, Some(time)) => Some(timestamp("--since-time", time)?.to_string()),
            (None, None) => None,
        };
        let until = request.until.as_ref().map(|time| stamp("--until", time)).transpose()?;
        let include = patterns("--include", &request.include)?;
        let exclude = patterns("--exclude", &request.exclude)?;
        let filter = Filter::new(include, exclude, request.level, until);
        let sort = request.sort || request.timeline;
        // The end of a log is another one after each line, so it is only by its times that it can be gone on with.
        let stamped = sort || request.follow || request.timestamps || until.is_some() || request.tail.is_some();
        Ok(Self {
            grouped: sort || request.entries || filter.needs_entries(),
            filter,
            names: request.containers.iter().map(|name| Name::read(name)).collect::<Result<_>>()?,
            since,
            tail: request.tail,
            previous: request.previous,
            follow: request.follow,
            sort,
            timeline: request.timeline,
            stamped,
        })
    }

    /// Whether the log of a container is wanted.
    pub fn wants(&self, container: &Container) -> bool {
        self.names.is_empty()
            || self.names.iter().any(|name| match name {
                Name::Exact(name) => *name == container.name,
                Name::Pattern(pattern) => pattern.is_match(&container.name),
            })
    }

    /// The names of containers that were asked for, for the error when there is none.
    pub fn asked(&self) -> String {
        let words = self.names.iter().map(|name| match name {
            Name::Exact(name) => name.clone(),
            Name::Pattern(pattern) => format!("/{pattern}/"),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

impl Name {
    fn read(word: &str) -> Result<Self> {
        let Some(pattern) = word.strip_prefix('/') else { return Ok(Self::Exact(word.to_owned())) };
        let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
        regex::Regex::new(pattern).map(Self::Pattern).map_err(|cause| unreadable("--container", pattern, cause))
    }
}

fn patterns(flag: &str, patterns: &[String]) -> Result<Vec<Regex>> {
    patterns.iter().map(|text| Regex::new(text).map_err(|cause| unreadable(flag, text, cause))).collect()
}

fn unreadable(flag: &str, pattern: &str, cause: regex::Error) -> Error {
    Error::usage(format!("{flag} {pattern}: not a regular expression")).because(cause)
}

fn timestamp(flag: &str, text: &str) -> Result<Timestamp> {
    text.parse().map_err(|cause| {
        Error::usage(format!("{flag} {text}: not a time")).because(cause).hint("write it as 2026-11-21T10:00:00Z")
    })
}

fn stamp(flag: &str, text: &str) -> Result<Stamp> {
    Ok(Stamp::try_from(timestamp(flag, text)?.as_nanosecond()).unwrap_or(Stamp::MAX))
}
