//! Everything that talks to Kubernetes.

mod client;
mod connect;
mod credentials;
mod discovery;
mod execution;
mod forward;
mod items;
mod kubeconfig;
mod lanes;
mod list;
mod logs;
mod nodes;
mod objects;
mod scale;
mod transport;
mod upgrade;
mod watch;

pub use client::Cluster;
pub use connect::ConnectOptions;
pub use discovery::Resource;
pub use execution::{ExecRequest, Execution, TerminalSize};
pub use forward::PortForward;
pub use kubeconfig::KubeconfigNames;
pub use list::ListQuery;
pub use logs::{LogQuery, LogStream};
pub use objects::{Applied, ApplyMode, DeleteOptions, Deletion, Propagation};
pub use watch::WatchEvent;
