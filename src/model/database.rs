//! The request and the report of `db`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Target;

/// Which database is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DatabaseRequest {
    pub target: Target,
    /// A workload or a pod; the only PostgreSQL of the namespace when absent.
    pub what: Option<String>,
    /// Instead of the one of the container's environment.
    pub database: Option<String>,
}

/// How a PostgreSQL does. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DatabaseReport {
    pub namespace: String,
    pub pod: String,
    pub version: String,
    pub database: String,
    /// The role that asked.
    pub user: String,
    pub started: String,
    pub size: u64,
    /// Whether it is a replica.
    pub in_recovery: bool,
    /// By their state: `active`, `idle`, `idle in transaction`.
    pub connections: BTreeMap<String, u64>,
    pub connection_limit: u64,
    /// Those of the limit that only superusers get.
    pub reserved: u64,
    /// Part of the blocks that were found in memory since the statistics began, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_hit_ratio: Option<f64>,
    pub databases: Vec<DatabaseSize>,
    /// The largest first.
    pub tables: Vec<TableState>,
    /// The statements that run longest.
    pub longest: Vec<RunningQuery>,
    /// Those that wait for others.
    pub blocked: Vec<RunningQuery>,
    pub replicas: Vec<Replica>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migrations: Option<Migrations>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DatabaseSize {
    pub name: String,
    pub size: u64,
}

/// A table with its indexes; rows are the server's own estimates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TableState {
    pub name: String,
    pub size: u64,
    pub rows: u64,
    pub dead_rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vacuumed: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunningQuery {
    pub pid: i64,
    pub user: String,
    pub state: String,
    /// How long it has run, by the server's clock.
    pub seconds: Option<i64>,
    /// The first 200 letters, without what looks like a secret.
    pub query: String,
    /// The processes that it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Replica {
    pub name: String,
    pub address: String,
    pub state: String,
    pub sync: String,
    pub lag_bytes: Option<i64>,
}

/// What the migration tool of the application has recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Migrations {
    /// `Prisma`, `Alembic` or `Django`.
    pub tool: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// Begun and not finished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}
