//! Pure judgement: no client, no file, no clock.

pub mod alarms;
pub mod applyset;
pub mod autoscaling;
pub mod dependence;
pub mod difference;
pub mod events;
pub(crate) mod fields;
pub mod history;
pub mod images;
pub mod lock;
pub mod manifests;
pub mod migration;
pub mod ownership;
pub mod pods;
pub mod ports;
pub mod prune;
pub mod quantity;
pub mod readiness;
pub mod redact;
pub mod refusals;
pub mod rollout;
pub mod scope;
pub mod selector;
pub mod status;
pub mod usage;
pub mod waves;
