//! Plain HTTP to anywhere but the cluster: manifests from the web, and webhooks.

mod address;
mod get;
mod post;
mod send;

pub use address::shown;
pub use get::get;
pub use post::post;
