//! The verbs of the API on objects: admission, ownership of fields, defaults and rules of kinds, and the store, joined.
//!
//! [`Api`] is what HTTP, controllers and tests call; it is synchronous, since everything is in memory. Each verb has a
//! file of its own; what decides belongs to `fields`, `patch` and `kinds`.

mod admission;
mod convert;
mod core;
mod create;
mod delete;
mod field_selector;
mod identity;
mod list;
mod metadata;
mod registry;
mod requests;
mod update;

pub use self::core::Api;
pub use list::Matcher;
pub use registry::{Registry, Served};
pub use requests::{DeleteOptions, Deleted, ListQuery, Page, Propagation, Validation, Write};
