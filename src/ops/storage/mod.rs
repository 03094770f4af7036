//! Claims and volumes: what there is, how full it is, and when it will be full.

mod measure;
mod read;
mod run;
mod samples;

pub use run::run;
