//! The members of a set, by the label that each carries.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::{Error, Result},
    rules::applyset::Inventory,
};

/// Lists sent at once; the client bounds the requests below.
const LISTS: usize = 16;

/// The metadata of every member. Kinds that the cluster no longer has have no members.
pub async fn members(cluster: &Cluster, inventory: &Inventory) -> Result<Vec<Value>> {
    let mut lists: Vec<(Resource, Option<&str>)> = Vec::new();
    for kind in &inventory.scope.kinds {
        let Some(resource) = cluster.preferred(&kind.group, &kind.kind).await? else { continue };
        if resource.namespaced {
            lists.extend(inventory.scope.namespaces.iter().map(|name| (resource.clone(), Some(name.as_str()))));
        } else {
            lists.push((resource, None));
        }
    }
    let query = ListQuery { labels: Some(inventory.selector()), fields: None, metadata_only: true };
    let found: Vec<Vec<Value>> = stream::iter(lists)
        .map(|(resource, namespace)| {
            let query = &query;
            async move {
                let mut found = Vec::new();
                cluster.list(&resource, namespace, query, |object| found.push(object)).await?;
                Ok::<_, Error>(found)
            }
        })
        .buffered(LISTS)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}
