//! Writes, each at a revision of its own.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{
    change::{Change, ChangeKind},
    objects::{Entry, Place, State, Store},
};

/// Somebody else wrote in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clash {
    /// The revision that is stored now; None where nothing is.
    pub found: Option<u64>,
}

impl Store {
    /// Stores the object and gives it its resourceVersion, provided that what is stored is still of the revision
    /// `expected` (None: nothing).
    ///
    /// # Errors
    /// Something else is stored.
    pub fn put(&self, place: &Place, expected: Option<u64>, object: &mut Value) -> Result<(u64, Bytes), Clash> {
        let mut state = self.write();
        state.expect(place, expected)?;
        let revision = state.revision + 1;
        let bytes = encode(object, revision);
        let entry = Entry { revision, bytes: bytes.clone() };
        let objects = state.tables.entry(place.table.clone()).or_default();
        let previous = match objects.entries.get_mut(place.key.as_str()) {
            Some(stored) => Some(std::mem::replace(stored, entry).bytes),
            None => {
                objects.entries.insert(place.key.as_str().into(), entry);
                None
            }
        };
        let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.settle(&mut state, place, (revision, kind), bytes.clone(), previous);
        Ok((revision, bytes))
    }

    /// Removes the object; `object` is its last state, which gets the revision of the deletion.
    ///
    /// # Errors
    /// It is no longer of the revision `expected`.
    pub fn remove(&self, place: &Place, expected: u64, object: &mut Value) -> Result<u64, Clash> {
        let mut state = self.write();
        state.expect(place, Some(expected))?;
        let revision = state.revision + 1;
        let bytes = encode(object, revision);
        let objects = state.tables.entry(place.table.clone()).or_default();
        let previous = objects.entries.remove(place.key.as_str()).map(|entry| entry.bytes);
        self.settle(&mut state, place, (revision, ChangeKind::Deleted), bytes, previous);
        Ok(revision)
    }

    fn settle(
        &self,
        state: &mut State,
        place: &Place,
        (revision, kind): (u64, ChangeKind),
        bytes: Bytes,
        previous: Option<Bytes>,
    ) {
        let key = place.key.as_str().into();
        let change = Change { revision, kind, table: place.table.clone(), key, bytes, previous };
        state.revision = revision;
        state.record(Arc::new(change), self.limits());
        if let Some(objects) = state.tables.get(&place.table) {
            objects.newest.send_replace(revision);
        }
        self.newest.send_replace(revision);
    }
}

impl State {
    fn expect(&self, place: &Place, expected: Option<u64>) -> Result<(), Clash> {
        let found = self.tables.get(&place.table).and_then(|objects| objects.entries.get(place.key.as_str()));
        let found = found.map(|entry| entry.revision);
        if found == expected { Ok(()) } else { Err(Clash { found }) }
    }
}

fn encode(object: &mut Value, revision: u64) -> Bytes {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("resourceVersion".into(), revision.to_string().into());
    }
    // An exact length: a vector that grew has up to twice the room.
    serde_json::to_vec(object).map(|bytes| Bytes::from(bytes.into_boxed_slice())).unwrap_or_default()
}
