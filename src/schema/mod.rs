//! What Kubernetes types look like: a compact table of every built-in type, and of those that a CRD defines.
//!
//! The built-in table comes from an API server's own OpenAPI, reduced by `tools/schema-table/`.

mod builtin;
mod custom;
mod reader;
pub mod scalar;
mod table;
mod withdrawn;

pub use builtin::{builtin, shared};
pub use custom::of_crd;
pub use reader::Reader;
pub use table::{Field, Kind, ListType, Schema, Shape, Type, TypeId, Zero};
pub use withdrawn::{Withdrawn, withdrawn};
