//! Removes an application from the cluster.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::{
        Counts, DeleteReport, DeleteRequest, ObjectRef, Outcome, Plan, RemovalOutcome, RemovedObject, Revision,
        RevisionSummary,
    },
    ops::{
        history::{History, Packed},
        identity,
        inventory::{self, Removal, Wishes},
        lock::{Lock, LockRequest},
        revisions::{located, nothing},
    },
    rules::{
        applyset::{Inventory, PART_OF, Scope},
        history as rules,
        prune::{Claims, Verdict, belongs_to_kept_claims},
    },
};

const TIMEOUT: Duration = Duration::from_secs(300);
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that is known before anything is deleted.
struct Survey {
    inventory: Option<Inventory>,
    removals: Vec<Removal>,
    history: Vec<RevisionSummary>,
}

struct Deletion<'a> {
    ctx: &'a Ctx,
    cluster: Arc<Cluster>,
    request: &'a DeleteRequest,
    application: String,
    namespace: String,
    began: Timestamp,
}

/// What [`run`] would do.
///
/// # Errors
/// Usage, when there is nothing of the application.
pub async fn plan(ctx: &Ctx, request: &DeleteRequest) -> Result<DeleteReport> {
    let deletion = Deletion::of(ctx, request).await?;
    let survey = ctx.unless_cancelled("looking for what belongs to the application", deletion.survey()).await?;
    let foreseen = survey.removals.iter().map(|removal| {
        let (outcome, reason) = match &removal.verdict {
            Verdict::Delete { .. } => (RemovalOutcome::Deleted, None),
            Verdict::Detach { reason } => (RemovalOutcome::Detached, Some(reason.clone())),
            Verdict::Keep { reason, .. } => (RemovalOutcome::Kept, Some(reason.clone())),
        };
        RemovedObject { object: removal.reference(), outcome, reason }
    });
    let objects = foreseen.collect();
    Ok(DeleteReport { dry_run: true, ..deletion.report(&survey, objects) })
}

/// Deletes the members of an application in the reverse order of a deploy, then its records. Run again, it goes on
/// where it stopped.
///
/// # Errors
/// Usage, when there is nothing of the application; failed, when another operation holds the lock. An object that
/// does not go is an outcome in the report.
pub async fn run(ctx: &Ctx, request: &DeleteRequest) -> Result<DeleteReport> {
    let deletion = Deletion::of(ctx, request).await?;
    let (survey, mut objects) = deletion.locked().await?;
    // The lock and the parent lie in the application's namespace: it goes when they are no longer needed.
    let own = survey.removals.iter().filter(|removal| deletion.is_own_namespace(&removal.reference()));
    if objects.iter().all(|removed| removed.outcome.is_settled()) {
        let own: Vec<Removal> = own.cloned().collect();
        objects.extend(inventory::remove(ctx, &deletion.cluster, &own, deletion.timeout()).await?);
    } else {
        let reason = Some("what is in it must go first".to_owned());
        let waiting = |own: &Removal| {
            let (object, reason) = (own.reference(), reason.clone());
            RemovedObject { object, outcome: RemovalOutcome::Waiting, reason }
        };
        objects.extend(own.map(waiting));
    }
    Ok(deletion.report(&survey, objects))
}

impl<'a> Deletion<'a> {
    async fn of(ctx: &'a Ctx, request: &'a DeleteRequest) -> Result<Self> {
        let cluster = ctx.cluster().await?;
        let (application, namespace) = located(ctx, &cluster, &request.target).await?;
        Ok(Self { ctx, cluster, request, application, namespace, began: ctx.clock.now() })
    }

    fn timeout(&self) -> Duration {
        self.request.timeout.unwrap_or(TIMEOUT)
    }

