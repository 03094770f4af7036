//! Which objects of the cluster a command line means: the application, a namespace, or what words name.

mod kinds;
mod named;
mod resolve;

pub use kinds::{EXECUTED, FORWARDED, Kinds, RESTARTED, SCALED, WITH_PODS, WORKLOADS};
pub use resolve::{Found, Scope, namespaces, resolve};
