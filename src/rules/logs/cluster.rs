//! Entries of a log that say the same, counted.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher, Hasher},
};

use memchr::{memchr, memmem};

use super::{
    level::facts,
    stamp::{Stamp, split},
    template::template,
};
use crate::model::LogLevel;

/// More templates are not told apart: what comes after them is counted as one.
const MOST: usize = 4096;
/// Of an example, so many bytes are kept.
const EXAMPLE: usize = 4000;
/// Two templates are one when at least so many of a hundred words are the same, and they have as many.
const ALIKE: usize = 70;
/// More templates than these are not compared with each other.
const COMPARED: usize = 1500;
/// Stands for words that differ.
const WILDCARD: &str = "<*>";

/// Entries with one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub template: String,
    /// The gravest.
    pub level: LogLevel,
    pub count: u64,
    pub first: Option<Stamp>,
    pub last: Option<Stamp>,
    /// The first entry, shortened.
    pub example: Vec<u8>,
    /// How many entries each source has, by its number.
    pub sources: HashMap<usize, u64>,
}

/// Counts entries by their templates, in bounded memory.
#[derive(Debug, Default)]
pub struct Clusters {
    /// By the hash of the template.
    found: HashMap<u64, Cluster, BuildHasherDefault<Same>>,
    /// Entries whose templates are beyond the bound.
    pub beyond: u64,
    scratch: Vec<u8>,
}

/// The keys are hashes already.
#[derive(Debug, Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Clusters {
    /// Counts an entry: its level, its first line, and, of a traceback, the line that names the error.
    pub fn add(&mut self, source: usize, level: LogLevel, stamp: Option<Stamp>, head: &[u8], whole: &[u8]) {
        let said = facts(head);
        self.scratch.clear();
        template(said.message, &mut self.scratch);
        if let Some(error) = said.error {
            self.scratch.extend_from_slice(b": ");
            template(error, &mut self.scratch);
        }
        let whole_lines = whole.strip_suffix(b"\n").unwrap_or(whole);
        if level >= LogLevel::Error
            && memchr(b'\n', whole_lines).is_some()
            && let Some(line) = error_line(whole_lines)
        {
            self.scratch.push(b' ');
            template(line, &mut self.scratch);
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.scratch);
        let key = hasher.finish();
        if self.found.len() >= MOST && !self.found.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        let cluster = self.found.entry(key).or_insert_with(|| Cluster {
            template: String::from_utf8_lossy(&self.scratch).into_owned(),
            level,
            count: 0,
            first: stamp,
            last: stamp,
            example: whole[..whole.len().min(EXAMPLE)].to_vec(),
            sources: HashMap::new(),
        });
        cluster.count += 1;
        cluster.level = cluster.level.max(level);
        cluster.first = cluster.first.min(stamp).or(cluster.first).or(stamp);
        cluster.last = cluster.last.max(stamp);
        *cluster.sources.entry(source).or_default() += 1;
    }

    /// The clusters, those that differ in a few words made one; the gravest and most frequent first.
    pub fn finish(self) -> Vec<Cluster> {
        let mut found: Vec<Cluster> = self.found.into_values().collect();
        found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.template.cmp(&b.template)));
        let rest = found.split_off(found.len().min(COMPARED));
        let mut merged: Vec<Cluster> = Vec::new();
        for cluster in found {
            match merged.iter_mut().find_map(|other| Some((together(&other.template, &cluster.template)?, other))) {
                Some((template, other)) => other.absorb(cluster, template),
                None => merged.push(cluster),
            }
        }
        merged.extend(rest);
        let fatal_or_error = |cluster: &Cluster| cluster.level >= LogLevel::Error;
        merged.sort_by(|a, b| {
            let graver = fatal_or_error(b).cmp(&fatal_or_error(a));
            graver.then(b.count.cmp(&a.count)).then_with(|| a.template.cmp(&b.template))
        });
        merged
    }
}

