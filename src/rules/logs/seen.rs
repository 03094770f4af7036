//! What was seen of a log, so that a stream that was cut goes on without losing or repeating a line.
//!
//! The server is asked for everything since the second of the oldest line that is remembered, because it knows whole
//! seconds only; what was seen is then skipped line by line. Lines are told apart by their time and their begin, and
//! equal ones are counted, because containers write several lines with one time, and equal ones, and both streams of a
//! container may come a little out of order.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hasher},
};

use memchr::memrchr;

use super::stamp::{Stamp, split, to_timestamp};

/// How many lines are remembered one by one.
const LINES: usize = 64;
/// So much of a line tells it from others of the same time.
const BEGIN: usize = 1024;

/// A line: its time, and a hash of its begin.
type Mark = (Stamp, u64);

/// The end of what was seen.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    last: VecDeque<Mark>,
    /// The time of the newest line that is no longer remembered, and how many of that time are not.
    before: Option<(Stamp, usize)>,
    /// The line of which only a piece was given out, and how many bytes that was, without the time.
    torn: Option<(Mark, usize)>,
}

impl Seen {
    /// Remembers whole lines, each of which begins with its time.
    pub fn record(&mut self, lines: &[u8]) {
        self.torn = None;
        let mut rest = lines;
        let mut marks = Vec::with_capacity(LINES);
        while !rest.is_empty() && marks.len() < LINES {
            let begin = begin_of_last(rest);
            marks.extend(mark(&rest[begin..]));
            rest = &rest[..begin];
        }
        if !rest.is_empty() {
            self.drop_all_before(rest);
        }
        for mark in marks.into_iter().rev() {
            self.push(mark);
        }
    }

    /// Remembers that of a line only this piece was given out; further pieces lengthen it.
    pub fn record_piece(&mut self, piece: &[u8], begins: bool) {
        match &mut self.torn {
            Some((_, length)) if !begins => *length += piece.len(),
            _ => {
                let text = split(piece).map_or(0, |(_, text)| text.len());
                self.torn = mark(piece).map(|mark| (mark, text));
            }
        }
    }

    /// The line of which pieces were given out has ended.
    pub fn end_piece(&mut self) {
        if let Some((mark, _)) = self.torn.take() {
            self.push(mark);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.last.is_empty() && self.torn.is_none()
    }

    /// The time of the newest line.
    pub fn newest(&self) -> Option<Stamp> {
        self.marks().map(|(stamp, _)| *stamp).max()
    }

    /// The `sinceTime` that brings everything that was not seen; None when nothing was.
    pub fn since(&self) -> Option<String> {
        let second = self.marks().map(|(stamp, _)| stamp.div_euclid(1_000_000_000)).min()?;
        Some(to_timestamp(second * 1_000_000_000).to_string())
    }

    /// What skips the lines of a new stream that were seen.
    pub fn resume(&self) -> Resumption {
        let mut marks: HashMap<Mark, usize> = HashMap::new();
        for mark in &self.last {
            *marks.entry(*mark).or_default() += 1;
        }
        let untorn = self.torn.is_none();
        Resumption {
            awaited: self.last.back().copied().filter(|_| untorn),
            marks,
            before: self.before,
            newest: self.newest(),
            torn: self.torn,
        }
    }

    fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.last.iter().chain(self.torn.as_ref().map(|(mark, _)| mark))
    }

    fn push(&mut self, mark: Mark) {
        self.last.push_back(mark);
        if self.last.len() > LINES
            && let Some((stamp, _)) = self.last.pop_front()
        {
            self.drop_one(stamp, 1);
        }
    }

    fn drop_one(&mut self, stamp: Stamp, lines: usize) {
        match &mut self.before {
            Some((before, count)) if *before == stamp => *count += lines,
            Some((before, _)) if *before > stamp => {}
            before => *before = Some((stamp, lines)),
        }
    }

    /// Forgets what was remembered, and the lines before those that are kept of a long chunk. Only those of the last
    /// time among them matter.
    fn drop_all_before(&mut self, mut lines: &[u8]) {
        let mut run: Option<(Stamp, usize)> = None;
        while !lines.is_empty() {
            let begin = begin_of_last(lines);
            if let Some((stamp, _)) = split(&lines[begin..]) {
                match &mut run {
                    Some((same, count)) if *same == stamp => *count += 1,
                    Some(_) => break,
                    None => run = Some((stamp, 1)),
                }
            }
            lines = &lines[..begin];
        }
        for (stamp, _) in std::mem::take(&mut self.last) {
            self.drop_one(stamp, 1);
        }
        if let Some((stamp, count)) = run {
            self.drop_one(stamp, count);
        }
    }
}

/// What is known of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was not seen.
    New,
    Whole,
    /// So many bytes of its begin were seen, without its time.
    Begin(usize),
}

/// Tells the lines of a resumed stream that were seen from those that were not.
#[derive(Debug)]
pub struct Resumption {
    marks: HashMap<Mark, usize>,
    before: Option<(Stamp, usize)>,
    newest: Option<Stamp>,
    /// The last line that was seen, until it has come again.
    awaited: Option<Mark>,
    torn: Option<(Mark, usize)>,
}

