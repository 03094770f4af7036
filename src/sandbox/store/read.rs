//! Reads of one object, and of ranges at a revision.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use bytes::Bytes;

use super::{
    change::{Change, Table},
    objects::{Compacted, Objects, Place, Store},
};

/// Which objects of a table.
#[derive(Debug, Clone, Default)]
pub struct Range {
    /// All namespaces where there is none.
    pub namespace: Option<String>,
    /// Only keys behind this one.
    pub after: Option<String>,
}

/// A part of a table, in the order of keys.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The revision of which it is.
    pub revision: u64,
    pub items: Vec<(Box<str>, Bytes)>,
    /// How many more the range has behind these.
    pub remaining: usize,
}

impl Store {
    /// The object with the revision it was written at.
    pub fn get(&self, place: &Place) -> Option<(u64, Bytes)> {
        let state = self.read();
        let entry = state.tables.get(&place.table)?.entries.get(place.key.as_str())?;
        Some((entry.revision, entry.bytes.clone()))
    }

    /// Up to `max` objects of a range, as of a revision (None: now).
    ///
    /// # Errors
    /// The history back to that revision is no longer kept.
    pub fn chunk(&self, table: &Table, range: &Range, max: usize, at: Option<u64>) -> Result<Chunk, Compacted> {
        let state = self.read();
        let revision = at.unwrap_or(state.revision).min(state.revision);
        if revision < state.compacted && at.is_some() {
            return Err(Compacted { oldest: state.compacted });
        }
        let Some(objects) = state.tables.get(table) else {
            return Ok(Chunk { revision, ..Chunk::default() });
        };
        if objects.log.back().is_none_or(|change| change.revision <= revision) {
            let mut found = objects.entries.range(range.bounds());
            let items = found.by_ref().take(max).map(|(key, entry)| (key.clone(), entry.bytes.clone())).collect();
            return Ok(Chunk { revision, items, remaining: found.count() });
        }
        let mut found = objects.as_of(range, revision).into_iter();
        let items = found.by_ref().take(max).collect();
        Ok(Chunk { revision, items, remaining: found.count() })
    }
}

impl Objects {
    /// The range as it was, by taking back what was written since.
    fn as_of(&self, range: &Range, revision: u64) -> BTreeMap<Box<str>, Bytes> {
        let start = self.log.partition_point(|change| change.revision <= revision);
        let mut before: HashMap<&str, &Arc<Change>> = HashMap::new();
        for change in self.log.range(start..) {
            before.entry(&change.key).or_insert(change);
        }
        let unchanged = self.entries.range(range.bounds()).filter(|(key, _)| !before.contains_key(&***key));
        let mut found: BTreeMap<Box<str>, Bytes> =
            unchanged.map(|(key, entry)| (key.clone(), entry.bytes.clone())).collect();
        let taken_back = before.iter().filter(|(key, _)| range.has(key));
        found.extend(taken_back.filter_map(|(key, change)| Some(((*key).into(), change.previous.clone()?))));
        found
    }
}

impl Range {
    fn has(&self, key: &str) -> bool {
        self.has_namespace(key) && self.after.as_deref().is_none_or(|after| key > after)
    }

    fn has_namespace(&self, key: &str) -> bool {
        self.namespace
            .as_ref()
            .is_none_or(|namespace| key.strip_prefix(namespace.as_str()).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Where the range begins and ends among the keys.
    fn bounds(&self) -> (Bound<Box<str>>, Bound<Box<str>>) {
        let (start, end) = match &self.namespace {
            // '0' is the letter behind '/'.
            Some(name) => (format!("{name}/"), Bound::Excluded(format!("{name}0").into())),
            None => (String::new(), Bound::Unbounded),
        };
        match &self.after {
            // A token of another list may point in front of this range, or behind it.
            Some(after) if self.has_namespace(after) => (Bound::Excluded(after.as_str().into()), end),
            _ => (Bound::Included(start.into()), end),
        }
    }
}
