//! What the cluster holds of a set: one list for each kind and namespace, and as little of each object as is needed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{set::DesiredSet, waiting::worth_watching};
use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::Result,
    model::{GroupKind, ObjectRef},
    rules::{applyset::Inventory, ownership::is_as_wanted},
};

/// Lists sent at once; the client bounds the requests below.
const LISTS: usize = 16;
/// Up to so many objects of a kind are asked for by name; more are found by listing names.
const BY_NAME: usize = 1;

/// An object of the set as it is in the cluster.
#[derive(Debug, Clone)]
pub(crate) enum Live {
    /// Provably as wanted; the object is kept only where it is not healthy yet.
    AsWanted(Option<Box<Value>>),
    /// Perhaps not as wanted.
    Other(Box<Value>),
}

/// What the cluster holds.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// For each item of the set, in its order; None where it does not exist.
    pub live: Vec<Option<Live>>,
    /// Members of the set that the manifests no longer have, without their contents.
    pub leftovers: Vec<Value>,
}

type Identity = (String, String, String, String);

fn identity(reference: &ObjectRef) -> Identity {
    let (group, kind, namespace, name) = reference.identity();
    (group.into(), kind.into(), namespace.into(), name.into())
}

/// Looks at everything that is wanted and at every member of the set.
///
/// `missing_namespaces` do not exist, so nothing in them is asked for.
pub(crate) async fn observe(
    cluster: &Cluster,
    set: &DesiredSet,
    inventory: Option<&Inventory>,
    missing_namespaces: &BTreeSet<String>,
) -> Result<Observed> {
    let positions: HashMap<Identity, usize> =
        set.items.iter().enumerate().map(|(index, item)| (identity(&item.manifest.reference), index)).collect();
    let mut observed = Observed { live: vec![None; set.items.len()], leftovers: Vec::new() };
    if let Some(inventory) = inventory {
        for (index, object) in members(cluster, set, &positions, inventory, missing_namespaces).await? {
            match index {
                Some(index) => {
                    if let Some(slot) = observed.live.get_mut(index) {
                        *slot = Some(object);
                    }
                }
                None => observed.leftovers.extend(match object {
                    Live::Other(object) => Some(*object),
                    Live::AsWanted(_) => None,
                }),
            }
        }
    }
    for (index, object) in strangers(cluster, set, &observed, missing_namespaces).await? {
        if let Some(slot) = observed.live.get_mut(index) {
            *slot = Some(Live::Other(Box::new(object)));
        }
    }
    Ok(observed)
}

/// The members of the set, those that are wanted with their index.
async fn members(
    cluster: &Cluster,
    set: &DesiredSet,
    positions: &HashMap<Identity, usize>,
    inventory: &Inventory,
    missing_namespaces: &BTreeSet<String>,
) -> Result<Vec<(Option<usize>, Live)>> {
    let mut lists: Vec<(Resource, Option<String>)> = Vec::new();
    for GroupKind { group, kind } in &inventory.scope.kinds {
        // The version of the manifests is the one to compare; a kind that is only left over takes the preferred one.
        let in_set = set.items.iter().find_map(|item| {
            let reference = &item.manifest.reference;
            item.resource.as_ref().filter(|_| reference.group() == group && reference.kind == *kind)
        });
        let resource = match in_set {
            Some(resource) => Some(resource.clone()),
            None => cluster.preferred(group, kind).await?,
        };
        // A kind that is gone has no objects any more.
        let Some(resource) = resource else { continue };
        if resource.namespaced {
            let existing = inventory.scope.namespaces.difference(missing_namespaces);
            lists.extend(existing.map(|namespace| (resource.clone(), Some(namespace.clone()))));
        } else {
            lists.push((resource, None));
        }
    }
    let query = ListQuery { labels: Some(inventory.selector()), ..ListQuery::default() };
    let found: Vec<Vec<(Option<usize>, Live)>> = stream::iter(lists)
        .map(|(resource, namespace)| {
            let query = &query;
            async move {
                let mut found = Vec::new();
                let keep = |object: Value| {
                    let index = positions.get(&identity(&ObjectRef::of(&object))).copied();
                    found.push((index, reduce(index.and_then(|index| set.items.get(index)), object)));
                };
                cluster.list(&resource, namespace.as_deref(), query, keep).await?;
                Ok::<_, crate::error::Error>(found)
            }
        })
        .buffer_unordered(LISTS)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// Keeps of a listed object what the plan needs.
fn reduce(item: Option<&super::set::Item>, mut object: Value) -> Live {
    match item {
        Some(item)
            if is_as_wanted(&item.manifest.object, &object) && object["metadata"]["deletionTimestamp"].is_null() =>
        {
            Live::AsWanted(worth_watching(object).map(Box::new))
        }
        Some(_) => Live::Other(Box::new(object)),
        None => {
            if let Some(fields) = object.as_object_mut() {
                fields.retain(|key, _| matches!(key.as_str(), "apiVersion" | "kind" | "metadata"));
                if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
                    metadata.remove("managedFields");
                }
            }
            Live::Other(Box::new(object))
        }
    }
}

