//! The configuration file `evolve.yaml`: its types, and how it is found, read, checked and resolved.

mod check;
mod document;
mod find;
mod formats;
mod load;
mod profile;
mod schema;
mod types;
mod watch;

pub use check::nearest;
pub use find::FILE_NAME;
pub use formats::{Size, duration};
pub use load::{Config, Examined, LoadRequest, examine, load};
pub use profile::{Origins, leaves};
pub use schema::schema;
pub use types::*;
pub use watch::*;

#[cfg(test)]
mod tests;
