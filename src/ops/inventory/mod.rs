//! The set of objects that belong to an application: its parent, its members, and what is removed from it.

mod claims;
mod handover;
mod members;
mod owners;
mod parent;
mod remove;
mod survey;

pub use claims::made_claims;
pub use handover::{adopt, release, show};
pub use members::members;
pub use owners::locks;
pub use parent::{application_of, cover, dissolve, find, shrink};
pub use remove::remove;
pub use survey::{Removal, Wishes, survey};
