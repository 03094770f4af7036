//! Deployments: ReplicaSets by revision, rolled over within the bounds of the strategy.
//!
//! Source: `pkg/controller/deployment` of Kubernetes 1.34.

mod reconcile;
mod revisions;
mod rolling;
mod scaling;
mod set;
mod status;

pub use reconcile::reconcile;
