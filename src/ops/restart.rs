//! Rolling restarts, by the annotation that `kubectl rollout restart` sets.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{self, Action, DeployRequest, ObjectRef, RestartReport, RestartRequest, ScopeRequest},
    ops::{
        change::Settings,
        inventory,
        lock::under_locks,
        revisions::{located, nothing},
        scope::{self, Found},
        wait::{Target, WaitRequest, wait},
    },
    rules::redact::Redactor,
};

const NAME_IT: &str = "name what to restart: `kubectl evolve restart deployment/NAME`";
const ANNOTATION: &str = "kubectl.kubernetes.io/restartedAt";

/// Restarts workloads pod by pod, as their update strategies say, and waits as a deploy does. The applications that
/// they belong to are locked meanwhile.
///
/// # Errors
/// Usage, when nothing matches or a name means several; failed, when the cluster refuses or another operation holds
/// the lock. A restart that does not become healthy is a report.
pub async fn run(ctx: &Ctx, request: &RestartRequest) -> Result<RestartReport> {
    let cluster = ctx.cluster().await?;
    let wishes = DeployRequest {
        timeout: request.timeout,
        grace: request.grace,
        restart_budget: request.restart_budget,
        lock_timeout: request.lock_timeout,
        ..DeployRequest::default()
    };
    let settings = Settings::of(ctx, &request.target, &wishes)?;
    let choosing = async {
        let chosen = choose(ctx, &cluster, request).await?;
        let locks =
            inventory::locks(ctx, &cluster, chosen.iter().map(|found| &found.object), "restart", settings.lock_timeout)
                .await?;
        Ok((chosen, locks))
    };
    let (chosen, locks) = ctx.unless_cancelled("looking for the workloads", choosing).await?;
    under_locks(ctx, &locks, Box::pin(restart(ctx, &cluster, request, &settings, chosen))).await
}

async fn restart(
    ctx: &Ctx,
    cluster: &Cluster,
    request: &RestartRequest,
    settings: &Settings,
    chosen: Vec<Found>,
) -> Result<RestartReport> {
    let since = ctx.clock.now();
    ctx.phase("restart", format!("restarting {} workloads", chosen.len()));
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {ANNOTATION: since.to_string()}}}}});
    let mut targets = Vec::new();
    for Found { resource, object } in chosen {
        let reference = ObjectRef::of(&object);
        let changed = cluster.patch(&resource, reference.namespace.as_deref(), &reference.name, &patch);
        let object = ctx.unless_cancelled("restarting", changed).await?;
        ctx.emit(Event::Done { object: reference, action: Action::Change });
        targets.push(Target { resource, object, changed: true });
    }
    let restarted = targets.iter().map(Target::reference).collect();
    if !request.wait {
        return Ok(RestartReport { restarted, ..RestartReport::default() });
    }
    ctx.phase("wait", "waiting until everything is healthy");
    let waiting = WaitRequest {
        targets,
        timeout: settings.timeout,
        patience: settings.patience,
        since,
        selector: request.selector.clone(),
        redactor: Redactor::default(),
        known_secrets: BTreeSet::new(),
    };
    let report = wait(ctx, cluster, waiting).await?;
    Ok(RestartReport { restarted, health: report.objects, evidence: report.failure, notes: report.notes })
}

/// The workloads that are meant: those of the application, unless they are named.
async fn choose(ctx: &Ctx, cluster: &Cluster, request: &RestartRequest) -> Result<Vec<Found>> {
    let wanted = ScopeRequest {
        target: request.target.clone(),
        all_namespaces: false,
        selector: request.selector.clone(),
        words: request.workloads.clone(),
    };
    let scope = scope::resolve(ctx, cluster, &wanted, scope::RESTARTED).await?;
    let is_told = scope.application.is_some() || request.selector.is_some() || !request.workloads.is_empty();
    if scope.found.is_empty() || !is_told {
        let whose = match (&request.selector, is_told) {
            (Some(selector), _) => format!("with the labels {selector} in {}", scope.namespaces.join(", ")),
            (None, true) => format!("of the application {}", scope.application.unwrap_or_default()),
            (None, false) => return Err(nothing_told(ctx, cluster, &request.target).await),
        };
        return Err(Error::usage(format!("there is no Deployment, StatefulSet or DaemonSet {whose}")).hint(NAME_IT));
    }
    Ok(scope.found)
}

/// Without an application, a whole namespace is not restarted by mistake.
async fn nothing_told(ctx: &Ctx, cluster: &Cluster, target: &model::Target) -> Error {
    match located(ctx, cluster, target).await {
        Ok((application, namespace)) => nothing(cluster, &application, &namespace).await.hint(NAME_IT),
        Err(error) => error,
    }
}
