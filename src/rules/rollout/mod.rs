//! A workload with what surrounds it: which pods are of its new revision, how they do, and what that means for it.

mod judge;
mod revision;

pub use judge::{Clock, PodTrouble, Rollout, Surroundings, judge};
pub(crate) use revision::owner;
pub use revision::{newest_replica_set, of_new_revision};
