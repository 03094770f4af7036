//! The requests and the reports of `storage backup`, `storage restore` and `storage du`.

use serde::{Deserialize, Serialize};

use crate::model::Target;

/// What is to be saved, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupRequest {
    pub target: Target,
    /// A claim, or a workload or a pod that mounts claims.
    pub what: String,
    /// A folder, or a file.
    pub to: String,
    /// The files of the volume even where a database would be dumped.
    pub files: bool,
    /// The database to dump, where it is not the one of the container's environment.
    pub database: Option<String>,
    /// Restore it for a proof: a database into a scratch database beside it.
    pub verify: bool,
}

/// How data was saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupMethod {
    /// SQL by `pg_dump`: one consistent snapshot.
    #[default]
    Postgresql,
    /// The files of a volume.
    Tar,
}

/// What a backup holds: the manifest beside its file. Without one, a file is not complete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    pub api_version: String,
    pub kind: String,
    /// The name of the file beside this one.
    pub file: String,
    pub method: BackupMethod,
    pub created: String,
    pub namespace: String,
    pub pod: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The name of the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The image of the container that the data is from.
    pub image: String,
    /// Of the file as it is, compressed with gzip.
    pub bytes: u64,
    pub sha256: String,
    /// Of what is in it.
    pub content_bytes: u64,
    pub content_sha256: String,
    /// The files in an archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
}

/// What was saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupReport {
    pub backups: Vec<Backup>,
    /// Their files, in the same order.
    pub paths: Vec<String>,
    /// What the proofs showed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What is to be brought back, and to where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreRequest {
    pub target: Target,
    pub file: String,
    /// A claim, a workload or a pod; where it came from when absent.
    pub to: Option<String>,
    /// Consent to take the place of what is there.
    pub overwrite: bool,
    /// Only into a scratch database, which is dropped.
    pub verify: bool,
}

/// What was brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreReport {
    pub backup: Backup,
    pub namespace: String,
    pub pod: String,
    /// What was done, in words.
    pub done: String,
    /// What the data that was there is called now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whose folders are to be counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DiskUseRequest {
    pub target: Target,
    /// A claim, or a workload or a pod that mounts claims.
    pub what: String,
    /// How many folders deep.
    pub depth: u32,
    /// How many folders are shown of each volume.
    pub top: usize,
}

/// What fills volumes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskUseReport {
    pub volumes: Vec<VolumeFolders>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What fills one volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeFolders {
    pub claim: String,
    pub pod: String,
    /// Where it is mounted.
    pub path: String,
    /// Bytes of everything.
    pub total: u64,
    /// The largest first; paths begin at the mount.
    pub folders: Vec<FolderSize>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FolderSize {
    pub path: String,
    pub bytes: u64,
}
