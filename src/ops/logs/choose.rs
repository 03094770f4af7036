//! Which pods are meant, and which of their containers.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::Value;

use super::plan::Plan;
use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{LogSource, LogsRequest, ScopeRequest},
    ops::scope::{Found, WITH_PODS, resolve},
    rules::{
        fields::{list, text},
        logs::{Container, containers},
        scope::{PodQuery, pods},
    },
};

/// What is meant: how its pods are found.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    pub queries: Vec<PodQuery>,
    /// The objects that were named; empty when pods are meant by labels or namespace.
    pub found: Vec<Found>,
    pub namespaces: Vec<String>,
    /// Whether no more pods can come, once those of the pods and Jobs that were named have ended.
    pub is_finite: bool,
}

/// Finds what the request means. Labels are those of pods, as in kubectl; without any word they are all of a namespace,
/// unless there is an application.
pub(super) async fn choose(ctx: &Ctx, cluster: &Cluster, request: &LogsRequest) -> Result<Choice> {
    let scope = ScopeRequest {
        target: request.target.clone(),
        all_namespaces: request.all_namespaces,
        selector: request.selector.clone(),
        words: request.words.clone(),
    };
    let by_labels = request.words.is_empty() && (request.selector.is_some() || request.all_namespaces);
    if by_labels {
        let namespaces = namespaces(cluster, request);
        let places = if namespaces.is_empty() { vec![None] } else { namespaces.iter().cloned().map(Some).collect() };
        let query = |namespace| PodQuery { namespace, labels: request.selector.clone(), ..PodQuery::default() };
        return Ok(Choice { queries: places.into_iter().map(query).collect(), namespaces, ..Choice::default() });
    }
    let scope = resolve(ctx, cluster, &scope, WITH_PODS).await?;
    let everything = request.words.is_empty() && scope.application.is_none();
    if everything {
        let query = |namespace: &String| PodQuery { namespace: Some(namespace.clone()), ..PodQuery::default() };
        let queries = scope.namespaces.iter().map(query).collect();
        return Ok(Choice { queries, found: scope.found, namespaces: scope.namespaces, is_finite: false });
    }
    let mut queries: Vec<PodQuery> = Vec::new();
    for found in &scope.found {
        match pods(&found.object) {
            Some(query) if !queries.contains(&query) => queries.push(query),
            Some(_) => {}
            None if request.words.is_empty() => {}
            None => ctx.warn(format!("{} selects no pods", found.reference())),
        }
    }
    let is_finite = scope.found.iter().all(|found| matches!(found.resource.kind.as_str(), "Pod" | "Job"));
    Ok(Choice { queries, found: scope.found, namespaces: scope.namespaces, is_finite })
}

