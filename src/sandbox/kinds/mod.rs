//! The rules of each kind: what is filled in, what a write may change, what is refused, and which columns a list shows.
//!
//! All pure. `fill` walks an object by the table of types and calls `defaults`; `prepare` does what the strategies of the
//! API server's registry do before an object is stored.

mod admit;
mod custom;
mod defaults;
mod edit;
mod fill;
mod pod;
mod prepare;
mod scale;
mod service;
pub mod table;
pub mod usage;
mod validate;
mod warnings;

pub use admit::admit;
pub use fill::{default, fill, strip};
pub use prepare::{prepare_create, prepare_update};
pub use scale::{replicas_path, scale, set_scale};
pub use service::{Allocator, allocate};
pub use validate::validate;
pub use warnings::warnings;

#[cfg(test)]
mod tests;
