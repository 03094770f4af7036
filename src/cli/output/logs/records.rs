//! Entries as JSON, one a line or as one list, and by template.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use super::{
    template::LineTemplate,
    writer::{FULL, Writer},
};
use crate::{
    model::{API_VERSION, LogRecord, LogSource},
    ops::logs::{Lines, LogSink},
    rules::logs::{Entries, Entry, level, safe, to_timestamp},
};

/// How entries are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordFormat {
    /// One object a line.
    JsonLines,
    /// One object with a list.
    Json,
    Template(LineTemplate),
}

/// Writes entries.
pub struct RecordSink {
    format: RecordFormat,
    /// Whether the output is a terminal, which control characters must not reach.
    terminal: bool,
    buffer: Vec<u8>,
    writer: Writer,
    begun: bool,
}

impl RecordSink {
    pub fn new(format: RecordFormat, terminal: bool, out: impl Write + Send + 'static) -> Self {
        Self { format, terminal, buffer: Vec::with_capacity(FULL), writer: Writer::start(out), begun: false }
    }

    /// Ends the list, and waits until everything is written.
    pub async fn finish(mut self) -> io::Result<()> {
        if self.format == RecordFormat::Json {
            self.separate();
            self.buffer.extend_from_slice(b"\n]}\n");
        }
        self.flush().await?;
        self.writer.finish().await
    }

    /// What stands before a record, or before the end of the list.
    fn separate(&mut self) {
        let begun = std::mem::replace(&mut self.begun, true);
        if self.format == RecordFormat::Json && !begun {
            let head = format!("{{\"apiVersion\":\"{API_VERSION}\",\"kind\":\"LogRecords\",\"records\":[");
            self.buffer.extend_from_slice(head.as_bytes());
        }
    }

    fn record(&mut self, source: &LogSource, entry: &Entry<'_>, stamped: bool, goes_on: bool) {
        if let RecordFormat::Template(template) = &self.format {
            let begin = self.buffer.len();
            template.write(source, entry, stamped, &mut self.buffer);
            if self.terminal {
                let line = self.buffer.split_off(begin);
                for line in line.split_inclusive(|letter| *letter == b'\n') {
                    self.buffer.extend_from_slice(&safe(line.strip_suffix(b"\n").unwrap_or(line), false));
                    self.buffer.push(b'\n');
                }
            }
            return;
        }
        if self.format == RecordFormat::Json {
            let comma = if self.begun { &b",\n"[..] } else { &b"\n"[..] };
            self.separate();
            self.buffer.extend_from_slice(comma);
        }
        let record = LogRecord {
            time: entry.stamp.map(|stamp| format!("{:.9}", to_timestamp(stamp))),
            namespace: &source.namespace,
            pod: &source.pod,
            container: &source.container,
            level: level(entry.head),
            message: message(entry, stamped),
            fields: fields(entry),
            goes_on,
        };
        // Nothing in a record can fail to be written to memory.
        let _ = serde_json::to_writer(&mut self.buffer, &record);
        if self.format == RecordFormat::JsonLines {
            self.buffer.push(b'\n');
        }
    }
}

fn message<'l>(entry: &Entry<'l>, stamped: bool) -> Cow<'l, str> {
    let mut lines = entry.lines(stamped);
    let first = lines.next().map(String::from_utf8_lossy).unwrap_or_default();
    let rest: Vec<Cow<'_, str>> = lines.map(String::from_utf8_lossy).collect();
    if rest.is_empty() { first } else { format!("{first}\n{}", rest.join("\n")).into() }
}

fn fields<'l>(entry: &Entry<'l>) -> Option<&'l serde_json::value::RawValue> {
    let object = entry.head.first() == Some(&b'{');
    if object { serde_json::from_slice(entry.head).ok() } else { None }
}

impl LogSink for RecordSink {
    fn put(&mut self, source: &LogSource, lines: Lines<'_>) {
        let Lines { bytes, begins, ends, stamped } = lines;
        if begins && ends {
            for entry in Entries::new(bytes, stamped) {
                self.record(source, &entry, stamped, false);
            }
        } else if begins {
            let first = Entries::new(bytes, stamped).next();
            first.into_iter().for_each(|entry| self.record(source, &entry, stamped, true));
        } else if !bytes.is_empty() {
            let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            self.record(source, &Entry { bytes: text, stamp: None, head: text }, false, !ends);
        }
    }

    fn is_full(&self) -> bool {
        self.buffer.len() >= FULL
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.writer.write(&mut self.buffer).await
    }
}
