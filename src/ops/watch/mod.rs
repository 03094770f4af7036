//! Alerts over a running application: each told once, with its recovery, through every end of the process.

mod certificates;
mod listeners;
mod pods;
mod record;
mod run;

pub use run::run;
