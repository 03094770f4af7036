//! A roll-out from end to end: plan, apply in waves, wait, prune, record.

use jiff::Timestamp;

use super::{
    apply::apply_wave,
    attempt::Attempt,
    job::{Job, Survey, counted},
    planning::prepare,
    recovery,
    waiting::wait_for,
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{
        DeployOutcome, DeployReport, DeployRequest, Manifest, Origin, Outcome, RemovalOutcome, Revision,
        RevisionSummary,
    },
    ops::{
        git,
        history::{self, History, Packed},
        identity, inventory,
        lock::{Lock, LockRequest},
    },
    rules::history as rules,
};

/// Deploys what the request names.
///
/// # Errors
/// Usage for wrong manifests and configuration; unreachable for a cluster that does not answer; failed when another
/// deploy holds the lock or the cluster has moved since the plan was made. A roll-out that fails is a report.
pub async fn run(ctx: &Ctx, request: DeployRequest) -> Result<DeployReport> {
    let cluster = ctx.cluster().await?;
    let job = ctx.unless_cancelled("reading the manifests", prepare(ctx, &cluster, &request)).await?;
    roll_out(ctx, &cluster, &job).await
}

/// Rolls a job out under the application's lock.
pub(crate) async fn roll_out(ctx: &Ctx, cluster: &Cluster, job: &Job) -> Result<DeployReport> {
    let began = ctx.clock.now();
    // The lock lives in the application's namespace, which a first deploy may have to create.
    let mut lock = match acquire(ctx, job).await {
        Err(error) if error.code() == 404 => {
            let survey = ctx.unless_cancelled("planning", job.survey(cluster)).await?;
            if survey.plan.is_blocked() {
                return Ok(Attempt::new(began).report(ctx, cluster, DeployOutcome::Refused, survey.plan));
            }
            job.create_namespace(cluster, &survey).await?;
            acquire(ctx, job).await?
        }
        lock => lock?,
    };
    let ended = lock.guard(Box::pin(locked(ctx, cluster, job, began))).await;
    lock.release(ctx).await;
    // Giving the lock back is a request of the deploy like every other.
    ended.map(|report| DeployReport { requests: cluster.requests(), ..report })
}

async fn acquire(ctx: &Ctx, job: &Job) -> Result<Lock> {
    let request = LockRequest {
        application: job.application.clone(),
        namespace: job.namespace.clone(),
        purpose: job.cause.clone(),
        timeout: job.options.lock_timeout,
    };
    Lock::acquire(ctx, &request).await
}

/// The roll-out itself, while the lock is held.
pub(super) async fn locked(ctx: &Ctx, cluster: &Cluster, job: &Job, began: Timestamp) -> Result<DeployReport> {
    let mut attempt = Attempt::new(began);
    ctx.phase("plan", format!("comparing {} with the cluster", counted(job.manifests.len())));
    let survey = ctx.unless_cancelled("planning", job.survey(cluster)).await?;
    for warning in &survey.plan.warnings {
        ctx.warn(warning.clone());
    }
    if survey.plan.is_blocked() {
        return Ok(attempt.report(ctx, cluster, DeployOutcome::Refused, survey.plan));
    }
    if let Some(reviewed) = &job.reviewed {
        reviewed.check_unmoved(&survey.plan.changes)?;
    }
    // After a deploy that did not end well, "nothing to change" does not mean that all is well.
    let settled = survey.history.last().is_some_and(|newest| newest.outcome == Outcome::Deployed);
    if settled && !survey.plan.changes_something() {
        let all = 0..survey.set.items.len();
        let healthy = !job.options.wait || wait_for(ctx, cluster, job, &survey, all, &mut attempt).await?;
        let outcome = if healthy { DeployOutcome::Unchanged } else { DeployOutcome::Failed };
        return Ok(attempt.report(ctx, cluster, outcome, survey.plan));
    }
    let history = History::of(cluster, &job.application, &job.namespace);
    let revision = begin(ctx, &history, job, &survey, began).await?;
    attempt.revision = Some(revision.summary.number);
    let ended = carry_out(ctx, cluster, job, &survey, &mut attempt).await;
    recovery::conclude(ctx, cluster, job, survey, attempt, revision, ended).await
}

