//! Values for shell completion, asked of the kubeconfig, the configuration and the cluster.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    cluster::{Cluster, KubeconfigNames, ListQuery, Resource},
    context::Ctx,
    error::Result,
    model::{ConfigRequest, RevisionSummary},
    ops::{config, history::History},
    rules::{applyset, redact::Redactor},
};

/// How long a person who pressed Tab waits for the cluster.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a rolling restart and the like act on.
const WORKLOADS: [(&str, &str); 3] = [("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")];
/// In front of the names of our records.
const RECORD: &str = "evolve.";

/// What values are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Contexts,
    Clusters,
    Users,
    Namespaces,
    /// The profiles of the configuration.
    Profiles,
    /// The applications with records in the namespace.
    Applications,
    /// The numbers of the application's revisions, newest first.
    Revisions,
    /// `deployment/api` and the like.
    Workloads,
    /// The names of persistent volume claims.
    Claims,
}

/// A value and, where there is something to say, what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub value: String,
    pub help: Option<String>,
}

/// For whom values are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompleteRequest {
    pub config: ConfigRequest,
    /// `--app`; otherwise the configuration's name.
    pub application: Option<String>,
}

/// The candidates. None when nobody answers in time or something is wrong: an error has no place in a line that is
/// being typed.
pub async fn run(ctx: Arc<Ctx>, wanted: Wanted, request: CompleteRequest) -> Vec<Candidate> {
    // A task of its own, because a kubeconfig's credential plugin may block the thread for long.
    let asked = tokio::spawn(async move { ask(&ctx, wanted, &request).await });
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    answer.ok().and_then(|joined| joined.ok()?.ok()).unwrap_or_default()
}

async fn ask(ctx: &Ctx, wanted: Wanted, request: &CompleteRequest) -> Result<Vec<Candidate>> {
    if wanted == Wanted::Profiles {
        let profiles = config::examine(ctx, &request.config)?.into_iter().flat_map(|examined| examined.profiles);
        return Ok(profiles.map(bare).collect());
    }
    if let Some(names) = kubeconfig(ctx, wanted) {
        return names;
    }
    let cluster = ctx.cluster().await?;
    if wanted == Wanted::Namespaces {
        return listed(&cluster, "Namespace", None).await;
    }
    // A broken configuration does not stop the completion: the command itself will say what is wrong.
    let settings = config::load(ctx, &request.config).ok().flatten().map(|config| config.settings);
    let named = settings.as_ref().and_then(|settings| settings.namespace.as_deref());
    let namespace = ctx.connect.namespace.as_deref().or(named).unwrap_or(cluster.namespace());
    match wanted {
        Wanted::Applications => applications(&cluster, namespace).await,
        Wanted::Workloads => workloads(&cluster, namespace).await,
        Wanted::Claims => listed(&cluster, "PersistentVolumeClaim", Some(namespace)).await,
        _ => match request.application.as_deref().or(settings.as_ref().map(|settings| settings.name.as_str())) {
            Some(name) => revisions(&cluster, namespace, name).await,
            None => Ok(Vec::new()),
        },
    }
}

/// What the kubeconfig knows; None when the question is for the cluster.
fn kubeconfig(ctx: &Ctx, wanted: Wanted) -> Option<Result<Vec<Candidate>>> {
    let choose = |names: KubeconfigNames| match wanted {
        Wanted::Contexts => names.contexts.into_iter().map(|(name, cluster)| said(name, &cluster)).collect(),
        Wanted::Clusters => names.clusters.into_iter().map(bare).collect(),
        _ => names.users.into_iter().map(bare).collect(),
    };
    matches!(wanted, Wanted::Contexts | Wanted::Clusters | Wanted::Users).then(|| ctx.connect.names().map(choose))
}

fn bare(value: String) -> Candidate {
    Candidate { value, help: None }
}

/// What comes from the cluster is shown as one line that a terminal cannot take for anything else.
fn said(value: String, help: &str) -> Candidate {
    Candidate { value, help: Some(Redactor::default().line(help)).filter(|help| !help.is_empty()) }
}

async fn names(
    cluster: &Cluster,
    resource: &Resource,
    namespace: Option<&str>,
    query: ListQuery,
) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let keep = |object: Value| names.extend(object["metadata"]["name"].as_str().map(str::to_owned));
    cluster.list(resource, namespace, &ListQuery { metadata_only: true, ..query }, keep).await?;
    Ok(names)
}

/// The names of the objects of a core kind.
async fn listed(cluster: &Cluster, kind: &str, namespace: Option<&str>) -> Result<Vec<Candidate>> {
    let Some(resource) = cluster.preferred("", kind).await? else { return Ok(Vec::new()) };
    Ok(names(cluster, &resource, namespace, ListQuery::default()).await?.into_iter().map(bare).collect())
}

async fn applications(cluster: &Cluster, namespace: &str) -> Result<Vec<Candidate>> {
    let parents = ListQuery { labels: Some(applyset::ID.to_owned()), ..ListQuery::default() };
    let names = names(cluster, &Resource::secrets(), Some(namespace), parents).await?;
    Ok(names.iter().filter_map(|name| name.strip_prefix(RECORD)).map(|name| bare(name.to_owned())).collect())
}

async fn revisions(cluster: &Cluster, namespace: &str, application: &str) -> Result<Vec<Candidate>> {
    let revisions = History::of(cluster, application, namespace).list().await?;
    let candidate = |revision: RevisionSummary| {
        said(
            revision.number.to_string(),
            &format!("{}: {} by {} at {}", revision.outcome.word(), revision.cause, revision.by, revision.started),
        )
    };
    Ok(revisions.into_iter().rev().map(candidate).collect())
}

async fn workloads(cluster: &Cluster, namespace: &str) -> Result<Vec<Candidate>> {
    let lists = WORKLOADS.map(|(group, kind)| async move {
        let Some(resource) = cluster.preferred(group, kind).await? else { return Ok(Vec::new()) };
        let names = names(cluster, &resource, Some(namespace), ListQuery::default()).await?;
        Ok(names.into_iter().map(|name| bare(format!("{}/{name}", resource.singular))).collect())
    });
    let lists: Vec<Vec<Candidate>> = futures::future::try_join_all(lists).await?;
    Ok(lists.into_iter().flatten().collect())
}