/// Objects that are wanted and exist, but are no members of the set.
async fn strangers(
    cluster: &Cluster,
    set: &DesiredSet,
    observed: &Observed,
    missing_namespaces: &BTreeSet<String>,
) -> Result<Vec<(usize, Value)>> {
    let mut groups: BTreeMap<(String, String, Option<String>), Vec<usize>> = BTreeMap::new();
    for (index, item) in set.items.iter().enumerate() {
        let namespace = item.manifest.reference.namespace.clone();
        let somewhere = !namespace.as_ref().is_some_and(|namespace| missing_namespaces.contains(namespace));
        let unseen = observed.live.get(index).is_some_and(Option::is_none);
        if let Some(resource) = item.resource.as_ref().filter(|_| somewhere && unseen) {
            groups.entry((resource.api_version(), resource.kind.clone(), namespace)).or_default().push(index);
        }
    }
    let wanted: Vec<Vec<usize>> = stream::iter(groups.into_values())
        .map(|indexes| existing(cluster, set, indexes))
        .buffer_unordered(LISTS)
        .try_collect()
        .await?;
    stream::iter(wanted.into_iter().flatten())
        .map(|index| async move { Ok(read(cluster, set, index).await?.map(|object| (index, object))) })
        .buffer_unordered(LISTS)
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await
}

/// Which of these items, all of one kind and namespace, are worth reading by name.
async fn existing(cluster: &Cluster, set: &DesiredSet, indexes: Vec<usize>) -> Result<Vec<usize>> {
    let first = indexes.first().and_then(|index| set.items.get(*index));
    let Some((item, resource)) = first.and_then(|item| Some((item, item.resource.as_ref()?))) else {
        return Ok(Vec::new());
    };
    if indexes.len() <= BY_NAME || !resource.listable {
        return Ok(indexes);
    }
    let mut names = HashSet::new();
    let query = ListQuery { metadata_only: true, ..ListQuery::default() };
    let note = |object: Value| {
        names.extend(object["metadata"]["name"].as_str().map(str::to_owned));
    };
    cluster.list(resource, item.manifest.reference.namespace.as_deref(), &query, note).await?;
    let exists =
        |index: &usize| set.items.get(*index).is_some_and(|item| names.contains(&item.manifest.reference.name));
    Ok(indexes.into_iter().filter(exists).collect())
}

async fn read(cluster: &Cluster, set: &DesiredSet, index: usize) -> Result<Option<Value>> {
    let Some(item) = set.items.get(index) else { return Ok(None) };
    let Some(resource) = &item.resource else { return Ok(None) };
    let reference = &item.manifest.reference;
    cluster.get(resource, reference.namespace.as_deref(), &reference.name).await
}
