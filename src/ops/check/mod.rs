//! `check`: what is wrong with manifests, before anything is sent.

mod look_up;
mod run;

pub use run::run;
pub(crate) use run::{check, refuse, warn};
