//! Puts an earlier revision back, by the same way as a deploy.

use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::{DeployReport, OnFailure, Outcome, Plan, RollbackRequest},
    ops::{
        application::Application,
        deploy::{Job, Options, roll_out},
        history::History,
        revisions::{located, nothing},
    },
    rules::{history as rules, images},
};

/// Rolls a revision out again, by default the newest that was deployed before the current one: what was changed since
/// is changed back, what was pruned is created, what was created is pruned.
///
/// # Errors
/// As those of a deploy; usage, when there is no such revision or nothing to go back to.
pub async fn run(ctx: &Ctx, request: &RollbackRequest) -> Result<DeployReport> {
    let cluster = ctx.cluster().await?;
    let job = ctx.unless_cancelled("reading the history", job(ctx, &cluster, request)).await?;
    roll_out(ctx, &cluster, &job).await
}

/// What [`run`] would change.
pub async fn plan(ctx: &Ctx, request: &RollbackRequest) -> Result<Plan> {
    let cluster = ctx.cluster().await?;
    let planning = async {
        let mut job = job(ctx, &cluster, request).await?;
        job.options.policy.try_creations = true;
        Ok(job.survey(&cluster).await?.plan)
    };
    ctx.unless_cancelled("planning", planning).await
}

async fn job(ctx: &Ctx, cluster: &Cluster, back: &RollbackRequest) -> Result<Job> {
    let request = &back.deploy;
    let (application, namespace) = located(ctx, cluster, &request.target).await?;
    let history = History::of(cluster, &application, &namespace).list().await?;
    if history.is_empty() {
        return Err(nothing(cluster, &application, &namespace).await);
    }
    let number = back.revision.or_else(|| rules::rollback_target(&history)).ok_or_else(|| {
        Error::usage(format!("{application} has no earlier revision that was deployed"))
            .hint("`kubectl evolve history` lists the revisions; `rollback N` goes to one by its number")
    })?;
    let chosen = history.iter().find(|revision| revision.number == number);
    if chosen.is_some_and(|revision| revision.cause == rules::DELETE) {
        return Err(Error::usage(format!("revision {number} is the deletion of {application}"))
            .hint("`kubectl evolve delete` deletes it again"));
    }
    if let Some(revision) = chosen.filter(|revision| revision.outcome != Outcome::Deployed) {
        ctx.warn(format!("revision {number} never became healthy: it is {}", revision.outcome.word()));
    }
    let config = Application::find(ctx, &request.target, None)?.config;
    let mut options = Options::of(request, config.as_ref());
    // A way back that fails is kept, unless told otherwise: going forth again would end where it began.
    options.on_failure = request.on_failure.or(Some(OnFailure::Keep));
    options.prune = request.prune.unwrap_or(true);
    options.prune_asked = options.prune;
    let mut job = Job::back_to(cluster, &application, &namespace, number, options).await?;
    if back.pin {
        for image in images::pin(&mut job.manifests, &job.ran_then) {
            ctx.warn(format!("{image} is not pinned: revision {number} has no digest of it that a registry knows"));
        }
    } else if let Some(newest) = history.last().filter(|newest| newest.number != number) {
        let now = History::of(cluster, &application, &namespace).revision(newest.number).await?.images;
        for moved in images::moved(&job.ran_then, &now) {
            ctx.warn(format!("{moved}; --pin goes back to what it was, where a registry has it"));
        }
    }
    Ok(job)
}