/// Records the revision as begun, with the manifests of the whole application.
async fn begin(ctx: &Ctx, history: &History<'_>, job: &Job, survey: &Survey, began: Timestamp) -> Result<Revision> {
    let mut manifests: Vec<&Manifest> = survey.set.items.iter().map(|item| &item.manifest).collect();
    let before = match rules::newest_whole(&survey.history).filter(|_| job.partial) {
        Some(last) => history.manifests(last).await?,
        None => Vec::new(),
    };
    let again = |old: &&Manifest| manifests.iter().any(|new| new.reference.identity() == old.reference.identity());
    let rest: Vec<&Manifest> = before.iter().filter(|old| !again(old)).collect();
    manifests.extend(rest);
    let origin = async {
        // What is put back came from where it came from then.
        match job.restores {
            None => git::described(ctx, sources_so_far(job, survey)).await,
            Some(_) => job.origin.clone(),
        }
    };
    // git takes its time, so it is asked first.
    let (origin, packed) = tokio::join!(origin, async { Packed::of(manifests.iter().copied()) });
    let summary = RevisionSummary {
        started: began.to_string(),
        by: identity::by(ctx).await,
        cause: job.cause.clone(),
        origin,
        restores: job.restores,
        counts: crate::model::Counts::of(&survey.plan),
        ..RevisionSummary::default()
    };
    let revision = Revision {
        application: job.application.clone(),
        namespace: job.namespace.clone(),
        summary,
        images: history::images(manifests),
        plan: survey.plan.clone(),
        evidence: Vec::new(),
    };
    history.begin(&survey.history, revision, &packed?).await
}

/// The origin of the application as it is after this job: what other files brought and was left is still there.
fn sources_so_far(job: &Job, survey: &Survey) -> Origin {
    let mut origin = job.origin.clone();
    if let Some(last) =
        survey.history.last().filter(|_| job.inputs_changed(&survey.history) && !job.options.prune_asked)
    {
        let before = last.origin.sources.iter().filter(|source| !job.origin.sources.contains(source));
        origin.sources.extend(before.cloned().collect::<Vec<_>>());
    }
    origin
}

/// How the steps of a roll-out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Healthy,
    NotWaitedFor,
    /// The evidence is in the attempt.
    Failed,
    /// Everything is as wanted but what should have gone; going back would not help. The evidence is in the attempt.
    NotPruned,
}

/// Applies, waits and prunes. What fails is evidence; an error is that the roll-out could not go on at all.
async fn carry_out(ctx: &Ctx, cluster: &Cluster, job: &Job, survey: &Survey, attempt: &mut Attempt) -> Result<Ended> {
    let (application, namespace) = (&job.application, &job.namespace);
    let known = survey.inventory.as_ref();
    let inventory = inventory::cover(cluster, application, namespace, known, &survey.wanted_scope()).await?;
    let due = survey.steps.iter().filter(|step| step.is_due()).count();
    ctx.phase("apply", format!("applying {due} of {}", counted(survey.steps.len())));
    ctx.emit(Event::Steps { total: due });
    // What was applied since the last wait; a wave that is waited for is waited for with all before it.
    let mut since = Vec::new();
    for wave in &survey.set.waves {
        let is_due = wave.members.iter().filter_map(|index| survey.steps.get(*index)).any(|step| step.is_due());
        if is_due && job.options.wait && !wait_for(ctx, cluster, job, survey, wave.after.clone(), attempt).await? {
            return Ok(Ended::Failed);
        }
        let outcome = apply_wave(ctx, cluster, &survey.set, &survey.steps, wave).await;
        if !outcome.failed.is_empty() {
            attempt.refused(survey, outcome.failed)?;
            return Ok(Ended::Failed);
        }
        attempt.answers.extend(outcome.answers);
        since.extend(&wave.members);
        if wave.wait
            && job.options.wait
            && !wait_for(ctx, cluster, job, survey, std::mem::take(&mut since), attempt).await?
        {
            return Ok(Ended::Failed);
        }
    }
    if job.options.wait {
        ctx.phase("wait", "waiting until everything is healthy");
        if !wait_for(ctx, cluster, job, survey, 0..survey.set.items.len(), attempt).await? {
            return Ok(Ended::Failed);
        }
    }
    let mut is_settled = true;
    if !survey.removals.is_empty() {
        ctx.phase("prune", format!("removing what is no longer in the manifests ({})", counted(survey.removals.len())));
        for removed in inventory::remove(ctx, cluster, &survey.removals, job.options.timeout).await? {
            is_settled &= removed.outcome.is_settled();
            if removed.outcome == RemovalOutcome::Failed {
                attempt.not_pruned(&removed);
                continue;
            }
            match (removed.outcome, removed.reason) {
                (RemovalOutcome::Deleted, _) | (_, None) => {}
                (_, Some(reason)) => attempt.notes.push(format!("{} is left: {reason}", removed.object)),
            }
        }
    }
    // What lingers is still a member, so the parent must still cover it.
    if is_settled && !job.partial && !survey.leaves_members {
        inventory::shrink(cluster, application, &inventory, &survey.scope_after()).await?;
    }
    Ok(match job.options.wait {
        _ if !attempt.evidence.is_empty() => Ended::NotPruned,
        true => Ended::Healthy,
        false => Ended::NotWaitedFor,
    })
}

/// The error for a roll-out that the user ended: what was done, and how to go on.
pub(super) fn interrupted(survey: &Survey, revision: u64) -> Error {
    Error::interrupted(format!(
        "interrupted: revision {revision} of {} is not complete ({} to change)",
        survey.plan.application,
        counted(survey.steps.iter().filter(|step| step.is_due()).count())
    ))
    .hint("run the same command again to go on, or `kubectl evolve rollback` to go back")
}
