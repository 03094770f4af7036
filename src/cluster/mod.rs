//! Everything that talks to Kubernetes.

mod client;
mod connect;
mod credentials;
mod discovery;
mod kubeconfig;
mod logs;
mod objects;
mod watch;

pub use client::Cluster;
pub use connect::ConnectOptions;
pub use discovery::Resource;
pub use kubeconfig::KubeconfigNames;
pub use objects::{Applied, ApplyMode, DeleteOptions, Deletion, ListQuery, Propagation};
pub use watch::WatchEvent;
