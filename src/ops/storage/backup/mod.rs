//! Saving volumes and databases into files, and bringing them back.

mod database;
mod file;
mod restore;
mod run;
mod scratch;

pub use restore::run as restore;
pub use run::run as backup;
