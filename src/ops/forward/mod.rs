//! Ports of this machine that lead to pods, also after those were replaced.

mod connection;
mod open;
mod serve;

pub use open::{Forward, open};