fn namespaces(cluster: &Cluster, request: &LogsRequest) -> Vec<String> {
    if request.all_namespaces {
        return Vec::new();
    }
    let named = request.target.namespace.as_deref().unwrap_or_else(|| cluster.namespace());
    named.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// How the pods of a query are asked for.
pub(super) fn list_query(query: &PodQuery) -> ListQuery {
    ListQuery { labels: query.labels.clone(), fields: query.fields.clone(), metadata_only: false }
}

/// The sources of a pod, each with its container.
pub(super) fn sources(plan: &Plan, pod: &Value) -> Vec<(LogSource, Container)> {
    let wanted = containers(pod).into_iter().filter(|container| plan.wants(container));
    let source = |container: Container| {
        let source = LogSource {
            number: 0,
            namespace: text(pod, "/metadata/namespace").to_owned(),
            pod: text(pod, "/metadata/name").to_owned(),
            container: container.name.clone(),
            kind: container.kind,
            node: text(pod, "/spec/nodeName").to_owned(),
            restarts: container.restarts,
            previous: plan.previous,
        };
        (source, container)
    };
    wanted.map(source).collect()
}

/// Everything that is there now.
///
/// # Errors
/// Failed, when pods may not be listed; usage, when nothing is there to be read.
pub(super) async fn present(ctx: &Ctx, cluster: &Cluster, plan: &Plan, choice: &Choice) -> Result<Vec<Arc<LogSource>>> {
    let (mut found, mut pods, mut quiet) = (Vec::new(), 0_usize, Vec::new());
    let mut known: HashSet<(String, String)> = HashSet::new();
    for query in &choice.queries {
        let mut jobs = Jobs::default();
        let mut objects = Vec::new();
        let mut each = |pod: Value| {
            // Two objects may select the same pod.
            let name = (text(&pod, "/metadata/namespace").to_owned(), text(&pod, "/metadata/name").to_owned());
            if known.insert(name) {
                let job = controller(&pod).map(str::to_owned);
                objects.push((job, sources(plan, &pod)));
            }
        };
        let (resource, narrowed) = (Resource::pods(), list_query(query));
        let listed = cluster.list(&resource, query.namespace.as_deref(), &narrowed, &mut each);
        ctx.unless_cancelled("listing pods", listed).await?;
        for (job, sources) in objects {
            if !jobs.belongs(cluster, query, job.as_deref()).await? {
                continue;
            }
            pods += 1;
            for (source, container) in sources {
                let readable = if plan.previous { container.has_previous } else { container.has_log() };
                match readable {
                    true => found.push(source),
                    false => quiet.push((source, container)),
                }
            }
        }
    }
    if found.is_empty() {
        return Err(nothing(plan, choice, pods, &quiet));
    }
    for (source, container) in quiet.iter().filter(|(_, container)| !plan.previous && !container.reason.is_empty()) {
        ctx.note(format!("{source} has not started: {}", container.reason));
    }
    Ok(found.into_iter().enumerate().map(|(number, source)| Arc::new(LogSource { number, ..source })).collect())
}

fn nothing(plan: &Plan, choice: &Choice, pods: usize, quiet: &[(LogSource, Container)]) -> Error {
    let whereabouts = match choice.namespaces.as_slice() {
        [] => String::new(),
        names => format!(" in {}", names.join(", ")),
    };
    if let Some((source, container)) = quiet.first() {
        if plan.previous {
            return Error::failed(format!("{source} has had one instance only: there is no log before it"));
        }
        let reason = if container.reason.is_empty() { "it waits" } else { container.reason.as_str() };
        let others = if quiet.len() > 1 { format!(", and {} others", quiet.len() - 1) } else { String::new() };
        return Error::failed(format!("{source} has not started: {reason}{others}"))
            .hint("`kubectl evolve logs -f` waits until it does")
            .hint(format!("`kubectl describe pod {} -n {}` shows its events", source.pod, source.namespace));
    }
    if pods > 0 {
        return Error::usage(format!("no container is named {}{whereabouts}", plan.asked()))
            .hint("-c takes a name or a regular expression between slashes");
    }
    let error = Error::failed(format!("there are no pods{whereabouts} to read the logs of"));
    error.hint("`kubectl evolve logs -f` waits for them; -n names another namespace, -A means all")
}

/// The Job, or other object, that controls a pod.
pub(super) fn controller(pod: &Value) -> Option<&str> {
    let owners = list(pod, "/metadata/ownerReferences");
    owners.iter().find(|owner| owner["controller"] == true).map(|owner| text(owner, "/name"))
}

/// Which Jobs belong to a CronJob.
#[derive(Debug, Default)]
pub(super) struct Jobs(HashMap<String, bool>);

impl Jobs {
    /// Whether a pod of this Job is meant by the query.
    pub async fn belongs(&mut self, cluster: &Cluster, query: &PodQuery, job: Option<&str>) -> Result<bool> {
        let (Some(owner), Some(job)) = (&query.jobs_of, job) else { return Ok(query.jobs_of.is_none()) };
        if let Some(known) = self.0.get(job) {
            return Ok(*known);
        }
        let found = match cluster.preferred("batch", "Job").await? {
            Some(resource) => cluster.get(&resource, query.namespace.as_deref(), job).await?,
            None => None,
        };
        let owners = found.as_ref().map(|job| list(job, "/metadata/ownerReferences")).unwrap_or_default();
        let belongs = owners.iter().any(|reference| text(reference, "/uid") == owner);
        self.0.insert(job.to_owned(), belongs);
        Ok(belongs)
    }
}
