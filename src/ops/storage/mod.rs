//! Claims and volumes: what there is, how full it is, and when it will be full.

mod backup;
mod choose;
mod disk_use;
mod expand;
mod measure;
mod read;
mod run;
mod samples;

pub use backup::{backup, restore};
pub use disk_use::run as disk_use;
pub use expand::run as expand;
pub use run::{run, run_again};
