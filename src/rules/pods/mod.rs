//! What keeps a pod from running, and how long that may last.
//!
//! `examine` reads a pod as it is now; [`Memory`] knows since when, and turns what was read into a verdict.

pub mod choice;
mod container;
mod examine;
mod exit;
mod hint;
mod image;
mod memory;
mod probe;
mod refusal;
mod schedule;
mod state;
mod volume;

pub use examine::examine;
pub use exit::exit_in_words;
pub use hint::hint;
pub use memory::{Memory, Patience};
pub use refusal::creation;
pub use state::{Allowance, Instance, Stage, State, Trouble, Verdict};
