//! The request and the report of `storage`.

use serde::{Deserialize, Serialize};

use crate::model::ScopeRequest;

/// Which claims and volumes are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StorageRequest {
    /// The words name claims, volumes, or what mounts them: `data-db-0`, `statefulset/db`, `pod/db-0`, `/regex/`; the
    /// labels are those of the claims.
    pub scope: ScopeRequest,
    pub sort: StorageSort,
}

/// What the table is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageSort {
    /// Namespace, then name.
    #[default]
    Name,
    /// Used bytes, most first.
    Used,
    /// Used part, most first.
    Percent,
    /// Free bytes, least first.
    Free,
    /// Capacity, most first.
    Capacity,
    /// The soonest full first.
    Full,
}

/// Every claim and volume of the scope.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageReport {
    /// Empty for all.
    pub namespaces: Vec<String>,
    pub items: Vec<StorageItem>,
    /// What could not be seen and why, each with what it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One claim with its volume, or a volume without its claim.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// None for a volume that has no claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    pub state: StorageState,
    /// Why it is in a state that is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In bytes, by the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<u64>,
    /// In bytes, by the status of the claim, or by the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// `ReadWriteOnce` and the like.
    pub access: Vec<String>,
    /// `Filesystem` or `Block`.
    pub mode: String,
    /// Where it is mounted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// The pods that mount it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<String>,
    /// The workloads whose pods mount it, or would: `statefulset/db`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<String>,
    /// How full it is, where that could be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<VolumeUsage>,
    /// Why it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmeasured: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
}

/// What a claim or a volume is to its cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageState {
    /// Bound, and mounted by a pod.
    #[default]
    Bound,
    /// The claim has no volume yet.
    Pending,
    /// Its size is being changed.
    Resizing,
    /// Bound; a workload names it, and no pod mounts it now.
    Unmounted,
    /// Bound, and nothing names it; or a volume whose claim is not there.
    Orphaned,
    /// The claim's volume is gone.
    Lost,
    /// It is deleted, and something holds it.
    Terminating,
    /// A volume whose claim was deleted.
    Released,
    /// A volume that no claim has.
    Available,
    /// A volume that could not be reclaimed.
    Failed,
}

impl StorageState {
    /// As reports write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bound => "bound",
            Self::Pending => "pending",
            Self::Resizing => "resizing",
            Self::Unmounted => "unmounted",
            Self::Orphaned => "orphaned",
            Self::Lost => "lost",
            Self::Terminating => "terminating",
            Self::Released => "released",
            Self::Available => "available",
            Self::Failed => "failed",
        }
    }
}

/// Who counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UsageSource {
    /// The node's kubelet (`/stats/summary`), which counts about once a minute.
    #[default]
    Kubelet,
    /// `df` in a container that mounts it.
    Df,
}

/// How full a file system is. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeUsage {
    pub size: u64,
    pub used: u64,
    /// What may still be written; less than `size - used` where a part is reserved.
    pub free: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inodes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inodes_used: Option<u64>,
    pub source: UsageSource,
    /// When it was counted.
    pub time: String,
}

impl VolumeUsage {
    /// The used part of what can be used, in percent, rounded up as df does.
    pub fn percent(&self) -> u64 {
        percent(self.used, self.used.saturating_add(self.free))
    }

    /// The used part of the inodes, in percent; None where the file system has no fixed number.
    pub fn inodes_percent(&self) -> Option<u64> {
        self.inodes.filter(|inodes| *inodes > 0).and_then(|inodes| Some(percent(self.inodes_used?, inodes)))
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    let percent = (u128::from(part) * 100).div_ceil(u128::from(whole));
    u64::try_from(percent).unwrap_or(u64::MAX)
}

/// When a volume will be full if it goes on as it did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// Growth, in bytes an hour.
    pub bytes_per_hour: u64,
    /// Seconds from now.
    pub full_in: u64,
    /// The seconds that were looked at.
    pub over: u64,
}
