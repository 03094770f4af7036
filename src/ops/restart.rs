//! Rolling restarts, by the annotation that `kubectl rollout restart` sets.

use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{Action, ObjectRef, RestartReport, RestartRequest},
    ops::{
        inventory,
        revisions::located,
        wait::{Target, WaitRequest, wait},
    },
    rules::{pods::Patience, redact::Redactor},
};

const KINDS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];
const ANNOTATION: &str = "kubectl.kubernetes.io/restartedAt";

/// Restarts workloads pod by pod, as their update strategies say, and waits as a deploy does.
///
/// # Errors
/// Usage, when nothing matches or a name means several; failed, when the cluster refuses. A restart that does not
/// become healthy is a report.
pub async fn run(ctx: &Ctx, request: &RestartRequest) -> Result<RestartReport> {
    let cluster = ctx.cluster().await?;
    let since = ctx.clock.now();
    let chosen = ctx.unless_cancelled("looking for the workloads", choose(ctx, &cluster, request)).await?;
    ctx.phase("restart", format!("restarting {} workloads", chosen.len()));
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {ANNOTATION: since.to_string()}}}}});
    let mut targets = Vec::new();
    for (resource, object) in chosen {
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
        timeout: request.timeout,
        patience: Patience { grace: request.grace, restart_budget: request.restart_budget },
        since,
        selector: request.selector.clone(),
        redactor: Redactor::default(),
    };
    let report = wait(ctx, &cluster, waiting).await?;
    Ok(RestartReport { restarted, health: report.objects, evidence: report.failure, notes: report.notes })
}

type Workloads = Vec<(Resource, Value)>;

async fn choose(ctx: &Ctx, cluster: &Cluster, request: &RestartRequest) -> Result<Workloads> {
    let namespace = request.target.namespace.clone().unwrap_or_else(|| cluster.namespace().to_owned());
    if let Some(selector) = &request.selector {
        return some(list(cluster, &namespace, selector).await?, &format!("with the labels {selector} in {namespace}"));
    }
    if request.workloads.is_empty() {
        let (application, namespace) = located(ctx, cluster, &request.target).await?;
        let found = match inventory::find(cluster, &application, &namespace).await? {
            Some(inventory) => list(cluster, &namespace, &inventory.selector()).await?,
            None => Vec::new(),
        };
        return some(found, &format!("of the application {application} in {namespace}"));
    }
    let mut chosen = Vec::new();
    for word in &request.workloads {
        chosen.push(named(cluster, &namespace, word).await?);
    }
    Ok(chosen)
}

fn some(found: Workloads, whose: &str) -> Result<Workloads> {
    if found.is_empty() {
        return Err(Error::usage(format!("there is no Deployment, StatefulSet or DaemonSet {whose}"))
            .hint("name what to restart: `kubectl evolve restart deployment/NAME`"));
    }
    Ok(found)
}

async fn kind(cluster: &Cluster, kind: &str) -> Result<Resource> {
    let resource = cluster.resource("apps/v1", kind).await?;
    resource.ok_or_else(|| Error::failed(format!("the cluster does not have the kind {kind}")))
}

async fn list(cluster: &Cluster, namespace: &str, selector: &str) -> Result<Workloads> {
    let query = ListQuery { labels: Some(selector.to_owned()), ..ListQuery::default() };
    let mut found = Vec::new();
    for name in KINDS {
        let resource = kind(cluster, name).await?;
        cluster.list(&resource, Some(namespace), &query, |object| found.push((resource.clone(), object))).await?;
    }
    Ok(found)
}

/// The workload that a word means: `kind/name`, or a name that only one has.
async fn named(cluster: &Cluster, namespace: &str, word: &str) -> Result<(Resource, Value)> {
    let (kinds, name) = match word.split_once('/') {
        Some((kind, name)) => match cluster.named(kind).await?.filter(|found| KINDS.contains(&found.kind.as_str())) {
            Some(resource) => (vec![resource], name),
            None => {
                return Err(Error::usage(format!("{word}: {kind} cannot be restarted"))
                    .hint("a Deployment, a StatefulSet or a DaemonSet can"));
            }
        },
        None => (futures::future::try_join_all(KINDS.map(|name| kind(cluster, name))).await?, word),
    };
    let mut found = Vec::new();
    for resource in kinds {
        let object = cluster.get(&resource, Some(namespace), name).await?;
        found.extend(object.map(|object| (resource, object)));
    }
    if found.len() > 1 {
        return Err(Error::usage(format!("{word} means several workloads in {namespace}"))
            .hint(format!("say which: `deployment/{name}`, `statefulset/{name}` or `daemonset/{name}`")));
    }
    found.pop().ok_or_else(|| {
        Error::usage(format!("there is no Deployment, StatefulSet or DaemonSet {name} in {namespace}"))
            .hint(format!("`kubectl get deployments,statefulsets,daemonsets -n {namespace}` lists them"))
    })
}
