//! The parent of an application's set: read, widened before an apply, narrowed after a prune.

use serde_json::Value;

use crate::{
    cluster::{ApplyMode, Cluster, DeleteOptions, ListQuery, Resource},
    error::{Error, Result},
    model::ObjectRef,
    rules::{
        applyset::{self, Inventory, Scope},
        history::REVISION,
    },
};

/// The set of an application; None before its first deploy.
///
/// # Errors
/// Failed when the parent is broken, or when another tool manages the set.
pub async fn find(cluster: &Cluster, application: &str, namespace: &str) -> Result<Option<Inventory>> {
    let found = read(cluster, application, namespace).await?;
    if let Some(inventory) = &found {
        applyset::check_tooling(inventory, applyset::TOOL)?;
    }
    Ok(found)
}

/// As [`find`], whoever manages the set.
pub(super) async fn read(cluster: &Cluster, application: &str, namespace: &str) -> Result<Option<Inventory>> {
    let own = applyset::own_parent(application, namespace);
    let Some(object) = cluster.get(&Resource::secrets(), Some(namespace), &own.name).await? else { return Ok(None) };
    let Some(adopted) = applyset::adopted(&object)? else { return applyset::read(&object).map(Some) };
    match get(cluster, &adopted).await? {
        Some(parent) => applyset::read(&parent).map(Some),
        None => Err(Error::failed(format!("{adopted}, the ApplySet that {application} has adopted, is gone"))
            .hint(format!("to begin a set of its own: kubectl delete -n {namespace} secret {}", own.name))),
    }
}

/// The application, and the namespace of its records, whose set has this id: looked for in a namespace, then in all.
pub async fn application_of(cluster: &Cluster, set: &str, namespace: &str) -> Result<Option<(String, String)>> {
    let labels = Some(format!("{},!{REVISION}", applyset::APPLICATION));
    let query = ListQuery { labels, metadata_only: true, ..ListQuery::default() };
    for place in [Some(namespace), None] {
        let mut found = None;
        let note = |own: Value| {
            // A pointer that cannot be read belongs to no set.
            let parent = applyset::adopted(&own).ok().flatten().unwrap_or_else(|| ObjectRef::of(&own));
            if applyset::id(&parent) == set {
                let application = own["metadata"]["labels"][applyset::APPLICATION].as_str().map(str::to_owned);
                found = application.zip(ObjectRef::of(&own).namespace);
            }
        };
        match cluster.list(&Resource::secrets(), place, &query, note).await {
            // Who may not look everywhere works in the one namespace.
            Err(error) if error.code() == 403 && place.is_none() => {}
            listed => drop(listed?),
        }
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// An object by its name, of whatever kind.
pub(super) async fn get(cluster: &Cluster, object: &ObjectRef) -> Result<Option<Value>> {
    match cluster.resource(&object.api_version, &object.kind).await? {
        Some(resource) => cluster.get(&resource, object.namespace.as_deref(), &object.name).await,
        None => Ok(None),
    }
}

/// Makes the parent cover everything that is about to be applied, besides what it covers already, so that no object
/// can be lost from the set. Writes only when there is something to add. `known` is what [`find`] answered.
pub async fn cover(
    cluster: &Cluster,
    application: &str,
    namespace: &str,
    known: Option<&Inventory>,
    wanted: &Scope,
) -> Result<Inventory> {
    if let Some(known) = known.filter(|known| known.scope.covers(wanted)) {
        return Ok(known.clone());
    }
    let parent = known.map_or_else(|| applyset::own_parent(application, namespace), |known| known.parent.clone());
    let scope = known.map(|known| known.scope.clone()).unwrap_or_default().union(wanted);
    // A parent that was read is ours; one that was not there a moment ago must not be another's now.
    let inventory = Inventory { parent, tooling: applyset::tooling(), scope };
    write(cluster, application, &inventory, known.is_some()).await?;
    Ok(inventory)
}

/// Makes the parent cover exactly what the set holds, after everything else was pruned.
pub async fn shrink(cluster: &Cluster, application: &str, known: &Inventory, holds: &Scope) -> Result<()> {
    let own_namespace = known.parent.namespace.iter().cloned().collect();
    let holds = holds.clone().union(&Scope { namespaces: own_namespace, ..Scope::default() });
    if holds == known.scope {
        return Ok(());
    }
    let inventory = Inventory { parent: known.parent.clone(), tooling: applyset::tooling(), scope: holds };
    write(cluster, application, &inventory, true).await
}

/// Writes a parent. Without `force`, one that another tool has is refused.
pub(super) async fn write(cluster: &Cluster, application: &str, inventory: &Inventory, force: bool) -> Result<()> {
    let Inventory { parent, tooling, scope } = inventory;
    let mut object = applyset::parent_object(parent, tooling, scope);
    let is_own = Some(parent) == parent.namespace.as_ref().map(|name| applyset::own_parent(application, name)).as_ref();
    if is_own {
        object["metadata"]["labels"][applyset::APPLICATION] = application.into();
    }
    let resource = cluster.resource(&parent.api_version, &parent.kind).await?;
    let resource = resource.ok_or_else(|| Error::failed(format!("the cluster has no kind {}", parent.kind)))?;
    let written = cluster.apply(&resource, &object, ApplyMode { dry_run: false, force }).await;
    written.map(|_| ()).map_err(|error| match error.code() {
        409 => error
            .context("another tool has made the parent of this application's set")
            .hint(format!("`kubectl evolve inventory adopt {parent}` takes the set over, with your consent")),
        _ => error,
    })
}

/// Removes the parent of a set without members. One that was adopted is left, empty, to the tool that made it.
pub async fn dissolve(cluster: &Cluster, application: &str, namespace: &str, known: &Inventory) -> Result<()> {
    let own = applyset::own_parent(application, namespace);
    if known.parent != own {
        shrink(cluster, application, known, &Scope::default()).await?;
    }
    cluster.delete(&Resource::secrets(), Some(namespace), &own.name, &DeleteOptions::default()).await.map(|_| ())
}
