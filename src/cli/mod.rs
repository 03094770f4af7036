//! The command line: arguments become a request, an operation answers with a report, and `output` draws it.

mod arguments;
mod check;
mod command;
mod complete;
mod completion;
mod config;
mod db;
mod delete;
mod demo;
mod deploy;
mod diff;
mod evidence;
mod exec;
mod forward;
mod global;
mod history;
mod inventory;
mod lock;
mod logs;
pub mod output;
mod plan;
mod restart;
mod rollback;
mod sandbox;
mod scale;
mod session;
mod status;
mod storage;
mod terminal;
mod version;
mod watch;

pub use command::{Cli, Command};
pub use complete::{answer, asked};
pub use global::GlobalArguments;
pub use session::{Session, tell_error};
