//! Tests of the whole binary against a real API server, and against one that misbehaves.
//!
//! They need `EVOLVE_TEST_CLUSTER=1` and a KUBECONFIG; without the first, those that need a cluster say so and pass.

#[cfg(test)]
mod check;
#[cfg(test)]
mod check_agreement;
#[cfg(all(test, unix))]
mod completion;
#[cfg(test)]
mod delete;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod example;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod history;
#[cfg(test)]
mod input;
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod kill_delete;
#[cfg(test)]
mod kubeconfig;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod order;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod rollback;
#[cfg(test)]
mod support;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod watch;
