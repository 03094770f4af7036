//! Progress on stderr: lines in place at a terminal, a line for each change elsewhere.

mod plain;
mod sink;
mod terminal;
mod words;

pub use sink::progress;
