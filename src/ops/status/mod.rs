//! How everything in a scope does: one look, a look that goes on, and a wait.

mod gather;
mod members;
mod revision;
mod run;
mod wait;
mod watch;

pub use revision::as_of;
pub use run::run;
pub use wait::wait;
pub use watch::watch;
