//! What the tests share: the binary, the cluster, and a proxy that makes the cluster misbehave.

mod binary;
mod cluster;
mod log_server;
mod proxy;
mod shop;

pub use binary::{Ended, Evolve, kubeconfig};
pub use cluster::{Namespace, TestCluster, wait_until};
pub use log_server::{FakePod, LogServer};
pub use proxy::{Fault, Proxy, Rule};
pub use shop::Shop;
