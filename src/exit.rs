//! The one table of exit codes.

use crate::error::{Error, ErrorKind};

/// Done; for a verdict, a positive one.
pub const DONE: u8 = 0;
/// Failed, or a negative verdict.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
pub const USAGE: u8 = 2;
/// The cluster or the Docker engine is not reachable.
pub const UNREACHABLE: u8 = 3;
/// Interrupted by the user (128 + SIGINT).
pub const INTERRUPTED: u8 = 130;

/// The exit code for an error.
pub fn code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Failed => FAILED,
        ErrorKind::Usage => USAGE,
        ErrorKind::Unreachable => UNREACHABLE,
        ErrorKind::Interrupted => INTERRUPTED,
    }
}
