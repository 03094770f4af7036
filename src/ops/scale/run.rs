//! From the request to the report.

use std::collections::BTreeSet;

use super::{
    act::{carry_out, try_out},
    plan::Plan,
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::{DeployRequest, ScaleReport, ScaleRequest, Scaling},
    ops::{
        change::Settings,
        inventory,
        lock::under_locks,
        scope::{Found, SCALED, resolve},
        wait::{Target, WaitRequest, wait},
    },
    rules::redact::Redactor,
};

/// Scales workloads, and waits as a deploy does. The applications that they belong to are locked meanwhile.
///
/// # Errors
/// Usage, when nothing matches, a number is out of bounds, or an autoscaler decides it; failed, when the cluster
/// refuses or another operation holds the lock. What stands in the way, and what does not become healthy, is a report.
pub async fn run(ctx: &Ctx, request: &ScaleRequest) -> Result<ScaleReport> {
    let cluster = ctx.cluster().await?;
    let wishes = DeployRequest {
        timeout: request.timeout,
        grace: request.grace,
        restart_budget: request.restart_budget,
        lock_timeout: request.lock_timeout,
        ..DeployRequest::default()
    };
    let settings = Settings::of(ctx, &request.scope.target, &wishes)?;
    let choosing = async {
        let chosen = choose(ctx, &cluster, request).await?;
        let locks = match request.dry_run {
            true => Vec::new(),
            false => {
                let members = chosen.iter().map(|found| &found.object);
                inventory::locks(ctx, &cluster, members, "scale", settings.lock_timeout).await?
            }
        };
        Ok((chosen, locks))
    };
    let (chosen, locks) = ctx.unless_cancelled("looking for the workloads", choosing).await?;
    under_locks(ctx, &locks, Box::pin(scale(ctx, &cluster, request, &settings, chosen))).await
}

/// A whole namespace is not scaled by mistake: without an application, something is named.
async fn choose(ctx: &Ctx, cluster: &Cluster, request: &ScaleRequest) -> Result<Vec<Found>> {
    let scope = resolve(ctx, cluster, &request.scope, SCALED).await?;
    let told = scope.application.is_some() || scope.selector.is_some() || !request.scope.words.is_empty();
    if !told {
        return Err(Error::usage("there is no application here, and nothing is named")
            .hint("name what to scale, as in `kubectl evolve scale deployment/api 3`, or the application with --app"));
    }
    if scope.found.is_empty() {
        return Err(Error::usage(format!("there is no Deployment or StatefulSet in {}", scope.namespaces.join(", ")))
            .hint("`kubectl evolve status` shows what there is"));
    }
    Ok(scope.found)
}

async fn scale(
    ctx: &Ctx,
    cluster: &Cluster,
    request: &ScaleRequest,
    settings: &Settings,
    chosen: Vec<Found>,
) -> Result<ScaleReport> {
    let since = ctx.clock.now();
    let looking = plan(ctx, cluster, request, settings, chosen);
    let plan = ctx.unless_cancelled("looking at what would change", looking).await?;
    let changes = plan.steps.iter().map(|step| step.change.clone()).collect();
    let mut report = ScaleReport {
        dry_run: request.dry_run,
        changes,
        obstacles: plan.obstacles,
        notes: plan.notes,
        ..ScaleReport::default()
    };
    if request.dry_run {
        for step in &plan.steps {
            ctx.unless_cancelled("asking the server", try_out(cluster, step)).await?;
        }
        return Ok(report);
    }
    if !report.obstacles.is_empty() && !request.force {
        return Ok(report);
    }
    ctx.phase("scale", "scaling");
    let mut targets = Vec::new();
    for step in plan.steps {
        ctx.unless_cancelled("scaling", carry_out(ctx, cluster, request, &step)).await?;
        let changed = step.change.from != step.change.to;
        targets.extend(now(cluster, step.workload, changed).await?);
    }
    if !request.wait {
        return Ok(report);
    }
    ctx.phase("wait", "waiting until everything is healthy");
    let waiting = WaitRequest {
        targets,
        timeout: settings.timeout,
        patience: settings.patience,
        since,
        selector: request.scope.selector.clone(),
        redactor: Redactor::default(),
        known_secrets: BTreeSet::new(),
    };
    let waited = wait(ctx, cluster, waiting).await?;
    report.health = waited.objects;
    report.evidence = waited.failure;
    report.notes.extend(waited.notes);
    Ok(report)
}

/// The workload as it is after its change.
async fn now(cluster: &Cluster, workload: Found, changed: bool) -> Result<Option<Target>> {
    let reference = workload.reference();
    let object = cluster.get(&workload.resource, reference.namespace.as_deref(), &reference.name).await?;
    Ok(object.map(|object| Target { resource: workload.resource, object, changed }))
}

async fn plan(
    ctx: &Ctx,
    cluster: &Cluster,
    request: &ScaleRequest,
    settings: &Settings,
    chosen: Vec<Found>,
) -> Result<Plan> {
    let mut plan = Plan::default();
    for workload in chosen {
        match request.scaling {
            Scaling::ToZero => plan.sleep(ctx, cluster, workload).await?,
            Scaling::Wake => plan.wake(ctx, cluster, workload).await?,
            _ => plan.add(ctx, cluster, request, settings.replicas, workload).await?,
        }
    }
    if plan.steps.is_empty() && request.scaling == Scaling::Undo {
        return Err(Error::usage("no scaling is recorded").hint("`kubectl evolve history` shows the revisions"));
    }
    Ok(plan)
}
