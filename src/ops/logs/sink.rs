//! What receives the lines.

use std::{future::Future, io};

use crate::model::LogSource;

/// Lines of one source.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'l> {
    /// Whole lines, or a piece of one. Nothing, when a line that was left open ends without an end of line.
    pub bytes: &'l [u8],
    /// Whether they begin where a line begins; else they go on with the line of the call before.
    pub begins: bool,
    /// Whether the last line ends with them. The last line of a log may lack its end.
    pub ends: bool,
    /// Whether each line begins with its time and a space.
    pub stamped: bool,
}

/// Receives lines. While a line is open, the next call is for the same source.
pub trait LogSink: Send + 'static {
    /// Tells how many logs will be read, where that is known beforehand.
    fn expect(&mut self, _logs: usize) {}

    /// Takes lines; may hold them until `flush`.
    fn put(&mut self, source: &LogSource, lines: Lines<'_>);

    /// Tells that lines of a source may be missing here.
    fn gap(&mut self, _source: &LogSource, _why: &str) {}

    /// Whether so much is held that it should be flushed.
    fn is_full(&self) -> bool;

    /// Hands over what is held, and waits while the reader of it is slow.
    ///
    /// # Errors
    /// When nobody reads any more, or nothing more can be written: the operation ends.
    fn flush(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}
