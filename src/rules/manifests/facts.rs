//! What is known beside the manifests: of the cluster they are for, and of their texts.

use std::collections::{HashMap, HashSet};

use crate::model::{FieldPath, ObjectRef};

/// Facts beside the manifests; without any, the rules judge the manifests alone.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The minor version of Kubernetes 1; None when no cluster was asked.
    pub minor: Option<u32>,
    /// Objects outside of the set: those that were looked up, and those that the deploy makes.
    pub objects: HashMap<ObjectRef, Known>,
    /// Values that come from a variable, by manifest and field: they are not in the text.
    pub filled_in: HashSet<(usize, FieldPath)>,
}

/// What is known of an object outside of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    Absent,
    /// With the keys of its data, where they matter and could be read.
    Present {
        keys: Option<Vec<String>>,
    },
    /// The cluster would not tell.
    Unknown,
}

impl Facts {
    /// Whether the cluster is newer than the table of types, so that what the table lacks may yet exist.
    pub fn newer_than(&self, table: &str) -> bool {
        let known = table.rsplit('.').next().and_then(|minor| minor.parse().ok());
        self.minor.zip(known).is_some_and(|(minor, known): (u32, u32)| minor > known)
    }
}
