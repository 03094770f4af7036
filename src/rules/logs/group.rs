//! Which lines belong together: stack traces, PostgreSQL's details, printed objects.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memmem};

use super::{
    level::level,
    stamp::{Stamp, split},
};
use crate::model::LogLevel;

/// An entry with more lines, or more bytes, is not held until it is whole.
const MOST_LINES: usize = 1000;
const MOST_BYTES: usize = 256 * 1024;
/// A line that comes later than this after the one before, in nanoseconds, does not belong to it.
const LATE: Stamp = 2_000_000_000;
/// How far behind the time and the process PostgreSQL's `DETAIL:` may stand.
const LABEL: usize = 120;
/// How many lines of source Node shows above an error.
const SHOWN_SOURCE: usize = 6;

/// A line and those that belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'l> {
    /// All lines as they are, with the time before each where the stream has them.
    pub bytes: &'l [u8],
    pub stamp: Option<Stamp>,
    /// The first line, without its time and its end.
    pub head: &'l [u8],
}

impl<'l> Entry<'l> {
    /// The lines without times and ends.
    pub fn lines(&self, stamped: bool) -> impl Iterator<Item = &'l [u8]> + use<'l> {
        lines(self.bytes).map(move |line| text(line, stamped))
    }
}

/// The entries of whole lines.
pub struct Entries<'l> {
    rest: &'l [u8],
    stamped: bool,
}

impl<'l> Entries<'l> {
    /// `stamped` when each line begins with its time.
    pub fn new(lines: &'l [u8], stamped: bool) -> Self {
        Self { rest: lines, stamped }
    }
}

impl<'l> Iterator for Entries<'l> {
    type Item = Entry<'l>;

    fn next(&mut self) -> Option<Entry<'l>> {
        if self.rest.is_empty() {
            return None;
        }
        let first = line_end(self.rest);
        let line = &self.rest[..first];
        let (stamp, head) = match split(line).filter(|_| self.stamped) {
            Some((stamp, head)) => (Some(stamp), without_end(head)),
            None => (None, without_end(line)),
        };
        let (mut end, mut shape, mut count, mut last) = (first, Shape::of(head), 1, stamp);
        while end < self.rest.len() && count < MOST_LINES {
            let next = end + line_end(&self.rest[end..]);
            let line = &self.rest[end..next];
            let (at, text) = match split(line).filter(|_| self.stamped) {
                Some((at, text)) => (Some(at), text),
                None => (last, line),
            };
            let late = at.zip(last).is_some_and(|(at, last)| at.saturating_sub(last) > LATE);
            if late || !shape.goes_on(head, without_end(text)) {
                break;
            }
            (end, count, last) = (next, count + 1, at);
        }
        let (bytes, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Entry { bytes, stamp, head })
    }
}

/// Holds the last entry back until another begins.
#[derive(Debug, Default)]
pub struct Grouper {
    held: BytesMut,
}

impl Grouper {
    /// Takes whole lines and gives back whole entries.
    pub fn take(&mut self, lines: Bytes, stamped: bool) -> Bytes {
        let mut all = if self.held.is_empty() {
            lines
        } else {
            self.held.extend_from_slice(&lines);
            self.held.split().freeze()
        };
        let last = Entries::new(&all, stamped).last().map_or(0, |entry| entry.bytes.len());
        if last <= MOST_BYTES {
            let held = all.split_off(all.len() - last);
            self.held.extend_from_slice(&held);
        }
        all
    }

