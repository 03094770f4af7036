//! kubectl-evolve: from manifests to a healthy, recorded, reversible rollout.
//!
//! Operations (`ops`) take a request and return a report (`model`); front ends (`cli`) draw it.
//! Judgement (`rules`) is pure. `docs/architecture.md` says which room holds what.

pub mod app;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod context;
pub mod error;
pub mod event;
pub mod exit;
pub mod model;
pub mod notify;
pub mod ops;
pub mod rules;
pub mod sandbox;
pub mod schema;
pub mod source;
pub mod web;
