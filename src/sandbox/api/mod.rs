//! The verbs of the API on objects: admission, ownership of fields, defaults and rules of kinds, and the store, joined.
//!
//! [`Api`] is what HTTP, controllers and tests call; it is synchronous, since everything is in memory. Each verb has a
//! file of its own; what decides belongs to `fields`, `patch` and `kinds`.

mod admission;
mod allocate;
mod below;
mod convert;
mod core;
mod create;
mod decode;
mod definitions;
mod delete;
mod field_selector;
mod identity;
mod label_selector;
mod list;
mod logs;
mod metadata;
mod patch;
mod quota;
mod registry;
mod requests;
mod scale;
mod update;

pub use self::core::Api;
pub(crate) use decode::strict;
pub(crate) use delete::orphans;
pub use list::Matcher;
pub(crate) use list::{options_problem, without_kind};
pub use logs::PodLogs;
pub use registry::{Registry, Served};
pub use requests::{DeleteOptions, Deleted, ListQuery, Page, Patch, Propagation, Validation, Write};
