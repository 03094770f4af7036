//! The controllers of a cluster, the scheduler and the kubelets, in one loop on a thread of its own.
//!
//! The loop takes every change of the API into a [`Cache`], queues the keys that it concerns, and looks at one after the
//! other: `fn(view, key) -> Decision` says what is to be done, and one place does it. What controllers know they can
//! learn again from the objects, so a sandbox goes on where it was stopped.

mod act;
pub(crate) mod action;
mod amounts;
mod autoscaler;
mod budget;
mod cache;
mod claims;
mod collector;
mod cron_job;
mod daemon_set;
mod deployment;
pub(crate) mod endpoints;
mod engine;
mod facts;
mod job;
mod namespaces;
pub(crate) mod nodes;
pub(crate) mod objects;
mod quota;
mod recorder;
mod replica_set;
mod revision;
mod routes;
mod scheduler;
mod seed;
mod settings;
mod stateful_set;
pub(crate) mod tables;
#[cfg(test)]
mod tests;
mod work;

pub use cache::Cache;
pub use engine::Controllers;
pub use nodes::{NodeSettings, Taint};
pub use settings::Settings;
