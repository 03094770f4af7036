//! The steps: look, check, plan, ask, replace, wait.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::{
    grow,
    look::{Growth, Set, look},
    replace::replace,
};
use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{ExpandReport, ExpandRequest},
    ops::{inventory, lock::under_locks, scope, wait as ready},
    rules::{
        fields::text,
        pods::Patience,
        prune,
        redact::Redactor,
        storage::{pod_use, refusals},
    },
};

/// How long is waited, unless the request says so.
const TIMEOUT: Duration = Duration::from_secs(300);
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes a claim, or the claims and the template of a StatefulSet, larger. The application that it belongs to is locked
/// meanwhile. Run again after an interruption, it goes on where the other stopped.
///
/// # Errors
/// Usage, when the word or the size means nothing here; failed, when the cluster refuses. What stands in the way
/// beforehand, and a size that does not come in time, are reports.
pub async fn run(ctx: &Ctx, request: &ExpandRequest) -> Result<ExpandReport> {
    let cluster = ctx.cluster().await?;
    let namespace = match scope::namespaces(ctx, &cluster, &request.target)?.as_slice() {
        [one] => one.clone(),
        _ => return Err(Error::usage("what grows is in one namespace; -n names several")),
    };
    let looking = look(&cluster, &namespace, &request.what, &request.size, request.template.as_deref());
    let growth = ctx.unless_cancelled("looking at what is to grow", looking).await?;
    let made_by = if growth.set.is_none() { made_by(&cluster, &growth).await } else { None };
    let mut report = planned(&growth, request.dry_run, made_by);
    report.refusals = ctx.unless_cancelled("checking what stands in the way", check(ctx, &cluster, &growth)).await?;
    if request.dry_run || !report.refusals.is_empty() {
        return Ok(report);
    }
    let objects = growth.set.iter().filter_map(Set::object).chain(&growth.claims);
    let timeout = request.lock_timeout.unwrap_or(LOCK_TIMEOUT);
    let locks = inventory::locks(ctx, &cluster, objects, "storage expand", timeout).await?;
    under_locks(ctx, &locks, Box::pin(carry_out(ctx, &cluster, request, &growth, report))).await
}

fn planned(growth: &Growth, dry_run: bool, made_by: Option<String>) -> ExpandReport {
    let claims: Vec<_> = growth.claims.iter().map(|claim| grow::planned(claim, growth)).collect();
    let mut notes = Vec::new();
    if let Some(set) = &growth.set {
        let yet = if dry_run { " then" } else { "" };
        if set.is_replaced(&growth.size) {
            notes.push(format!(
                "the manifest of {} has to ask for {}{yet}, or the next deploy meets a template that differs",
                growth.object, growth.size
            ));
        }
    } else if let Some(set) = made_by {
        notes.push(format!(
            "statefulset/{set} made this claim, and its template stays: new replicas get the old size; `storage expand \
             statefulset/{set} {}` grows all",
            growth.size
        ));
    }
    let replaces_template = growth.set.as_ref().is_some_and(|set| set.is_replaced(&growth.size));
    let complete = !replaces_template && claims.iter().all(|claim| claim.waits_for.is_none());
    ExpandReport {
        namespace: growth.namespace.clone(),
        object: growth.object.clone(),
        size: growth.size.to_string(),
        dry_run,
        claims,
        replaces_template,
        complete,
        notes,
        refusals: Vec::new(),
    }
}

/// The StatefulSet that made a single claim; None where that may not be looked up.
async fn made_by(cluster: &Cluster, growth: &Growth) -> Option<String> {
    let claim = text(growth.claims.first()?, "/metadata/name");
    let kind = cluster.resource("apps/v1", "StatefulSet").await.ok()??;
    let mut found = None;
    let keep = |set: Value| {
        if prune::is_made_claim(&prune::made_claims(&set), claim) {
            found = Some(text(&set, "/metadata/name").to_owned());
        }
    };
    cluster.list(&kind, Some(&growth.namespace), &ListQuery::default(), keep).await.ok()?;
    found
}

