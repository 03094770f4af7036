//! The end of a roll-out: the record, and after a failure the way back.

use super::{
    attempt::Attempt,
    job::{Job, Survey},
    load::Options,
    run::{Ended, interrupted, locked},
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, ErrorKind, Result},
    model::{DeployOutcome, DeployReport, OnFailure, Outcome, Revision},
    ops::history::History,
    rules::{history as rules, images},
};

/// Records how the roll-out ended and, where that is wanted, puts the last good revision back.
pub(super) async fn conclude(
    ctx: &Ctx,
    cluster: &Cluster,
    job: &Job,
    survey: Survey,
    mut attempt: Attempt,
    mut revision: Revision,
    ended: Result<Ended>,
) -> Result<DeployReport> {
    let history = History::of(cluster, &job.application, &job.namespace);
    let outcome = match &ended {
        Ok(Ended::Healthy | Ended::NotWaitedFor) => Outcome::Deployed,
        Ok(Ended::Failed | Ended::NotPruned) => Outcome::Failed,
        Err(_) => Outcome::Interrupted,
    };
    revision.summary.outcome = outcome;
    revision.summary.ended = Some(ctx.clock.now().to_string());
    revision.evidence.clone_from(&attempt.evidence);
    for image in &mut revision.images {
        let ran = attempt.images.iter().find(|ran| ran.image == image.image);
        image.digest = ran.and_then(|ran| ran.digest.clone());
        image.only_on_node = ran.is_some_and(|ran| ran.only_on_node);
    }
    let ran: Vec<_> = attempt.images.iter().cloned().collect();
    attempt.notes.extend(images::moved(&job.ran_then, &ran));
    let recorded = history.store(&revision).await;
    let ended = match ended {
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            return Err(interrupted(&survey, revision.summary.number).because(error));
        }
        ended => ended?,
    };
    recorded?;
    let limit = job.options.history_limit as usize;
    if survey.history.len() >= limit {
        history.trim(limit).await?;
    }
    match ended {
        Ended::Healthy => Ok(attempt.report(ctx, cluster, DeployOutcome::Deployed, survey.plan)),
        Ended::NotWaitedFor => Ok(attempt.report(ctx, cluster, DeployOutcome::Applied, survey.plan)),
        Ended::NotPruned => Ok(attempt.report(ctx, cluster, DeployOutcome::Failed, survey.plan)),
        Ended::Failed => {
            let outcome = after_failure(ctx, cluster, job, &survey, &mut attempt, &mut revision).await?;
            Ok(attempt.report(ctx, cluster, outcome, survey.plan))
        }
    }
}

/// Goes back to the last good revision, where that is wanted and there is one.
async fn after_failure(
    ctx: &Ctx,
    cluster: &Cluster,
    job: &Job,
    survey: &Survey,
    attempt: &mut Attempt,
    revision: &mut Revision,
) -> Result<DeployOutcome> {
    let wanted = job.options.on_failure.unwrap_or(OnFailure::Rollback) == OnFailure::Rollback;
    let Some(good) = rules::newest_deployed(&survey.history).filter(|_| wanted) else {
        if job.options.on_failure == Some(OnFailure::Rollback) {
            attempt.notes.push("there is no earlier revision to go back to".into());
        }
        return Ok(DeployOutcome::Failed);
    };
    let back = go_back(ctx, cluster, job, good, revision.summary.number).await;
    let outcome = settle(attempt, back, good)?;
    if outcome == DeployOutcome::RolledBack {
        revision.summary.outcome = Outcome::RolledBack;
        History::of(cluster, &job.application, &job.namespace).store(revision).await?;
    }
    Ok(outcome)
}

/// Rolls the last good revision out again, as a revision of its own.
async fn go_back(ctx: &Ctx, cluster: &Cluster, job: &Job, good: u64, failed: u64) -> Result<DeployReport> {
    ctx.phase("rollback", format!("going back to revision {good}"));
    let options = Options { on_failure: Some(OnFailure::Keep), prune: true, wait: true, ..job.options.clone() };
    let mut back = Job::back_to(cluster, &job.application, &job.namespace, good, options).await?;
    back.cause = format!("rollback to {good} after {failed} failed");
    Box::pin(locked(ctx, cluster, &back, ctx.clock.now())).await
}

/// Takes the way back into the report of the attempt.
fn settle(attempt: &mut Attempt, back: Result<DeployReport, Error>, good: u64) -> Result<DeployOutcome> {
    match back {
        Ok(report) if matches!(report.outcome, DeployOutcome::Deployed | DeployOutcome::Unchanged) => {
            attempt.restored = Some(good);
            attempt.notes.extend(report.notes);
            return Ok(DeployOutcome::RolledBack);
        }
        Ok(report) if report.outcome == DeployOutcome::Refused => {
            attempt.notes.push(format!("revision {good} was not put back; what was applied is kept"));
            let blocked = report.plan.changes.into_iter().filter_map(|change| Some((change.object, change.blocked?)));
            attempt.notes.extend(blocked.map(|(object, reason)| format!("{object}: {reason}")));
        }
        Ok(report) => {
            attempt.notes.push(format!("revision {good} did not become healthy either; what was applied is kept"));
            attempt.evidence.extend(report.evidence);
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
        Err(error) => attempt.notes.push(format!("the rollback to revision {good} did not succeed: {error}")),
    }
    Ok(DeployOutcome::Failed)
}
