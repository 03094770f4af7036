//! Jobs: pods that end, counted once each.
//!
//! Source: `pkg/controller/job` and `pkg/controller/ttlafterfinished` of Kubernetes 1.34. Pod failure and success
//! policies and the back-off limit per index are not simulated.

mod counts;
mod finish;
mod pods;
mod reconcile;

pub use reconcile::reconcile;
