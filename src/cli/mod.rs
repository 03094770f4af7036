//! The command line: arguments become a request, an operation answers with a report, and `output` draws it.

mod check;
mod command;
mod complete;
mod completion;
mod config;
mod deploy;
mod diff;
mod global;
pub mod output;
mod plan;
mod session;
mod version;

pub use command::{Cli, Command};
pub use complete::{answer, asked};
pub use global::GlobalArguments;
pub use session::{Session, tell_error};
