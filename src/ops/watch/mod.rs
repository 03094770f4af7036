//! Alerts over a running application: each told once, with its recovery, through every end of the process.

mod certificates;
mod errors;
mod listeners;
mod pods;
mod record;
mod run;
mod volumes;

pub use run::run;
