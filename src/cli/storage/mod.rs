//! `kubectl evolve storage`

mod arguments;
mod backup;
mod expand;
mod table;

pub use arguments::{Arguments, run};