impl Cluster {
    fn absorb(&mut self, other: Self, template: String) {
        self.template = template;
        self.level = self.level.max(other.level);
        self.count += other.count;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        for (source, count) in other.sources {
            *self.sources.entry(source).or_default() += count;
        }
    }
}

/// Of a Python traceback, the line that names the error: the last one that is not indented.
fn error_line(whole: &[u8]) -> Option<&[u8]> {
    let texts = whole.rsplit(|letter| *letter == b'\n').map(|line| split(line).map_or(line, |(_, text)| text));
    let mut texts = texts.filter(|text| !text.is_empty());
    let last = texts.next().filter(|text| !text[0].is_ascii_whitespace())?;
    memmem::find(whole, b"Traceback (").map(|_| last)
}

/// One template for two that are alike, as in Drain (He et al., "Drain: an online log parsing approach", 2017).
fn together(a: &str, b: &str) -> Option<String> {
    let words = a.split(' ').count();
    if words < 3 || words != b.split(' ').count() {
        return None;
    }
    let same = a.split(' ').zip(b.split(' ')).filter(|(a, b)| a == b && *a != WILDCARD).count();
    if same * 100 < words * ALIKE || same + 2 < words.min(5) {
        return None;
    }
    let merged = a.split(' ').zip(b.split(' ')).map(|(a, b)| if a == b { a } else { WILDCARD });
    Some(merged.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters(lines: &[&str]) -> Vec<(String, u64)> {
        let mut clusters = Clusters::default();
        for (number, line) in lines.iter().enumerate() {
            let head = line.lines().next().unwrap_or_default();
            clusters.add(number % 2, LogLevel::Error, Some(number as i64), head.as_bytes(), line.as_bytes());
        }
        clusters.finish().into_iter().map(|cluster| (cluster.template, cluster.count)).collect()
    }

    #[test]
    fn what_says_the_same_is_one_cluster() {
        let found = clusters(&[
            "ERROR cannot reach 10.0.0.1:5432 after 3 tries",
            "ERROR cannot reach 10.0.0.2:5432 after 4 tries",
            r#"{"level":"error","msg":"cannot save item 1","err":"disk full"}"#,
            r#"{"level":"error","n":2,"msg":"cannot save item 7","err":"disk full"}"#,
            r#"{"level":"error","n":2,"msg":"cannot save item 8","err":"no space"}"#,
            "Traceback (most recent call last):\n  File \"a\", line 3\nKeyError: 12",
            "Traceback (most recent call last):\n  File \"b\", line 9\nKeyError: 13",
            "ERROR user ann has no right to read",
            "ERROR user bob has no right to read",
            "ERROR user eve has no right to read",
        ]);
        let expected = [
            ("ERROR user <*> has no right to read", 3),
            ("ERROR cannot reach <n> after <n> tries", 2),
            ("Traceback (most recent call last): KeyError: <n>", 2),
            ("cannot save item <n>: disk full", 2),
            ("cannot save item <n>: no space", 1),
        ];
        assert_eq!(found, expected.map(|(template, count)| (template.to_owned(), count)));
    }

    #[test]
    fn first_last_and_sources_are_kept_and_memory_is_bounded() {
        let mut clusters = Clusters::default();
        for number in 0..10_i64 {
            clusters.add(number as usize % 3, LogLevel::Warn, Some(10 - number), b"the same", b"the same");
        }
        for number in 0..2 * MOST {
            let word: String = format!("{number:05}").bytes().map(|digit| char::from(digit + 49)).collect();
            clusters.add(0, LogLevel::Error, None, word.as_bytes(), word.as_bytes());
        }
        assert_eq!(clusters.beyond as usize, MOST + 1);
        let same = clusters.finish().into_iter().find(|cluster| cluster.template == "the same").unwrap();
        assert_eq!((same.count, same.first, same.last, same.sources[&0]), (10, Some(1), Some(10), 4));
    }
}
