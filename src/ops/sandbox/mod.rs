//! The embedded cluster as a user has it: started, joined, kept and removed.

mod kept;
mod kubeconfig;
mod place;
mod run;

pub use kept::{list, remove};
pub(super) use kubeconfig::Written;
pub use run::{Running, start};
