//! Tests of the whole binary against an API server, and against one that misbehaves.
//!
//! With `EVOLVE_TEST_CLUSTER=1` and a KUBECONFIG that is a real one. Without the first it is a sandbox of each test's own,
//! and tests that need real parts say so and pass.

#[cfg(test)]
mod alerts;
#[cfg(test)]
mod backup;
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
mod exec;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forward;
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
mod logs;
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
mod sandbox;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod status;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod storage_expand;
#[cfg(test)]
mod support;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod watch;
