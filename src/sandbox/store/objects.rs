//! What is stored, and how long its history is kept.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bytes::Bytes;
use tokio::sync::watch;

use super::change::{Change, Table};

/// Where one object is kept.
#[derive(Debug, Clone)]
pub struct Place {
    pub table: Arc<Table>,
    /// `namespace/name`, or the name alone; the order of keys is the order of lists, as it is in etcd.
    pub key: String,
}

/// How much history is kept; what is older is compacted away.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub changes: usize,
    /// Of the objects in the log, before and after each change.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { changes: 50_000, bytes: 64 << 20 }
    }
}

/// The history that was asked for is no longer kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// The oldest revision that can still be read.
    pub oldest: u64,
}

/// An object that is put back as it was.
#[derive(Debug, Clone)]
pub struct Restored {
    pub group: String,
    pub plural: String,
    /// `namespace/name`, or the name of what belongs to no namespace.
    pub key: String,
    pub bytes: Bytes,
}

#[derive(Debug)]
pub struct Store {
    state: RwLock<State>,
    limits: Limits,
    /// The newest revision, for those who wait for any change.
    pub(super) newest: watch::Sender<u64>,
}

#[derive(Debug)]
pub(super) struct State {
    pub revision: u64,
    /// Changes up to this revision are gone from the log.
    pub compacted: u64,
    pub tables: HashMap<Arc<Table>, Objects>,
    pub log: VecDeque<Arc<Change>>,
    weight: usize,
}

/// The objects of one table.
#[derive(Debug)]
pub(super) struct Objects {
    pub entries: BTreeMap<Box<str>, Entry>,
    /// The part of the log that is of this table.
    pub log: VecDeque<Arc<Change>>,
    /// The revision of the last change here.
    pub newest: watch::Sender<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub revision: u64,
    pub bytes: Bytes,
}

impl Default for Objects {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), log: VecDeque::new(), newest: watch::Sender::new(0) }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Store {
    pub fn new(limits: Limits) -> Self {
        // Clients take revision 0 for "whatever there is", so the first one is 1.
        let state = State { revision: 1, compacted: 0, tables: HashMap::new(), log: VecDeque::new(), weight: 0 };
        Self { state: RwLock::new(state), limits, newest: watch::Sender::new(1) }
    }

    // A writer that panicked has not left half a change behind: each is made of assignments that cannot fail.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub fn revision(&self) -> u64 {
        self.read().revision
    }

    /// Forgets the history up to that revision.
    pub fn compact(&self, revision: u64) {
        let mut state = self.write();
        let revision = revision.min(state.revision);
        while state.log.front().is_some_and(|change| change.revision <= revision) {
            state.forget_oldest();
        }
        state.compacted = state.compacted.max(revision);
    }

    /// Every object that is stored, with the revision of the store.
    pub fn everything(&self) -> (u64, Vec<Restored>) {
        let state = self.read();
        let all = state.tables.iter().flat_map(|(table, objects)| {
            objects.entries.iter().map(|(key, entry)| Restored {
                group: table.group.clone(),
                plural: table.plural.clone(),
                key: key.to_string(),
                bytes: entry.bytes.clone(),
            })
        });
        (state.revision, all.collect())
    }

    /// Puts objects back as they were, in place of all that is stored. There is no history before it.
    pub fn restore(&self, revision: u64, objects: impl IntoIterator<Item = (Restored, u64)>) {
        let mut state = self.write();
        state.tables.values_mut().for_each(|table| {
            table.entries.clear();
            table.log.clear();
        });
        state.log.clear();
        state.weight = 0;
        for (object, written) in objects {
            let table = Arc::new(Table { group: object.group, plural: object.plural });
            let entry = Entry { revision: written, bytes: object.bytes };
            state.tables.entry(table).or_default().entries.insert(object.key.into(), entry);
        }
        state.revision = state.revision.max(revision);
        state.compacted = state.revision;
    }
}

impl State {
    /// Adds a change to both logs, and forgets what is more than the limits allow.
    pub fn record(&mut self, change: Arc<Change>, limits: Limits) {
        self.weight += change.weight();
        self.log.push_back(change.clone());
        if let Some(objects) = self.tables.get_mut(&change.table) {
            objects.log.push_back(change);
        }
        while self.log.len() > limits.changes || (self.weight > limits.bytes && self.log.len() > 1) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.log.pop_front() else { return };
        self.weight = self.weight.saturating_sub(oldest.weight());
        self.compacted = oldest.revision;
        // Both logs are in the same order, so it is the front there too.
        if let Some(objects) = self.tables.get_mut(&oldest.table) {
            objects.log.pop_front();
        }
    }
}
