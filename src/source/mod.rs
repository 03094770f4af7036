//! Manifests: found, read, and expanded into objects with their places.

mod document;
mod folder;
mod kustomize;
mod mapping;
mod place;
mod read;
mod scalar;
mod side_by_side;
mod sources;
mod substitute;
mod write;
mod yaml;

pub use folder::discover;
pub use read::{Input, ReadRequest, read};
pub use sources::Sources;
pub use substitute::Substitution;
pub use write::to_yaml;
