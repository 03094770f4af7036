//! Requests and reports that serialise, a file for each operation.

mod check;
mod completion;
mod config;
mod database;
mod delete;
mod demo;
mod deploy;
mod evidence;
mod exec;
mod forward;
mod health;
mod history;
mod inventory;
mod lock;
mod logs;
mod object;
mod plan;
mod removal;
mod restart;
mod sandbox;
mod scale;
mod scope;
mod severity;
mod status;
mod storage;
mod storage_backup;
mod storage_expand;
mod version;
mod wait;
mod watch;

pub use check::*;
pub use completion::*;
pub use config::*;
pub use database::*;
pub use delete::*;
pub use demo::*;
pub use deploy::*;
pub use evidence::*;
pub use exec::*;
pub use forward::*;
pub use health::*;
pub use history::*;
pub use inventory::*;
pub use lock::*;
pub use logs::*;
pub use object::*;
pub use plan::*;
pub use removal::*;
pub use restart::*;
pub use sandbox::*;
pub use scale::*;
pub use scope::*;
pub use severity::*;
pub use status::*;
pub use storage::*;
pub use storage_backup::*;
pub use storage_expand::*;
pub use version::*;
pub use wait::*;
pub use watch::*;

/// The `apiVersion` of every report.
pub const API_VERSION: &str = "evolve/v1";
/// The field manager of every write, fixed so that ownership survives a rename of the binary.
pub const FIELD_MANAGER: &str = "kubectl-evolve";
