//! What differs between two texts, as Python's difflib tells it and Go's port of it: by longest common runs of lines.

use std::{collections::HashMap, fmt::Write as _, ops::Range};

/// Lines of context around what differs.
const CONTEXT: usize = 3;
/// From so many lines on, those that come often are no beginning of a common run.
const MANY: usize = 200;

/// The hunks of a unified diff, without names of files.
pub(super) fn unified(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let mut text = String::new();
    for hunk in hunks(&runs(&old, &new)) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let _ = writeln!(
            text,
            "@@ -{} +{} @@",
            range(&(first.old.start..last.old.end)),
            range(&(first.new.start..last.new.end))
        );
        for change in &hunk {
            if change.same {
                change.old.clone().for_each(|at| _ = writeln!(text, " {}", old[at]));
            } else {
                change.old.clone().for_each(|at| _ = writeln!(text, "-{}", old[at]));
                change.new.clone().for_each(|at| _ = writeln!(text, "+{}", new[at]));
            }
        }
    }
    text
}

/// Lines that are the same, or that replace each other.
#[derive(Debug, Clone)]
struct Change {
    same: bool,
    old: Range<usize>,
    new: Range<usize>,
}

fn range(lines: &Range<usize>) -> String {
    match lines.len() {
        1 => (lines.start + 1).to_string(),
        0 => format!("{},0", lines.start),
        length => format!("{},{length}", lines.start + 1),
    }
}

/// The changes in order, from the first line to the last.
fn runs(old: &[&str], new: &[&str]) -> Vec<Change> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    new.iter().enumerate().for_each(|(at, line)| places.entry(line).or_default().push(at));
    if new.len() >= MANY {
        places.retain(|_, at| at.len() <= new.len() / 100 + 1);
    }
    let mut blocks = Vec::new();
    matching(old, new, &places, (0..old.len(), 0..new.len()), &mut blocks);
    blocks.push((old.len(), new.len(), 0));
    let (mut changes, mut at, mut to) = (Vec::<Change>::new(), 0, 0);
    for (start, match_start, length) in blocks {
        if at < start || to < match_start {
            changes.push(Change { same: false, old: at..start, new: to..match_start });
        }
        (at, to) = (start + length, match_start + length);
        match changes.last_mut() {
            // Runs that touch are one.
            Some(last) if last.same && last.old.end == start && last.new.end == match_start => {
                (last.old.end, last.new.end) = (at, to);
            }
            _ if length > 0 => changes.push(Change { same: true, old: start..at, new: match_start..to }),
            _ => {}
        }
    }
    changes
}

/// The longest common run, and those before and behind it.
fn matching(
    old: &[&str],
    new: &[&str],
    places: &HashMap<&str, Vec<usize>>,
    (a, b): (Range<usize>, Range<usize>),
    blocks: &mut Vec<(usize, usize, usize)>,
) {
    let (start, to, length) = longest(old, new, places, &a, &b);
    if length == 0 {
        return;
    }
    matching(old, new, places, (a.start..start, b.start..to), blocks);
    blocks.push((start, to, length));
    matching(old, new, places, (start + length..a.end, to + length..b.end), blocks);
}

fn longest(
    old: &[&str],
    new: &[&str],
    places: &HashMap<&str, Vec<usize>>,
    a: &Range<usize>,
    b: &Range<usize>,
) -> (usize, usize, usize) {
    let (mut start, mut to, mut best) = (a.start, b.start, 0);
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for at in a.clone() {
        let mut next = HashMap::new();
        for &other in places.get(old[at]).map_or(&[][..], Vec::as_slice) {
            if other < b.start {
                continue;
            }
            if other >= b.end {
                break;
            }
            let length = 1 + other.checked_sub(1).and_then(|before| lengths.get(&before)).copied().unwrap_or(0);
            next.insert(other, length);
            if length > best {
                (start, to, best) = (at + 1 - length, other + 1 - length, length);
            }
        }
        lengths = next;
    }
    // Lines that come often may continue a run.
    while start > a.start && to > b.start && old[start - 1] == new[to - 1] {
        (start, to, best) = (start - 1, to - 1, best + 1);
    }
    while start + best < a.end && to + best < b.end && old[start + best] == new[to + best] {
        best += 1;
    }
    (start, to, best)
}

/// The changes with their context, those that are near each other together.
fn hunks(changes: &[Change]) -> Vec<Vec<Change>> {
    let mut changes = changes.to_vec();
    let cut_front = |change: &mut Change| {
        let keep = change.old.len().min(CONTEXT);
        change.old.start = change.old.end - keep;
        change.new.start = change.new.end - keep;
    };
    let cut_back = |change: &mut Change| {
        let keep = change.old.len().min(CONTEXT);
        change.old.end = change.old.start + keep;
        change.new.end = change.new.start + keep;
    };
    changes.first_mut().filter(|change| change.same).map(cut_front);
    changes.last_mut().filter(|change| change.same).map(cut_back);
    let (mut all, mut hunk) = (Vec::new(), Vec::new());
    for change in changes {
        if change.same && change.old.len() > 2 * CONTEXT {
            let (mut end, mut begin) = (change.clone(), change);
            cut_back(&mut end);
            cut_front(&mut begin);
            hunk.push(end);
            all.push(std::mem::take(&mut hunk));
            hunk.push(begin);
        } else {
            hunk.push(change);
        }
    }
    all.push(hunk);
    all.retain(|hunk| hunk.iter().any(|change| !change.same));
    all
}
