//! What is known of one attempt at a roll-out, for its record and its report.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{job::Survey, waiting::Answers};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, ErrorKind, Result},
    model::{DeployOutcome, DeployReport, Evidence, ImageUse, ObjectHealth, Plan, RemovedObject},
};

pub(super) struct Attempt {
    pub began: Timestamp,
    pub revision: Option<u64>,
    /// The revision that was put back.
    pub restored: Option<u64>,
    /// What the server answered to the applies.
    pub answers: Answers,
    /// What the pods run, with digests.
    pub images: BTreeSet<ImageUse>,
    pub health: Vec<ObjectHealth>,
    pub evidence: Vec<Evidence>,
    pub notes: Vec<String>,
}

impl Attempt {
    pub fn new(began: Timestamp) -> Self {
        Self {
            began,
            revision: None,
            restored: None,
            answers: Answers::new(),
            images: BTreeSet::new(),
            health: Vec::new(),
            evidence: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Turns the server's refusals into evidence.
    ///
    /// # Errors
    /// The first error that is no refusal: an interruption, or a server that is gone.
    pub fn refused(&mut self, survey: &Survey, failed: Vec<(usize, Error)>) -> Result<()> {
        for (index, error) in failed {
            if error.kind() != ErrorKind::Failed {
                return Err(error);
            }
            let object = survey.steps.get(index).map(|step| step.change.object.clone()).unwrap_or_default();
            self.evidence.push(Evidence {
                object,
                reason: error.refusal().map(|refusal| refusal.reason.clone()).unwrap_or_default(),
                summary: error.message().to_owned(),
                hints: error.hints().to_vec(),
                ..Evidence::default()
            });
        }
        Ok(())
    }

    /// Notes that an object could not be removed.
    pub fn not_pruned(&mut self, removed: &RemovedObject) {
        let why = removed.reason.as_deref().unwrap_or("the cluster refused it");
        self.evidence.push(Evidence {
            object: removed.object.clone(),
            summary: format!("it is no longer wanted, and could not be removed: {why}"),
            ..Evidence::default()
        });
    }

    pub fn report(self, ctx: &Ctx, cluster: &Cluster, outcome: DeployOutcome, plan: Plan) -> DeployReport {
        DeployReport {
            outcome,
            revision: self.revision,
            restored: self.restored,
            plan,
            health: self.health,
            evidence: self.evidence,
            notes: self.notes,
            requests: cluster.requests(),
            seconds: ctx.clock.now().duration_since(self.began).as_secs_f64(),
        }
    }
}
