//! What a deploy would do, object by object and field by field.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ObjectRef;

/// What happens to one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Create,
    Change,
    /// Already as wanted.
    Keep,
    /// Deleted and created again, because a field cannot be changed.
    Replace,
    Delete,
    /// Left in the cluster though no longer in the manifests.
    Detach,
}

/// One field that differs. Values of secrets are masked before they get here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// `spec.template.spec.containers[name=api].image`
    pub path: String,
    /// None when the field is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// None when the field goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// A field that another manager owns with another value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldConflict {
    pub path: String,
    pub manager: String,
    /// The value in the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Value>,
    /// The value in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Value>,
}

/// What happens to one object, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub object: ObjectRef,
    pub action: Action,
    /// The wave of the deploy it belongs to, from 0.
    pub wave: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<FieldConflict>,
    /// Why the object is replaced, deleted, detached or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Set when the deploy would stop at this object, with what would let it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    /// A digest of the live object's meaning (no status, no resourceVersion), empty when it does not exist.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub live: String,
}

/// What a deploy would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub application: String,
    pub namespace: String,
    pub changes: Vec<Change>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Plan {
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    /// Whether a deploy would refuse to begin.
    pub fn is_blocked(&self) -> bool {
        self.changes.iter().any(|change| change.blocked.is_some())
    }

    /// Whether running the plan would change the cluster.
    pub fn changes_something(&self) -> bool {
        self.changes.iter().any(|change| !matches!(change.action, Action::Keep))
    }
}
