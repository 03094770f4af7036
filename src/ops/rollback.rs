//! Puts an earlier revision back, by the same way as a deploy.

use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::{DeployReport, DeployRequest, OnFailure, Outcome, Plan},
    ops::{
        application::Application,
        deploy::{Job, Options, roll_out},
        history::History,
        revisions::{located, nothing},
    },
    rules::history as rules,
};

/// Rolls a revision out again, by default the newest that was deployed before the current one: what was changed since
/// is changed back, what was pruned is created, what was created is pruned. Of the request, everything counts but
/// where the manifests are.
///
/// # Errors
/// As those of a deploy; usage, when there is no such revision or nothing to go back to.
pub async fn run(ctx: &Ctx, request: &DeployRequest, number: Option<u64>) -> Result<DeployReport> {
    let cluster = ctx.cluster().await?;
    let job = ctx.unless_cancelled("reading the history", job(ctx, &cluster, request, number)).await?;
    roll_out(ctx, &cluster, &job).await
}

/// What [`run`] would change.
pub async fn plan(ctx: &Ctx, request: &DeployRequest, number: Option<u64>) -> Result<Plan> {
    let cluster = ctx.cluster().await?;
    let planning = async {
        let mut job = job(ctx, &cluster, request, number).await?;
        job.options.policy.try_creations = true;
        Ok(job.survey(&cluster).await?.plan)
    };
    ctx.unless_cancelled("planning", planning).await
}

async fn job(ctx: &Ctx, cluster: &Cluster, request: &DeployRequest, number: Option<u64>) -> Result<Job> {
    let (application, namespace) = located(ctx, cluster, &request.target).await?;
    let history = History::of(cluster, &application, &namespace).list().await?;
    if history.is_empty() {
        return Err(nothing(cluster, &application, &namespace).await);
    }
    let number = number.or_else(|| rules::rollback_target(&history)).ok_or_else(|| {
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
    Job::back_to(cluster, &application, &namespace, number, options).await
}
