//! Whether an object has become what its spec asks for: a pure judgement of the object alone.
//!
//! A new kind is a function in the file of its family and a line in the table of `health.rs`.

mod daemon_set;
mod deployment;
mod extension;
mod health;
mod job;
mod network;
mod pod;
mod replica_set;
mod stateful_set;
mod storage;

pub use health::{health, is_built_in, settles_at_once};

#[cfg(test)]
mod tests;
