//! One change of one object.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde_json::Value;

/// What objects of one resource are kept under, whatever version they are asked in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Table {
    /// Empty for the core group.
    pub group: String,
    pub plural: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

impl ChangeKind {
    /// As a watch words it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A write, in the order of the store.
#[derive(Debug, Clone)]
pub struct Change {
    pub revision: u64,
    pub kind: ChangeKind,
    pub table: Arc<Table>,
    /// `namespace/name`, or the name of what belongs to no namespace.
    pub key: Box<str>,
    /// The object as it is now; of a deleted one its last state, with the revision of the deletion.
    pub bytes: Bytes,
    /// The object before, if there was one.
    pub previous: Option<Bytes>,
}

impl Change {
    /// Empty for what belongs to no namespace.
    pub fn namespace(&self) -> &str {
        self.key.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    pub fn name(&self) -> &str {
        self.key.split_once('/').map_or(&self.key, |(_, name)| name)
    }

    pub fn object(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// What it costs to keep.
    pub(super) fn weight(&self) -> usize {
        self.bytes.len() + self.previous.as_ref().map_or(0, Bytes::len) + self.key.len()
    }
}
