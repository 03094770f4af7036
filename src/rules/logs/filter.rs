//! Which entries are wanted.

use bytes::{Bytes, BytesMut};
use regex::bytes::Regex;

use super::{
    group::{Entries, Entry},
    level::level,
    lines::Chunk,
    stamp::{Stamp, split},
};
use crate::model::LogLevel;

/// What an entry must be to pass. An entry passes or fails whole.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    include: Vec<Regex>,
    exclude: Vec<Regex>,
    level: Option<LogLevel>,
    until: Option<Stamp>,
    /// Whether the line that passes in pieces is wanted.
    passing: bool,
    /// Whether something later than `until` was seen.
    over: bool,
}

impl Filter {
    /// What lets entries pass: one of these matches, none of those does, this level or a graver one, not later.
    pub fn new(include: Vec<Regex>, exclude: Vec<Regex>, level: Option<LogLevel>, until: Option<Stamp>) -> Self {
        Self { include, exclude, level, until, passing: false, over: false }
    }

    /// Whether everything passes.
    pub fn is_idle(&self) -> bool {
        !self.needs_entries() && self.until.is_none()
    }

    /// Whether entries must be whole to be judged.
    pub fn needs_entries(&self) -> bool {
        !self.include.is_empty() || !self.exclude.is_empty() || self.level.is_some()
    }

    /// Whether nothing that comes later passes.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The entries that pass. Of a line that passes in pieces, the first piece decides.
    pub fn keep(&mut self, chunk: &Chunk, stamped: bool) -> Bytes {
        if chunk.begins && chunk.ends {
            return self.entries(&chunk.bytes, stamped);
        }
        if chunk.begins {
            let (stamp, head) = match split(&chunk.bytes).filter(|_| stamped) {
                Some((stamp, head)) => (Some(stamp), head),
                None => (None, &chunk.bytes[..]),
            };
            self.passing = self.passes(&Entry { bytes: &chunk.bytes, stamp, head }, stamped);
        }
        if self.passing { chunk.bytes.clone() } else { Bytes::new() }
    }

    fn entries(&mut self, lines: &Bytes, stamped: bool) -> Bytes {
        let mut kept: Option<BytesMut> = None;
        let mut whole = 0;
        for entry in Entries::new(lines, stamped) {
            match (self.passes(&entry, stamped), &mut kept) {
                (true, Some(kept)) => kept.extend_from_slice(entry.bytes),
                (true, None) => whole += entry.bytes.len(),
                (false, Some(_)) => {}
                // The first that fails: what passed before is copied.
                (false, None) => kept = Some(BytesMut::from(&lines[..whole])),
            }
        }
        kept.map_or_else(|| lines.clone(), BytesMut::freeze)
    }

    fn passes(&mut self, entry: &Entry<'_>, stamped: bool) -> bool {
        if let (Some(until), Some(stamp)) = (self.until, entry.stamp)
            && stamp > until
        {
            self.over = true;
            return false;
        }
        let any = |patterns: &[Regex]| entry.lines(stamped).any(|line| patterns.iter().any(|one| one.is_match(line)));
        self.level.is_none_or(|least| level(entry.head) >= Some(least))
            && (self.include.is_empty() || any(&self.include))
            && (self.exclude.is_empty() || !any(&self.exclude))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(filter: &mut Filter, lines: &str, stamped: bool) -> String {
        let chunk = Chunk { bytes: Bytes::from(lines.to_owned()), begins: true, ends: true };
        String::from_utf8(filter.keep(&chunk, stamped).to_vec()).unwrap()
    }

    #[test]
    fn an_entry_passes_or_fails_whole() {
        let lines = "INFO a\nERROR b\n  at needle\nINFO c\nDEBUG needle\n";
        let mut filter = Filter { include: vec![Regex::new("needle").unwrap()], ..Filter::default() };
        assert_eq!(kept(&mut filter, lines, false), "ERROR b\n  at needle\nDEBUG needle\n");
        filter.level = Some(LogLevel::Warn);
        assert_eq!(kept(&mut filter, lines, false), "ERROR b\n  at needle\n");
        let mut filter = Filter { exclude: vec![Regex::new("needle").unwrap()], ..Filter::default() };
        assert_eq!(kept(&mut filter, lines, false), "INFO a\nINFO c\n");
        assert_eq!(kept(&mut Filter::default(), lines, false), lines);
    }

    #[test]
    fn times_are_not_part_of_the_line_and_end_the_reading() {
        let lines = "2026-11-21T10:00:39Z 40 a\n2026-11-21T10:00:41Z 2026 b\n";
        let mut filter = Filter { include: vec![Regex::new("^40|^2026 ").unwrap()], ..Filter::default() };
        assert_eq!(kept(&mut filter, lines, true), lines);
        filter.until = split(b"2026-11-21T10:00:40Z ").map(|(stamp, _)| stamp);
        assert_eq!(kept(&mut filter, lines, true), "2026-11-21T10:00:39Z 40 a\n");
        assert!(filter.is_over());
    }

    #[test]
    fn a_line_in_pieces_follows_its_first() {
        let piece = |bytes: &'static str, begins, ends| Chunk { bytes: Bytes::from(bytes), begins, ends };
        let mut filter = Filter { exclude: vec![Regex::new("no").unwrap()], ..Filter::default() };
        assert_eq!(filter.keep(&piece("yes", true, false), false), "yes");
        assert_eq!(filter.keep(&piece(" no\n", false, true), false), " no\n");
        assert_eq!(filter.keep(&piece("no", true, false), false), "");
        assert_eq!(filter.keep(&piece(" yes\n", false, true), false), "");
    }
}
