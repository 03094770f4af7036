//! The scheduler: finds a node for each pod, or says in the real one's words why there is none.
//!
//! Source: `pkg/scheduler` of Kubernetes 1.34. Preferences do not count: of the nodes that fit, the one with the
//! fewest pods is taken. Preemption is not simulated.

mod filter;
mod neighbours;
mod place;

pub use filter::{fits_selectors, tolerates};
pub use place::{claim_names, reconcile};