impl Resumption {
    /// Whether a line was seen. Of one that comes in pieces, the first is asked for.
    pub fn know(&mut self, line: &[u8]) -> Known {
        let (Some(mark), Some((stamp, _))) = (mark(line), split(line)) else { return Known::New };
        if self.torn.is_some_and(|(torn, _)| torn == mark) {
            return self.torn.take().map_or(Known::New, |(_, length)| Known::Begin(length));
        }
        if let Some((before, left)) = &mut self.before
            && stamp == *before
            && *left > 0
        {
            *left -= 1;
            return Known::Whole;
        }
        if let Some(count) = self.marks.get_mut(&mark) {
            *count -= 1;
            if *count == 0 {
                self.marks.remove(&mark);
            }
            self.awaited = self.awaited.filter(|awaited| *awaited != mark);
            return Known::Whole;
        }
        if self.before.is_some_and(|(before, _)| stamp < before) { Known::Whole } else { Known::New }
    }

    /// Whether no line that comes after this one can have been seen.
    pub fn is_over(&self, line: &[u8]) -> bool {
        let later = split(line).is_some_and(|(stamp, _)| self.newest.is_some_and(|newest| stamp > newest));
        (self.marks.is_empty() && self.torn.is_none()) || later
    }

    /// Whether the last line that was seen has not come again, though later ones have: what was written after it may be
    /// lost, as when the log was rotated meanwhile.
    pub fn has_gap(&self) -> bool {
        self.awaited.is_some() || self.torn.is_some()
    }
}

fn begin_of_last(lines: &[u8]) -> usize {
    let body = lines.strip_suffix(b"\n").unwrap_or(lines);
    memrchr(b'\n', body).map_or(0, |end| end + 1)
}

fn mark(line: &[u8]) -> Option<Mark> {
    let (stamp, text) = split(line)?;
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut hasher = DefaultHasher::new();
    hasher.write(&text[..text.len().min(BEGIN)]);
    Some((stamp, hasher.finish()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(tick: i64, word: u8) -> String {
        format!("{:.9} {}\n", to_timestamp(tick * 100_000_000), char::from(b'a' + word))
    }

    /// What a server sends for a `sinceTime`.
    fn since(log: &[String], since: Option<&str>) -> Vec<String> {
        let since = since.map(|since| split(format!("{since} ").as_bytes()).unwrap().0);
        let wanted = |line: &&String| since.is_none_or(|since| split(line.as_bytes()).unwrap().0 >= since);
        log.iter().filter(wanted).cloned().collect()
    }

    proptest! {
        // Times advance slowly and words repeat: equal lines are the rule.
        #[test]
        fn a_log_read_with_cuts_is_the_log(
            steps in prop::collection::vec((0_i64..5, 0_u8..3), 1..300),
            cuts in prop::collection::vec(1_usize..120, 0..8),
            together in 1_usize..150,
        ) {
            let mut tick = 17_000_000_000;
            let log: Vec<String> = steps.iter().map(|(step, word)| { tick += step / 3; line(tick, *word) }).collect();
            let (mut seen, mut shown) = (Seen::default(), Vec::new());
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let mut resumption = seen.resume();
                let answer = since(&log, seen.since().as_deref());
                let new: Vec<String> = answer.into_iter().filter(|line| resumption.know(line.as_bytes()) == Known::New).collect();
                for lines in new[..cut.min(new.len())].chunks(together) {
                    seen.record(lines.concat().as_bytes());
                    shown.extend_from_slice(lines);
                }
                prop_assert!(!resumption.has_gap());
            }
            prop_assert_eq!(shown, log);
        }
    }

    #[test]
    fn a_rotated_log_has_a_gap_only_where_lines_may_be_lost() {
        let log: Vec<String> = (0..10).map(|tick| line(tick, 0)).collect();
        let mut seen = Seen::default();
        seen.record(log[..5].concat().as_bytes());
        let read = |from: usize| {
            let mut resumption = seen.resume();
            let new = log[from..].iter().filter(|line| resumption.know(line.as_bytes()) == Known::New).count();
            (new, resumption.has_gap(), resumption.is_over(log[9].as_bytes()))
        };
        assert_eq!(read(0), (5, false, true));
        assert_eq!(read(4), (5, false, true));
        assert_eq!(read(5), (5, true, true));
        assert_eq!(read(7), (3, true, true));
    }

    #[test]
    fn a_torn_line_goes_on_where_it_was_cut() {
        let mut seen = Seen::default();
        let long = format!("2026-11-21T10:00:00Z {}\n", "x".repeat(5000));
        seen.record(b"2026-11-21T10:00:00Z before\n");
        seen.record_piece(&long.as_bytes()[..3021], true);
        seen.record_piece(&[b'x'; 500], false);
        let mut resumption = seen.resume();
        assert_eq!(resumption.know(b"2026-11-21T10:00:00Z before\n"), Known::Whole);
        assert_eq!(resumption.know(long.as_bytes()), Known::Begin(3500));
        assert!(!resumption.has_gap() && resumption.is_over(long.as_bytes()));
        seen.end_piece();
        assert_eq!(seen.resume().know(long.as_bytes()), Known::Whole);
    }
}
