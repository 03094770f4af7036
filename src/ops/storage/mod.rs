//! Claims and volumes: what there is, how full it is, and when it will be full.

mod expand;
mod measure;
mod read;
mod run;
mod samples;

pub use expand::run as expand;
pub use run::{run, run_again};
