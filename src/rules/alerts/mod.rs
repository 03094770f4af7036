//! What is worth an alert, and when it begins and ends.

mod facts;
mod judge;
mod ledger;
mod pods;

pub use facts::{CertificateFact, ErrorFact, Facts, VolumeFact};
pub use judge::{Condition, Judgement, Restarts, judge};
pub use ledger::{Ledger, Listener};
pub use pods::{ContainerFact, PodFact, pod_fact};

#[cfg(test)]
mod tests;
