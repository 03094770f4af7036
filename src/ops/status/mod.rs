//! How everything in a scope does.

mod gather;
mod run;

pub use run::run;
