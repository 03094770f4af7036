//! Simulated pods: what a kubelet and the containers would do, by rules instead of processes.

pub mod behaviour;
mod command;
mod config;
mod image;
mod kubelet;
mod log_options;
mod log_reader;
mod logs;
mod needs;
mod probe;
mod run;
mod scenario;
mod serve;
mod start;
mod state;
mod status;

pub use behaviour::Behaviour;
pub use kubelet::Kubelet;
pub use log_options::LogOptions;
pub use log_reader::LogReader;
pub use logs::LogBook;
pub use scenario::Scenario;
