//! The operations: each takes the context and a request and returns a report.

pub(crate) mod application;
pub mod check;
pub mod complete;
pub mod completion;
pub mod config;
mod container;
pub mod database;
pub mod delete;
pub mod demo;
pub mod deploy;
pub mod exec;
pub mod forward;
mod git;
pub mod history;
pub mod identity;
pub mod inventory;
pub mod lock;
pub mod logs;
pub mod restart;
pub mod revisions;
pub mod rollback;
pub mod sandbox;
pub mod scope;
pub mod status;
pub mod storage;
pub mod version;
pub mod wait;
