//! `diff` and `plan`: what a deploy would change, shown or saved.

use std::path::Path;

use super::{
    job::{Job, Survey, counted},
    load::{Loaded, load, namespace_of},
    saved::{PlanKey, SavedPlan},
    secrets,
    set::clean,
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::{DeployRequest, Origin, Plan},
    ops::check,
};

/// What a deploy would change.
///
/// # Errors
/// As those of a deploy; a plan that would be refused is no error.
pub async fn plan(ctx: &Ctx, request: DeployRequest) -> Result<Plan> {
    Ok(planned(ctx, &request).await?.1.plan)
}

/// The same, saved to a file that `deploy --plan` runs.
pub async fn save_plan(ctx: &Ctx, request: DeployRequest, file: &Path) -> Result<Plan> {
    let key = PlanKey::of(ctx)?;
    let (job, survey) = planned(ctx, &request).await?;
    let cluster = ctx.cluster().await?;
    let saved = SavedPlan::new(cluster.server(), request, &job, survey.plan.clone(), &key);
    saved.write(&ctx.environment.folder.join(file))?;
    Ok(survey.plan)
}

async fn planned(ctx: &Ctx, request: &DeployRequest) -> Result<(Job, Survey)> {
    ctx.unless_cancelled("planning", async {
        let cluster = ctx.cluster().await?;
        let mut job = prepare(ctx, &cluster, request).await?;
        job.options.policy.try_creations = true;
        ctx.phase("plan", format!("comparing {} with the cluster", counted(job.manifests.len())));
        let survey = job.survey(&cluster).await?;
        Ok((job, survey))
    })
    .await
}

/// The job of a request; for a saved plan, exactly what was reviewed.
pub(super) async fn prepare(ctx: &Ctx, cluster: &Cluster, request: &DeployRequest) -> Result<Job> {
    let Some(file) = &request.plan else { return prepare_inputs(ctx, cluster, request).await };
    let saved = SavedPlan::read(&ctx.environment.folder.join(file))?;
    if saved.server != cluster.server() {
        return Err(Error::usage(format!("{file} was made for {}, and this is {}", saved.server, cluster.server()))
            .hint("use the context that the plan was made with, or make a new plan"));
    }
    let key = PlanKey::of(ctx)?;
    // Only the values of secrets are read again; everything else is what was reviewed.
    let as_reviewed = DeployRequest {
        wait: request.wait.or(saved.request.wait),
        timeout: request.timeout.or(saved.request.timeout),
        grace: request.grace.or(saved.request.grace),
        restart_budget: request.restart_budget.or(saved.request.restart_budget),
        on_failure: request.on_failure.or(saved.request.on_failure),
        lock_timeout: request.lock_timeout.or(saved.request.lock_timeout),
        ..saved.request.clone()
    };
    let mut job = prepare_inputs(ctx, cluster, &as_reviewed).await?;
    job.manifests = saved.manifests(&job.manifests, &key)?;
    job.origin = saved.origin.clone();
    job.options.policy.try_creations = true;
    job.reviewed = Some(saved);
    Ok(job)
}

/// Reads what the request names.
async fn prepare_inputs(ctx: &Ctx, cluster: &Cluster, request: &DeployRequest) -> Result<Job> {
    let loaded = load(ctx, request).await?;
    let report = check::check(Some(cluster), &loaded).await?;
    check::refuse(&report)?;
    check::warn(ctx, &report);
    let namespace = namespace_of(&loaded, Some(cluster)).unwrap_or_else(|| cluster.namespace().to_owned());
    let Loaded { application, sources, inputs, partial, options, .. } = loaded;
    let mut manifests = sources.manifests;
    let mut fresh = Vec::new();
    if let Some(config) = &application.config
        && !partial
    {
        let made = secrets::manifests(ctx, cluster, config, &namespace).await?;
        manifests.extend(made.manifests);
        fresh = made.fresh;
    }
    manifests.iter_mut().for_each(|manifest| clean(&mut manifest.object));
    let inputs_by_hand = !(request.files.is_empty() && request.kustomize.is_empty());
    let profile = application.config.as_ref().and_then(|config| config.profile.clone());
    Ok(Job {
        application: application.name,
        namespace,
        manifests,
        fresh,
        only_namespace: request.target.namespace.clone(),
        origin: Origin { sources: inputs, profile, ..Origin::default() },
        cause: "deploy".into(),
        restores: None,
        ran_then: Vec::new(),
        partial,
        inputs_by_hand,
        options,
        reviewed: None,
    })
}
