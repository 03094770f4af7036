//! StatefulSets: pods with names that stay, made and replaced in order, each with claims of its own.
//!
//! Source: `pkg/controller/statefulset` of Kubernetes 1.34.

mod identity;
mod reconcile;
mod status;

pub use reconcile::reconcile;
