//! How everything in a scope does: a [`Scene`] is filled with what the cluster tells, and [`report`] judges it.

mod beside;
mod build;
mod claim;
mod index;
mod pod;
mod read;
mod scene;
mod service;
mod summary;
mod workload;

pub use build::report;
pub use scene::{Owner, Scene, Subject};
pub use summary::span;

#[cfg(test)]
mod tests;
