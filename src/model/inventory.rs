//! The set of objects that belong to an application: an ApplySet.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::ObjectRef;

/// A kind in its group; `Deployment.apps`, as kubectl writes it in ApplySets.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKind {
    /// Empty for the core group.
    pub group: String,
    pub kind: String,
}

impl GroupKind {
    /// Reads `Kind.group` or `Kind`.
    pub fn parse(text: &str) -> Self {
        let (kind, group) = text.split_once('.').unwrap_or((text, ""));
        Self { group: group.into(), kind: kind.into() }
    }

    pub fn of(object: &ObjectRef) -> Self {
        Self { group: object.group().into(), kind: object.kind.clone() }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group.as_str() {
            "" => f.write_str(&self.kind),
            group => write!(f, "{}.{group}", self.kind),
        }
    }
}

/// The report of `inventory show`, `adopt` and `release`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryReport {
    pub application: String,
    /// The object that stands for the set.
    pub parent: ObjectRef,
    /// The value of the label `applyset.kubernetes.io/part-of` on each member.
    pub id: String,
    /// The tool that manages the set and its version, as in `kubectl-evolve/v0.1.0`.
    pub tooling: String,
    pub members: Vec<ObjectRef>,
}
