//! Draws a status: a tree for people, and lines for what reads lines.

mod node;
mod paint;
mod tree;

pub use tree::draw_status;
