//! What decides or limits a number of replicas, as far as it may be read.

use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::Result,
    rules::scaling::Room,
};

/// The objects of a kind in a namespace. A kind that is not there has none, and one that may not be read is told.
pub(super) async fn listed(
    ctx: &Ctx,
    cluster: &Cluster,
    (group, kind): (&str, &str),
    namespace: &str,
) -> Result<Vec<(Resource, Value)>> {
    let Some(resource) = cluster.preferred(group, kind).await? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let keep = |object| found.push((resource.clone(), object));
    match cluster.list(&resource, Some(namespace), &ListQuery::default(), keep).await {
        Err(error) if error.code() == 403 => {
            ctx.warn(format!("{} are not considered: {error}", resource.plural));
            Ok(Vec::new())
        }
        listed => listed.map(|_| found),
    }
}

/// The nodes and what is taken of them; None where they may not be read.
pub(super) async fn room(ctx: &Ctx, cluster: &Cluster) -> Result<Option<Room>> {
    let Some(nodes) = cluster.preferred("", "Node").await? else { return Ok(None) };
    let mut room = Room::default();
    let read = cluster.list(&nodes, None, &ListQuery::default(), |node| room.add_node(node)).await;
    let read = match read {
        Ok(_) => {
            let unfinished = "status.phase!=Succeeded,status.phase!=Failed,spec.nodeName!=".to_owned();
            let query = ListQuery { fields: Some(unfinished), ..ListQuery::default() };
            cluster.list(&Resource::pods(), None, &query, |pod| room.add_pod(&pod)).await
        }
        refused => refused,
    };
    match read {
        Err(error) if error.code() == 403 => {
            ctx.note(format!("whether the nodes have room is not known: {error}"));
            Ok(None)
        }
        read => read.map(|_| Some(room)),
    }
}
