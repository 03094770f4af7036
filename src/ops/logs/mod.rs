//! Logs of many containers at once.
//!
//! A task reads each log: `pipe` cuts it into whole lines and leaves out what is not wanted, and hands them to the sink
//! of the front end, either as they come (`outlet`) or in the order of time (`merge`). `read` reads what is there;
//! `follow` stays with a container through cuts and restarts, and `pods` finds the containers that come and go.

mod analyze;
mod choose;
mod export;
mod follow;
mod merge;
mod outlet;
mod pipe;
mod plan;
mod pods;
mod read;
mod run;
mod sink;
mod timeline;

pub use analyze::analyze;
pub use export::export;
pub use run::run;
pub use sink::{Lines, LogSink};