    fn history(&self) -> History<'_> {
        History::of(&self.cluster, &self.application, &self.namespace)
    }

    fn is_own_namespace(&self, object: &ObjectRef) -> bool {
        object.kind == "Namespace" && object.group().is_empty() && object.name == self.namespace
    }

    async fn locked(&self) -> Result<(Survey, Vec<RemovedObject>)> {
        let request = LockRequest {
            application: self.application.clone(),
            namespace: self.namespace.clone(),
            purpose: rules::DELETE.into(),
            timeout: self.request.lock_timeout.unwrap_or(LOCK_TIMEOUT),
        };
        let mut lock = match Lock::acquire(self.ctx, &request).await {
            // Without the namespace there is nothing of the application either.
            Err(error) if error.code() == 404 => {
                return Err(nothing(&self.cluster, &self.application, &self.namespace).await);
            }
            lock => lock?,
        };
        let done = lock.guard(self.members()).await;
        lock.release(self.ctx).await;
        done
    }

    async fn survey(&self) -> Result<Survey> {
        let inventory = inventory::find(&self.cluster, &self.application, &self.namespace).await?;
        let history = self.history().list().await?;
        if inventory.is_none() && history.is_empty() {
            return Err(nothing(&self.cluster, &self.application, &self.namespace).await);
        }
        let mut members = match &inventory {
            Some(inventory) => inventory::members(&self.cluster, inventory).await?,
            None => Vec::new(),
        };
        members.extend(inventory::made_claims(&self.cluster, &members).await?);
        self.check_claims(&members)?;
        let named: BTreeSet<String> = self.request.claims.iter().cloned().collect();
        let wishes = Wishes {
            claims: if self.request.all_claims { Claims::All } else { Claims::Named(named) },
            claims_hint: "--claims NAME or --all-claims deletes it".into(),
            staying: Vec::new(),
            with_going: true,
            without_records: Some(self.application.clone()),
        };
        let mut removals = inventory::survey(&self.cluster, members, &wishes).await?;
        if removals.iter().any(|removal| matches!(removal.verdict, Verdict::Keep { is_claim: true, .. })) {
            for removal in removals.iter_mut().filter(|removal| belongs_to_kept_claims(&removal.object)) {
                let reason = "it was generated, and what the claims hold may open with nothing else".into();
                removal.verdict = Verdict::Keep { reason, is_claim: true };
            }
        }
        let own = removals.iter_mut().find(|removal| self.is_own_namespace(&removal.reference()));
        if let Some(Removal { verdict: verdict @ Verdict::Delete { .. }, .. }) = own.filter(|_| !self.request.purge) {
            let reason = "it holds the history; --purge deletes both".into();
            *verdict = Verdict::Keep { reason, is_claim: false };
        }
        Ok(Survey { inventory, removals, history })
    }

    fn check_claims(&self, members: &[Value]) -> Result<()> {
        let names: BTreeSet<String> = members
            .iter()
            .map(ObjectRef::of)
            .filter(|member| member.kind == "PersistentVolumeClaim")
            .map(|claim| claim.name)
            .collect();
        let Some(unknown) = self.request.claims.iter().find(|claim| !names.contains(*claim)) else { return Ok(()) };
        let error = Error::usage(format!("--claims {unknown}: {} has no such claim", self.application));
        Err(match names.is_empty() {
            true => error,
            false => error.hint(format!("it has {}", names.into_iter().collect::<Vec<_>>().join(", "))),
        })
    }

    /// Removes everything but the application's own namespace, and then the records.
    async fn members(&self) -> Result<(Survey, Vec<RemovedObject>)> {
        let survey = self.survey().await?;
        let others: Vec<Removal> =
            survey.removals.iter().filter(|removal| !self.is_own_namespace(&removal.reference())).cloned().collect();
        self.ctx.phase("delete", format!("deleting {} objects of {}", others.len(), self.application));
        let objects = inventory::remove(self.ctx, &self.cluster, &others, self.timeout()).await?;
        let own = survey.removals.iter().find(|removal| self.is_own_namespace(&removal.reference()));
        let goes_with_namespace = own.is_some_and(|own| matches!(own.verdict, Verdict::Delete { .. }));
        if objects.iter().all(|removed| removed.outcome.is_settled()) && !goes_with_namespace {
            self.records(&survey).await?;
        }
        Ok((survey, objects))
    }

    /// Brings the records up to date: the parent goes unless it still has members, and the history tells of the
    /// delete unless it goes too.
    async fn records(&self, survey: &Survey) -> Result<()> {
        let is_member = |removal: &&Removal| removal.object["metadata"]["labels"].get(PART_OF).is_some();
        let stays = |removal: &&Removal| matches!(removal.verdict, Verdict::Keep { .. });
        let kept: Vec<ObjectRef> =
            survey.removals.iter().filter(is_member).filter(stays).map(Removal::reference).collect();
        match &survey.inventory {
            Some(inventory) if kept.is_empty() => {
                inventory::dissolve(&self.cluster, &self.application, &self.namespace, inventory).await?;
            }
            Some(inventory) => {
                inventory::shrink(&self.cluster, &self.application, inventory, &Scope::of(&kept)).await?;
            }
            None => {}
        }
        if self.request.purge { self.history().forget().await } else { self.record(survey).await }
    }

    async fn record(&self, survey: &Survey) -> Result<()> {
        let deleted_before = survey.history.last().is_some_and(|newest| newest.cause == rules::DELETE);
        let plan = Plan {
            application: self.application.clone(),
            namespace: self.namespace.clone(),
            changes: survey.removals.iter().map(Removal::change).collect(),
            warnings: Vec::new(),
        };
        if deleted_before && !plan.changes_something() {
            return Ok(());
        }
        let summary = RevisionSummary {
            started: self.began.to_string(),
            by: identity::by(self.ctx).await,
            cause: rules::DELETE.into(),
            counts: Counts::of(&plan),
            ..RevisionSummary::default()
        };
        let (application, namespace) = (self.application.clone(), self.namespace.clone());
        let revision = Revision { application, namespace, summary, plan, ..Revision::default() };
        let history = self.history();
        let mut revision = history.begin(&survey.history, revision, &Packed::of([])?).await?;
        revision.summary.outcome = Outcome::Deployed;
        revision.summary.ended = Some(self.ctx.clock.now().to_string());
        history.store(&revision).await
    }

    fn report(&self, survey: &Survey, steps: Vec<RemovedObject>) -> DeleteReport {
        // What was looked at twice is told by its end.
        let mut objects: Vec<RemovedObject> = Vec::with_capacity(steps.len());
        for step in steps {
            objects.retain(|object| object.object != step.object);
            objects.push(step);
        }
        let goes = objects
            .iter()
            .any(|removed| self.is_own_namespace(&removed.object) && removed.outcome == RemovalOutcome::Deleted);
        let mut records = Vec::new();
        if !self.request.purge && !goes {
            records.extend(survey.history.iter().map(|revision| ObjectRef {
                api_version: "v1".into(),
                kind: "Secret".into(),
                namespace: Some(self.namespace.clone()),
                name: format!("evolve.{}.v{}", self.application, revision.number),
            }));
        }
        DeleteReport {
            application: self.application.clone(),
            namespace: self.namespace.clone(),
            dry_run: false,
            objects,
            records,
            requests: self.cluster.requests(),
            seconds: self.ctx.clock.now().duration_since(self.began).as_secs_f64(),
        }
    }
}
