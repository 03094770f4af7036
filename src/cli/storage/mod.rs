//! `kubectl evolve storage`

mod arguments;
mod expand;
mod table;

pub use arguments::{Arguments, run};
