//! From manifests to a rollout: plan, apply in waves, wait, record, and go back after a failure.

mod apply;
mod attempt;
mod job;
mod load;
mod observe;
mod plan;
mod planning;
mod recovery;
mod run;
mod saved;
mod secrets;
mod set;
mod waiting;

pub(super) use job::Job;
pub(super) use load::{Loaded, Options, load, namespace_of};
pub use planning::{plan, save_plan};
pub(super) use run::roll_out;
pub use run::run;
