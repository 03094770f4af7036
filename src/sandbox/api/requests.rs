//! What is asked of the API, and what it answers.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;

/// What becomes of fields that the kind does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Validation {
    /// They are dropped without a word.
    #[default]
    Ignore,
    /// They are dropped with a warning.
    Warn,
    /// The request is refused.
    Strict,
}

/// Who writes, and how.
#[derive(Debug, Default)]
pub struct Write {
    /// The name that owns the fields (`fieldManager`).
    pub manager: String,
    /// Everything but storing it.
    pub dry_run: bool,
    /// Takes fields over from other appliers.
    pub force: bool,
    pub validation: Validation,
    /// What the writer is warned of, once it is done.
    warnings: Mutex<(Vec<String>, Vec<String>)>,
}

impl Write {
    /// A write of that manager, for controllers.
    pub fn by(manager: &str) -> Self {
        Self { manager: manager.into(), ..Self::default() }
    }

    pub(crate) fn warn(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        // What is tried anew is warned of once.
        if !warnings.0.contains(&warning) {
            warnings.0.push(warning);
        }
    }

    /// Warnings that come behind all others.
    pub(crate) fn warn_later(&self, warnings: Vec<String>) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).1.extend(warnings);
    }

    /// The warnings so far.
    pub fn take_warnings(&self) -> Vec<String> {
        let (mut first, last) = std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        first.extend(last);
        first
    }
}

/// A change of a part of an object.
#[derive(Debug, Clone, Copy)]
pub enum Patch<'a> {
    /// RFC 6902
    Json(&'a [u8]),
    /// RFC 7386
    Merge(&'a Value),
    Strategic(&'a Value),
    /// Server-side apply.
    Apply(&'a Value),
}

/// What becomes of the objects that an object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted after it.
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay.
    Orphan,
}

#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// None: as the object says.
    pub grace_period_seconds: Option<i64>,
    /// None: as its kind does, and as its finalizers say.
    pub propagation: Option<Propagation>,
    /// Only the object with this uid.
    pub uid: Option<String>,
    /// Only the object as it was at this version.
    pub resource_version: Option<String>,
    pub dry_run: bool,
}

/// The answer to a deletion.
#[derive(Debug, Clone, PartialEq)]
pub struct Deleted {
    /// As it is now, or was last.
    pub object: Value,
    /// Whether it is gone; otherwise it waits for its finalizers or its grace to end.
    pub gone: bool,
}

/// Which objects of a resource, in the words of a request.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    pub label_selector: String,
    pub field_selector: String,
    /// 0: all.
    pub limit: usize,
    pub continue_token: String,
    pub resource_version: String,
    pub resource_version_match: String,
}

/// Objects of one resource, at one revision.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Each as JSON with its kind, in the version that was asked for.
    pub items: Vec<Bytes>,
    pub revision: u64,
    /// Empty where this is the last page.
    pub continue_token: String,
    /// How many more there are; unknown with selectors.
    pub remaining: Option<usize>,
}

impl Page {
    pub fn objects(&self) -> Vec<Value> {
        self.items.iter().map(|bytes| serde_json::from_slice(bytes).unwrap_or_default()).collect()
    }
}
