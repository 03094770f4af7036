//! Who deploys now.

use serde::{Deserialize, Serialize};

/// The holder of an application's lock. Times are RFC 3339.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockHolder {
    /// User, host and process: `ann@laptop (process 4711)`.
    pub by: String,
    /// What the lock is held for: `deploy`.
    pub purpose: String,
    pub since: String,
    /// When it was last renewed.
    pub renewed: String,
    /// When it expires unless it is renewed.
    pub expires: String,
    /// Whether that time has passed, so that the next who asks gets the lock.
    pub expired: bool,
}

/// A lock that was taken from its holder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokenLock {
    /// Who held it.
    pub holder: String,
    pub by: String,
    pub reason: String,
    pub time: String,
}

/// The report of `lock` and `lock break`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockReport {
    pub application: String,
    pub namespace: String,
    /// None when the lock is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<LockHolder>,
    /// The last time that it was broken, until it is taken again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenLock>,
}
