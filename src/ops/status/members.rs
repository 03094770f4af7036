//! The members of an application that are of no kind of Kubernetes' own.

use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery},
    context::Ctx,
    error::Result,
    model::ScopeRequest,
    ops::{inventory, revisions::located, scope::Scope},
    rules::readiness::is_built_in,
};

/// The custom resources of the application that a scope is, by the kinds that its inventory names.
pub(super) async fn custom(ctx: &Ctx, cluster: &Cluster, request: &ScopeRequest, scope: &Scope) -> Result<Vec<Value>> {
    if scope.application.is_none() {
        return Ok(Vec::new());
    }
    let (name, namespace) = located(ctx, cluster, &request.target).await?;
    let Some(inventory) = inventory::find(cluster, &name, &namespace).await? else { return Ok(Vec::new()) };
    let query = ListQuery { labels: Some(inventory.selector()), ..ListQuery::default() };
    let mut members = Vec::new();
    for kind in inventory.scope.kinds.iter().filter(|kind| !is_built_in(&kind.group)) {
        let Some(resource) = cluster.preferred(&kind.group, &kind.kind).await? else { continue };
        let places: Vec<Option<&str>> = match resource.namespaced {
            true => inventory.scope.namespaces.iter().map(|name| Some(name.as_str())).collect(),
            false => vec![None],
        };
        for place in places {
            cluster.list(&resource, place, &query, |object| members.push(object)).await?;
        }
    }
    Ok(members)
}
