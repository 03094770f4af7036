//! Lines for people and for pipes.

use std::{
    io::{self, Write},
    sync::Arc,
};

use memchr::memchr;
use regex::bytes::Regex;

use super::{
    paint::{highlight, prefix},
    writer::{FULL, Writer},
};
use crate::{
    event::{Event, Sink},
    model::LogSource,
    ops::logs::{Lines, LogSink},
    rules::logs::{safe, split},
};

/// How lines are shown.
#[derive(Clone, Default)]
pub struct LineOptions {
    /// None: when there are several logs.
    pub prefix: Option<bool>,
    /// Whether prefixes name namespaces.
    pub namespaces: bool,
    pub timestamps: bool,
    pub color: bool,
    /// The columns of the terminal; None where there is none, and lines are bytes as they are.
    pub width: Option<usize>,
    pub highlight: Vec<Regex>,
    /// Is told of gaps, where they must not stand between the lines.
    pub gaps: Option<Arc<dyn Sink>>,
}

/// Writes lines.
pub struct LineSink {
    options: LineOptions,
    /// By the number of the source.
    prefixes: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    writer: Writer,
    /// Whether the last line that was put lacks its end.
    open: bool,
    prefixed: bool,
}

impl LineSink {
    pub fn new(options: LineOptions, out: impl Write + Send + 'static) -> Self {
        let (writer, prefixed) = (Writer::start(out), options.prefix.unwrap_or(true));
        let buffer = Vec::with_capacity(FULL + FULL / 2);
        Self { options, prefixes: Vec::new(), buffer, writer, open: false, prefixed }
    }

    /// Waits until everything is written.
    pub async fn finish(mut self) -> io::Result<()> {
        if self.open && (self.prefixed || self.options.width.is_some()) {
            self.buffer.push(b'\n');
        }
        self.flush().await?;
        self.writer.finish().await
    }

    /// Whether a line is written as it comes, but for its prefix.
    fn is_plain(&self) -> bool {
        self.options.width.is_none() && self.options.highlight.is_empty()
    }

    /// The prefix of a source, which is to be given back.
    fn prefix_of(&mut self, source: &LogSource) -> Vec<u8> {
        let LineOptions { namespaces, color, width, .. } = self.options;
        if !self.prefixed {
            return Vec::new();
        }
        // What is no container has the last number of all.
        if source.number == usize::MAX {
            return prefix(source, namespaces, color, width);
        }
        if self.prefixes.len() <= source.number {
            self.prefixes.resize_with(source.number + 1, Vec::new);
        }
        let known = &mut self.prefixes[source.number];
        if known.is_empty() {
            *known = prefix(source, namespaces, color, width);
        }
        std::mem::take(known)
    }

    fn give_back(&mut self, source: &LogSource, prefix: Vec<u8>) {
        if let Some(place) = self.prefixes.get_mut(source.number) {
            *place = prefix;
        }
    }

    fn line(&mut self, line: &[u8]) {
        if self.is_plain() {
            self.buffer.extend_from_slice(line);
            return;
        }
        let (body, end) = match line.strip_suffix(b"\n") {
            Some(body) => (body, &b"\n"[..]),
            None => (line, &b""[..]),
        };
        let shown = match self.options.width {
            Some(_) => safe(body, self.options.color),
            None => body.into(),
        };
        match self.options.highlight.as_slice() {
            [] => self.buffer.extend_from_slice(&shown),
            patterns => highlight(&shown, patterns, &mut self.buffer),
        }
        self.buffer.extend_from_slice(end);
    }
}

impl LogSink for LineSink {
    fn expect(&mut self, logs: usize) {
        self.prefixed = self.options.prefix.unwrap_or(logs > 1);
    }

    fn put(&mut self, source: &LogSource, lines: Lines<'_>) {
        let Lines { bytes, begins, stamped, .. } = lines;
        if std::mem::take(&mut self.open) && begins {
            self.buffer.push(b'\n');
        }
        self.open = !bytes.ends_with(b"\n") && (!bytes.is_empty() || !begins);
        let strip = stamped && !self.options.timestamps;
        if !begins || (!self.prefixed && !strip && self.is_plain()) {
            match begins {
                true => self.buffer.extend_from_slice(bytes),
                false => self.line(bytes),
            }
            return;
        }
        let prefix = self.prefix_of(source);
        let mut rest = bytes;
        while !rest.is_empty() {
            let (line, after) = rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |end| end + 1));
            let line = if strip { split(line).map_or(line, |(_, text)| text) } else { line };
            self.buffer.extend_from_slice(&prefix);
            self.line(line);
            rest = after;
        }
        self.give_back(source, prefix);
    }

    fn gap(&mut self, source: &LogSource, why: &str) {
        if let Some(events) = &self.options.gaps {
            return events.emit(Event::Warning { message: format!("{source}: {why}") });
        }
        let prefix = self.prefix_of(source);
        if std::mem::take(&mut self.open) {
            self.buffer.push(b'\n');
        }
        self.buffer.extend_from_slice(&prefix);
        self.buffer.extend_from_slice(format!("--- {why} ---\n").as_bytes());
        self.give_back(source, prefix);
    }

    fn is_full(&self) -> bool {
        self.buffer.len() >= FULL
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.writer.write(&mut self.buffer).await
    }
}
