//! Objects at rest as compact JSON, one counter of revisions, and the log of changes that watches and controllers read.
//!
//! A reader of changes keeps a place in the shared log, so that a slow one costs no memory: when the log has moved past
//! it, it is told so.

mod change;
mod log;
mod objects;
mod read;
mod write;

pub use change::{Change, ChangeKind, Table};
pub use log::{Changes, Subscription};
pub use objects::{Compacted, Limits, Place, Restored, Store};
pub use read::{Chunk, Range};
pub use write::Clash;

#[cfg(test)]
mod tests;