    /// The entry that was held back, when no more of it is to be expected.
    pub fn finish(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

fn line_end(lines: &[u8]) -> usize {
    memchr(b'\n', lines).map_or(lines.len(), |end| end + 1)
}

fn lines(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (line, after) = rest.split_at(line_end(rest));
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn text(line: &[u8], stamped: bool) -> &[u8] {
    without_end(if stamped { split(line).map_or(line, |(_, text)| text) } else { line })
}

/// What kind of entry it is, as far as it has been read.
enum Shape {
    Plain,
    /// In a Python traceback; whether its last line was indented.
    Traceback(bool),
    /// A Go panic.
    Goroutines,
    /// A Rust panic, whose message is the next line.
    Panic,
    /// Node shows the source before the error: how many lines may still come before it.
    Source(usize),
}

impl Shape {
    fn of(head: &[u8]) -> Self {
        match head.first() {
            Some(b'T') if head.starts_with(b"Traceback (") => Self::Traceback(false),
            Some(b'p') if head.starts_with(b"panic: ") => Self::Goroutines,
            Some(b'f') if head.starts_with(b"fatal error: ") => Self::Goroutines,
            Some(b't') if head.starts_with(b"thread '") && memmem::find(head, b" panicked at ").is_some() => {
                Self::Panic
            }
            Some(b'/' | b'n' | b'f') if names_source(head) => Self::Source(SHOWN_SOURCE),
            _ => Self::Plain,
        }
    }

    /// Whether a line belongs to the entry that `head` began.
    fn goes_on(&mut self, head: &[u8], line: &[u8]) -> bool {
        let Some(first) = line.first() else { return true };
        if matches!(first, b' ' | b'\t') {
            if let Self::Traceback(indented) = self {
                *indented = true;
            }
            return true;
        }
        match self {
            Self::Traceback(indented) if *indented && names_exception(line) => {
                *indented = false;
                return true;
            }
            Self::Goroutines => {
                let starts: [&[u8]; 5] = [b"goroutine ", b"created by ", b"exit status ", b"[signal ", b"main."];
                return starts.iter().any(|start| line.starts_with(start)) || line.ends_with(b")");
            }
            Self::Panic => {
                *self = Self::Plain;
                return true;
            }
            Self::Source(left) if *left > 0 => {
                *left -= 1;
                if names_exception(line) {
                    *self = Self::Plain;
                }
                return true;
            }
            _ => {}
        }
        match first {
            b'C' => line.starts_with(b"Caused by: "),
            b'S' if line.starts_with(b"Suppressed: ") => true,
            b'.' => line.starts_with(b"... "),
            b'}' | b']' | b')' => line.len() <= 3,
            b'n' => line.starts_with(b"note: run with `RUST_BACKTRACE"),
            b's' if line == b"stack backtrace:" => true,
            b'N' => line.starts_with(b"Node.js v"),
            b'D' if line.starts_with(b"During handling of the above exception") => true,
            b'T' if line.starts_with(b"The above exception was the direct cause") => true,
            b'T' if line.starts_with(b"Traceback (") => {
                let within = matches!(self, Self::Traceback(_)) || level(head) >= Some(LogLevel::Error);
                *self = Self::Traceback(false);
                within
            }
            _ => is_detail(line),
        }
    }
}

/// PostgreSQL writes what belongs to a message as messages of their own: `2026-11-21 10:00:39 UTC [12] DETAIL:  …`
fn is_detail(line: &[u8]) -> bool {
    let start = &line[..line.len().min(LABEL)];
    let Some(colon) = memmem::find(start, b":  ") else { return false };
    let label = &start[..colon];
    let label = &label[label.iter().rposition(|letter| !letter.is_ascii_uppercase()).map_or(0, |at| at + 1)..];
    matches!(label, b"DETAIL" | b"HINT" | b"STATEMENT" | b"CONTEXT" | b"QUERY" | b"LOCATION")
}

/// `ValueError: no`, `shop.errors.Refused`
fn names_exception(line: &[u8]) -> bool {
    let name = &line[..memchr(b':', line).unwrap_or(line.len())];
    !name.is_empty() && name.iter().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'_'))
}

/// `/app/server.js:12`, `node:internal/process/promises:288`, `file:///app/server.mjs:3`
fn names_source(line: &[u8]) -> bool {
    let Some(colon) = memchr::memrchr(b':', line) else { return false };
    let number = &line[colon + 1..];
    let starts: [&[u8]; 3] = [b"/", b"node:", b"file://"];
    !number.is_empty()
        && number.iter().all(u8::is_ascii_digit)
        && !line.contains(&b' ')
        && starts.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The entries of a text in which each is followed by a line `--`.
    fn holds(text: &str) {
        let expected: Vec<&str> = text.split("--\n").collect();
        let lines = expected.concat();
        let entries: Vec<&str> =
            Entries::new(lines.as_bytes(), false).map(|entry| std::str::from_utf8(entry.bytes).unwrap()).collect();
        assert_eq!(entries, expected);
    }

    #[test]
    fn stack_traces_of_every_runtime_stay_together() {
        holds(
            "before\n--\nTraceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f()\nValueError: no\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 3\nshop.Refused: no\n--\nafter\n",
        );
        holds(
            "ERROR:root:boom\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'\n--\nINFO:root:next\n",
        );
        holds("started\n--\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError\n--\nnext\n");
        holds("2026-11-21 10:00:39,580 ERROR [main] Api - failed\njava.io.IOException: no\n\tat a.B.c(B.java:1)\nCaused by: x.Y: z\n\t... 3 more\n--\n2026-11-21 10:00:40,580 INFO [main] Api - next\n".replace("java.io.IOException: no\n", "").as_str());
        holds(
            "a\n--\n/app/server.js:12\n    throw new Error('no')\n    ^\n\nError: no\n    at f (/app/server.js:12:11) {\n  code: 'E'\n}\n\nNode.js v20.1.0\n--\nnext\n",
        );
        holds("TypeError: x is not a function\n    at f (/app/server.js:12:11)\n    at g\n--\nnext\n");
        holds("panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:4 +0x1d\nexit status 2\n--\nnext\n");
        holds(
            "thread 'main' panicked at src/main.rs:2:5:\nno way\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n--\nnext\n",
        );
        holds(
            "2026-11-21 10:00:39.580 UTC [12] ERROR:  duplicate key\n2026-11-21 10:00:39.580 UTC [12] DETAIL:  Key (id)=(1) already exists.\n2026-11-21 10:00:39.580 UTC [12] STATEMENT:  INSERT INTO a\n\tVALUES (1)\n--\n2026-11-21 10:00:39.580 UTC [12] LOG:  next\n",
        );
        holds("{\n  a: 1\n}\n--\nnext\n");
    }

    #[test]
    fn a_line_that_comes_much_later_is_an_entry_of_its_own() {
        let lines = b"2026-11-21T10:00:00Z Error: no\n2026-11-21T10:00:01Z   at a\n2026-11-21T10:00:09Z \n";
        assert_eq!(Entries::new(lines, true).count(), 2);
    }

    proptest! {
        #[test]
        fn entries_do_not_depend_on_how_the_lines_came(
            lines in prop::collection::vec("(a|  at b|Traceback \\(|E: x|\\}|panic: x|goroutine 1|)", 1..30),
            sizes in prop::collection::vec(1_usize..5, 1..30),
        ) {
            let all: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let mut grouper = Grouper::default();
            let (mut given, mut at, mut sizes) = (Vec::new(), 0, sizes.into_iter().cycle());
            let mut take = |bytes: Bytes| given.extend(Entries::new(&bytes, false).map(|entry| entry.bytes.to_vec()));
            while at < lines.len() {
                let end = (at + sizes.next().unwrap_or(1)).min(lines.len());
                let some: String = lines[at..end].iter().map(|line| format!("{line}\n")).collect();
                take(grouper.take(Bytes::from(some), false));
                at = end;
            }
            take(grouper.finish());
            let expected: Vec<Vec<u8>> = Entries::new(all.as_bytes(), false).map(|entry| entry.bytes.to_vec()).collect();
            prop_assert_eq!(given, expected);
        }
    }
}
