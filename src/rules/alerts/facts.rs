//! What is known of the cluster at one moment.

use jiff::Timestamp;

use super::pods::PodFact;
use crate::model::ObjectRef;

/// What the rules look at. None where it could not be had now: then nothing begins and nothing ends.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub pods: Option<Vec<PodFact>>,
    pub errors: Option<Vec<ErrorFact>>,
    pub volumes: Option<Vec<VolumeFact>>,
    pub certificates: Option<Vec<CertificateFact>>,
}

/// One line of the level error in the logs of a workload.
#[derive(Debug, Clone)]
pub struct ErrorFact {
    pub workload: ObjectRef,
    pub time: Timestamp,
    /// The line, already cleaned.
    pub line: String,
}

/// How full the volume of a claim is.
#[derive(Debug, Clone)]
pub struct VolumeFact {
    pub claim: ObjectRef,
    pub used_bytes: u64,
    pub capacity_bytes: u64,
}

/// A certificate in a Secret.
#[derive(Debug, Clone)]
pub struct CertificateFact {
    pub secret: ObjectRef,
    pub ends: Timestamp,
    /// The names it is for.
    pub names: Vec<String>,
}