/// What stands in the way; what may not be read is told and not checked.
async fn check(ctx: &Ctx, cluster: &Cluster, growth: &Growth) -> Result<Vec<String>> {
    let names: BTreeSet<&str> = growth.claims.iter().map(|claim| text(claim, "/spec/storageClassName")).collect();
    let mut classes = Vec::new();
    let mut unknown = false;
    if let Some(kind) = cluster.resource("storage.k8s.io/v1", "StorageClass").await? {
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            match cluster.get(&kind, None, name).await {
                Ok(class) => classes.extend(class),
                Err(error) if error.code() == 403 => {
                    unknown = true;
                    ctx.warn(format!("whether the class lets volumes grow was not checked: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
    }
    let mut quotas = Vec::new();
    if let Some(kind) = cluster.resource("v1", "ResourceQuota").await? {
        let listed =
            cluster.list(&kind, Some(&growth.namespace), &ListQuery::default(), |quota| quotas.push(quota)).await;
        match listed {
            Err(error) if error.code() == 403 => ctx.warn(format!("quotas were not checked: {error}")),
            listed => drop(listed?),
        }
    }
    if unknown {
        let assumed = |claim: &Value| serde_json::json!({"metadata": {"name": text(claim, "/spec/storageClassName")}, "allowVolumeExpansion": true});
        classes.extend(growth.claims.iter().map(assumed));
    }
    let claims: Vec<&Value> = growth.claims.iter().collect();
    Ok(refusals(&claims, &classes, &quotas, &growth.size))
}

async fn carry_out(
    ctx: &Ctx,
    cluster: &Cluster,
    request: &ExpandRequest,
    growth: &Growth,
    mut report: ExpandReport,
) -> Result<ExpandReport> {
    let since = ctx.clock.now();
    grow::ask(ctx, cluster, growth).await?;
    if let Some(set) = &growth.set {
        replace(ctx, cluster, growth, set).await?;
    }
    if !request.wait {
        report.notes.push("not waited for".into());
        return Ok(report);
    }
    let timeout = request.timeout.unwrap_or(TIMEOUT);
    let unmounted = unmounted(cluster, growth).await?;
    report.claims = grow::wait(ctx, cluster, growth, &unmounted, timeout).await?;
    report.complete = report.claims.iter().all(|claim| claim.waits_for.is_none() || unmounted.contains(&claim.claim));
    if let Some(set) = &growth.set {
        let live = cluster.get(&set.resource, Some(&growth.namespace), name_of(growth)).await?;
        let targets: Vec<ready::Target> = live
            .map(|object| ready::Target { resource: set.resource.clone(), object, changed: false })
            .into_iter()
            .collect();
        let waiting = ready::WaitRequest {
            targets,
            timeout,
            patience: Patience { grace: Duration::from_secs(10), restart_budget: 1 },
            since,
            selector: None,
            redactor: Redactor::default(),
            known_secrets: BTreeSet::new(),
        };
        let waited = ready::wait(ctx, cluster, waiting).await?;
        report.complete &= waited.failure.is_empty() && waited.all_current();
        report.notes.extend(waited.failure.into_iter().map(|evidence| evidence.summary));
    }
    Ok(report)
}

fn name_of(growth: &Growth) -> &str {
    growth.object.split_once('/').map_or(growth.object.as_str(), |(_, name)| name)
}

/// The claims that no running pod mounts. Without the right to list pods, all count as mounted.
async fn unmounted(cluster: &Cluster, growth: &Growth) -> Result<Vec<String>> {
    let mut mounted = BTreeSet::new();
    let keep = |pod: Value| {
        let used = pod_use(&pod).filter(|pod| !pod.ended && !pod.node.is_empty());
        mounted.extend(used.into_iter().flat_map(|pod| pod.mounts).map(|mount| mount.claim));
    };
    match cluster.list(&Resource::pods(), Some(&growth.namespace), &ListQuery::default(), keep).await {
        Err(error) if error.code() == 403 => return Ok(Vec::new()),
        listed => drop(listed?),
    }
    let names = growth.claims.iter().map(|claim| text(claim, "/metadata/name").to_owned());
    Ok(names.filter(|name| !mounted.contains(name)).collect())
}
