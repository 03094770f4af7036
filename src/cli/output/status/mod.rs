//! Draws a status: a tree for people, lines for what reads lines, and the formats for machines.

mod format;
mod live;
mod node;
mod paint;
mod tree;

pub use format::{StatusFormat, write_status};
pub use live::Live as LiveStatus;
pub use tree::draw_status;

#[cfg(test)]
mod tests;
