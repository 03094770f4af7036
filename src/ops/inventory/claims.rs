//! The claims that StatefulSets made: no members of the set, but of no use to anything else.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery},
    error::Result,
    model::ObjectRef,
    rules::prune,
};

/// The metadata of the claims that the StatefulSets among the members made from their templates.
pub async fn made_claims(cluster: &Cluster, members: &[Value]) -> Result<Vec<Value>> {
    let mut prefixes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for member in members.iter().map(ObjectRef::of) {
        let (true, Some(namespace)) = (member.group() == "apps" && member.kind == "StatefulSet", &member.namespace)
        else {
            continue;
        };
        let Some(resource) = cluster.resource(&member.api_version, &member.kind).await? else { continue };
        if let Some(set) = cluster.get(&resource, Some(namespace), &member.name).await? {
            prefixes.entry(namespace.clone()).or_default().extend(prune::made_claims(&set));
        }
    }
    let Some(resource) = cluster.resource("v1", "PersistentVolumeClaim").await? else { return Ok(Vec::new()) };
    let query = ListQuery { metadata_only: true, ..ListQuery::default() };
    let is_member = |claim: &Value| members.iter().any(|member| member["metadata"]["uid"] == claim["metadata"]["uid"]);
    let mut claims = Vec::new();
    for (namespace, prefixes) in prefixes.into_iter().filter(|(_, prefixes)| !prefixes.is_empty()) {
        let note = |claim: Value| {
            if prune::is_made_claim(&prefixes, &ObjectRef::of(&claim).name) && !is_member(&claim) {
                claims.push(claim);
            }
        };
        cluster.list(&resource, Some(&namespace), &query, note).await?;
    }
    Ok(claims)
}
