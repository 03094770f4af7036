//! Rolling restarts, by the annotation that `kubectl rollout restart` sets.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{Action, ConfigRequest, DeployRequest, ObjectRef, RestartReport, RestartRequest},
    ops::{
        config,
        deploy::Options,
        inventory,
        lock::{LockRequest, under_locks},
        revisions::located,
        wait::{Target, WaitRequest, wait},
    },
    rules::{applyset::PART_OF, pods::Patience, redact::Redactor},
};

const KINDS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];
const ANNOTATION: &str = "kubectl.kubernetes.io/restartedAt";

/// Restarts workloads pod by pod, as their update strategies say, and waits as a deploy does. The applications that
/// they belong to are locked meanwhile.
///
/// # Errors
/// Usage, when nothing matches or a name means several; failed, when the cluster refuses or another operation holds
/// the lock. A restart that does not become healthy is a report.
pub async fn run(ctx: &Ctx, request: &RestartRequest) -> Result<RestartReport> {
    let cluster = ctx.cluster().await?;
    let settings = Settings::of(ctx, request)?;
    let choosing = async {
        let chosen = choose(ctx, &cluster, request).await?;
        let locks = locks(ctx, &cluster, &chosen, settings.lock_timeout).await?;
        Ok((chosen, locks))
    };
    let (chosen, locks) = ctx.unless_cancelled("looking for the workloads", choosing).await?;
    under_locks(ctx, &locks, Box::pin(restart(ctx, &cluster, request, &settings, chosen))).await
}

/// How long is waited, by the request, else the configuration, else the defaults of both.
struct Settings {
    timeout: Duration,
    patience: Patience,
    lock_timeout: Duration,
}

impl Settings {
    fn of(ctx: &Ctx, request: &RestartRequest) -> Result<Self> {
        let wishes = DeployRequest {
            timeout: request.timeout,
            grace: request.grace,
            restart_budget: request.restart_budget,
            lock_timeout: request.lock_timeout,
            ..DeployRequest::default()
        };
        let config = &request.target;
        let config = ConfigRequest { file: config.config.clone(), profile: config.profile.clone() };
        let options = Options::of(&wishes, config::load(ctx, &config)?.as_ref());
        let Options { timeout, grace, restart_budget, lock_timeout, .. } = options;
        Ok(Self { timeout, patience: Patience { grace, restart_budget }, lock_timeout })
    }
}

/// The locks of the applications that workloads are members of.
async fn locks(ctx: &Ctx, cluster: &Cluster, chosen: &Workloads, timeout: Duration) -> Result<Vec<LockRequest>> {
    let sets: BTreeSet<(String, String)> = chosen
        .iter()
        .filter_map(|(_, object)| {
            let set = object["metadata"]["labels"][PART_OF].as_str()?;
            Some((set.to_owned(), ObjectRef::of(object).namespace?))
        })
        .collect();
    let mut owners = BTreeSet::new();
    for (set, namespace) in sets {
        match inventory::application_of(cluster, &set, &namespace).await {
            Ok(owner) => owners.extend(owner),
            Err(error) if error.code() == 403 => {
                ctx.warn(format!("no lock was taken, because the application could not be looked up: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    let request = |(application, namespace)| LockRequest { application, namespace, purpose: "restart".into(), timeout };
    Ok(owners.into_iter().map(request).collect())
}

async fn restart(
    ctx: &Ctx,
    cluster: &Cluster,
    request: &RestartRequest,
    settings: &Settings,
    chosen: Workloads,
) -> Result<RestartReport> {
    let since = ctx.clock.now();
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
