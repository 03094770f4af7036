//! The table of claims and volumes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::{ObjectRef, ScopeRequest, StorageItem, StorageReport, StorageRequest},
    ops::{
        scope::{self, Found, Scope},
        storage::{measure::measure, read::read, samples::Samples},
    },
    rules::{
        scope::near,
        selector::Selector,
        storage::{Scene, arrange, items},
    },
};

/// Every claim and volume of the scope, with how full it is. What could not be seen is in the notes.
///
/// # Errors
/// Usage, when a word means nothing here; failed, when the claims cannot be listed.
pub async fn run(ctx: &Ctx, request: &StorageRequest) -> Result<StorageReport> {
    ctx.phase("storage", "reading claims, volumes and pods");
    run_again(ctx, request).await
}

/// The same without telling what is being done.
///
/// # Errors
/// As for `run`.
pub async fn run_again(ctx: &Ctx, request: &StorageRequest) -> Result<StorageReport> {
    if let Some(Err(wrong)) = request.scope.selector.as_deref().map(Selector::parse) {
        return Err(Error::usage(wrong).hint("-l takes a label selector, as in app=db,tier!=cache"));
    }
    let cluster = ctx.cluster().await?;
    ctx.unless_cancelled("looking at the claims", look(ctx, &cluster, request)).await
}

async fn look(ctx: &Ctx, cluster: &Cluster, request: &StorageRequest) -> Result<StorageReport> {
    let scope = &request.scope;
    let is_told = scope.all_namespaces || !scope.words.is_empty() || scope.selector.is_some();
    let mut notes = Vec::new();
    let application = if is_told { None } else { application(ctx, cluster, scope, &mut notes).await? };
    let namespaces = match &application {
        Some(application) => application.namespaces.clone(),
        None if scope.all_namespaces => Vec::new(),
        None => scope::namespaces(ctx, cluster, &scope.target)?,
    };
    let scene = read(cluster, &namespaces, scope.selector.as_deref(), &mut notes).await?;
    // With a selector, a volume whose claim is not there fits no labels.
    let mut found = items(&scene, &namespaces);
    if scope.selector.is_some() {
        found.retain(|item| item.claim.is_some());
    }
    if let Some(application) = &application {
        let members = members(application, &scene);
        found.retain(|item| item.claim.is_some() && members.contains(item));
    }
    arrange(&mut found, &scope.words, request.sort).map_err(|word| nothing(&word, &namespaces, &found))?;
    measure(cluster, &mut found, &scene.pods, ctx.clock.now(), &mut notes).await;
    let mut samples = Samples::open(ctx, cluster);
    found.iter_mut().for_each(|item| samples.forecast(item));
    notes.extend(samples.store(ctx.clock.now()));
    // The order may depend on what was measured.
    arrange(&mut found, &[], request.sort).map_err(Error::usage)?;
    Ok(StorageReport { namespaces, items: found, notes })
}

/// The application that is meant where nothing is said; None where there is none, or its workloads may not be listed.
async fn application(
    ctx: &Ctx,
    cluster: &Cluster,
    scope: &ScopeRequest,
    notes: &mut Vec<String>,
) -> Result<Option<Scope>> {
    match scope::resolve(ctx, cluster, scope, scope::WORKLOADS).await {
        Ok(found) => Ok(Some(found).filter(|found| found.application.is_some())),
        Err(error) if error.code() == 403 && scope.target.application.is_none() => {
            notes.push(format!("the whole namespace is shown: {}", error.message()));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Which claims belong to an application: its members, and those that its workloads mount or made.
struct Members {
    claims: BTreeSet<(String, String)>,
    workloads: BTreeSet<(String, String)>,
}

fn members(application: &Scope, scene: &Scene) -> Members {
    let selector = application.selector.as_deref().and_then(|selector| Selector::parse(selector).ok());
    let is_member = |claim: &&Value| selector.as_ref().is_some_and(|selector| selector.matches(claim));
    let named = |object: &Value| {
        let name = ObjectRef::of(object);
        (name.namespace.unwrap_or_default(), name.name)
    };
    let workload = |found: &Found| {
        let name = found.reference();
        (name.namespace.unwrap_or_default(), format!("{}/{}", name.kind.to_ascii_lowercase(), name.name))
    };
    Members {
        claims: scene.claims.iter().filter(is_member).map(named).collect(),
        workloads: application.found.iter().map(workload).collect(),
    }
}

impl Members {
    fn contains(&self, item: &StorageItem) -> bool {
        let namespace = item.namespace.clone().unwrap_or_default();
        let is_member =
            item.claim.as_ref().is_some_and(|name| self.claims.contains(&(namespace.clone(), name.clone())));
        is_member
            || item.workloads.iter().any(|workload| self.workloads.contains(&(namespace.clone(), workload.clone())))
    }
}

fn nothing(word: &str, namespaces: &[String], found: &[StorageItem]) -> Error {
    let place = match namespaces {
        [] => "the cluster".to_owned(),
        names => names.join(", "),
    };
    let names = || found.iter().filter_map(|item| item.claim.as_deref().or(item.volume.as_deref()));
    let error = Error::usage(format!("no claim, volume, pod or workload with storage in {place} is meant by {word}"));
    let near = near(word, names());
    let shown: Vec<&str> = if near.is_empty() { names().take(5).collect() } else { near };
    match shown.as_slice() {
        [] => error.hint("there are no claims; -n names another namespace, -A looks in all"),
        names => error.hint(format!("there is {}", names.join(", "))),
    }
}
