//! From a request to the objects that it means.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use serde_json::Value;

use super::{
    kinds::{Kind, Kinds},
    named::named,
};
use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{ConfigRequest, ObjectRef, ScopeRequest, Target},
    ops::{application::Application, config, inventory, revisions},
};

/// One object that is meant, in full.
#[derive(Debug, Clone)]
pub struct Found {
    pub resource: Resource,
    pub object: Value,
}

impl Found {
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::of(&self.object)
    }
}

/// What a request means.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The application whose members these are; None where words, a selector or a namespace were asked for.
    pub application: Option<String>,
    /// The label selector of what is meant: the request's, or that of the application's members.
    pub selector: Option<String>,
    /// Where was looked; empty for everywhere.
    pub namespaces: Vec<String>,
    pub found: Vec<Found>,
}

/// Finds what a request means. Nothing found is no error, unless it was named.
///
/// # Errors
/// Usage, when a word means nothing or several things, or an application that was named is not there; failed, when
/// the cluster refuses.
pub async fn resolve(ctx: &Ctx, cluster: &Cluster, request: &ScopeRequest, kinds: Kinds) -> Result<Scope> {
    if request.all_namespaces {
        if request.target.application.is_some() {
            return Err(Error::usage("--app and --all-namespaces do not go together")
                .hint("an application is found without a namespace: leave --all-namespaces out"));
        }
        if !request.words.is_empty() {
            return Err(Error::usage("a name and --all-namespaces do not go together")
                .hint("name the namespace with -n, or ask by labels with -l"));
        }
        let found = listed(ctx, cluster, &[], request.selector.as_deref(), kinds.first()).await?;
        return Ok(Scope { selector: request.selector.clone(), found, ..Scope::default() });
    }
    if !request.words.is_empty() || request.selector.is_some() {
        let namespaces = namespaces(ctx, cluster, &request.target)?;
        let mut found = match &request.selector {
            Some(selector) => listed(ctx, cluster, &namespaces, Some(selector), kinds.first()).await?,
            None => Vec::new(),
        };
        for word in &request.words {
            found.extend(named(ctx, cluster, &namespaces, word, kinds).await?);
        }
        return Ok(Scope { selector: request.selector.clone(), namespaces, found, application: None });
    }
    match application(ctx, cluster, &request.target, kinds.first()).await? {
        Some(scope) => Ok(scope),
        None => {
            let namespaces = namespaces(ctx, cluster, &request.target)?;
            let found = listed(ctx, cluster, &namespaces, None, kinds.first()).await?;
            Ok(Scope { namespaces, found, ..Scope::default() })
        }
    }
}

/// The members of the application, where there is one. A namespace that is named and does not hold it is meant by
/// itself; so is the context's where no configuration and no flag names an application.
async fn application(ctx: &Ctx, cluster: &Cluster, target: &Target, kinds: &[Kind]) -> Result<Option<Scope>> {
    let several = target.namespace.as_deref().is_some_and(|namespace| namespace.contains(','));
    if several && target.application.is_none() {
        return Ok(None);
    }
    let config = config::load(ctx, &configuration(target))?;
    let configured = config.is_some();
    let Ok(_) = Application::of(ctx, target, None, config) else { return Ok(None) };
    let must_be_there = target.application.is_some() || (configured && target.namespace.is_none());
    let (name, namespace) = revisions::located(ctx, cluster, target).await?;
    let inventory = match inventory::find(cluster, &name, &namespace).await {
        Err(error) if error.code() == 403 && !must_be_there => None,
        Err(error) if error.code() == 403 => {
            ctx.warn(format!("what belongs to {name} may not be read, so the whole namespace is shown: {error}"));
            return Ok(None);
        }
        found => found?,
    };
    let Some(inventory) = inventory else {
        return match must_be_there {
            true => Err(revisions::nothing(cluster, &name, &namespace).await),
            false => Ok(None),
        };
    };
    let namespaces: Vec<String> = inventory.scope.namespaces.iter().cloned().collect();
    let found = listed(ctx, cluster, &namespaces, Some(&inventory.selector()), kinds).await?;
    Ok(Some(Scope { application: Some(name), selector: Some(inventory.selector()), namespaces, found }))
}

/// The namespaces of the request, else that of the configuration, else that of the context.
pub fn namespaces(ctx: &Ctx, cluster: &Cluster, target: &Target) -> Result<Vec<String>> {
    let configured = match &target.namespace {
        Some(namespace) => Some(namespace.clone()),
        None => config::load(ctx, &configuration(target))?.and_then(|config| config.settings.namespace),
    };
    let namespaces = configured.unwrap_or_else(|| cluster.namespace().to_owned());
    let names: BTreeSet<&str> = namespaces.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    Ok(names.into_iter().map(str::to_owned).collect())
}

fn configuration(target: &Target) -> ConfigRequest {
    ConfigRequest { file: target.config.clone(), profile: target.profile.clone() }
}

/// The objects of some kinds that nothing else controls. A kind that may not be listed is told and left out, unless
/// none may.
async fn listed(
    ctx: &Ctx,
    cluster: &Cluster,
    namespaces: &[String],
    selector: Option<&str>,
    kinds: &[Kind],
) -> Result<Vec<Found>> {
    let places: Vec<Option<&str>> = match namespaces {
        [] => vec![None],
        named => named.iter().map(|name| Some(name.as_str())).collect(),
    };
    let query = ListQuery { labels: selector.map(str::to_owned), ..ListQuery::default() };
    let lists = kinds.iter().flat_map(|kind| places.iter().map(move |place| (kind, *place)));
    let lists = lists.map(|((group, kind), place)| {
        let query = &query;
        async move {
            let Some(resource) = cluster.preferred(group, kind).await? else { return Ok((Vec::new(), None)) };
            let mut found = Vec::new();
            let keep = |object: Value| {
                if !is_controlled(&object) {
                    found.push(Found { resource: resource.clone(), object });
                }
            };
            match cluster.list(&resource, place, query, keep).await {
                Err(error) if error.code() == 403 => Ok((Vec::new(), Some(error))),
                listed => listed.map(|_| (found, None)),
            }
        }
    });
    let answers: Vec<(Vec<Found>, Option<Error>)> =
        ctx.unless_cancelled("looking for what there is", try_join_all(lists)).await?;
    let all = answers.len();
    let (found, mut refused): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
    let mut refused: Vec<Error> = refused.drain(..).flatten().collect();
    if refused.len() == all
        && let Some(first) = refused.pop()
    {
        return Err(first);
    }
    for error in refused {
        ctx.warn(format!("left out: {error}"));
    }
    Ok(found.into_iter().flatten().collect())
}

/// Whether another object controls this one, as a CronJob does its Jobs.
pub(super) fn is_controlled(object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| owner["controller"] == true)
}
