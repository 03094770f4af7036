//! Reads what has to do with storage: claims, volumes and pods at once, and only when they matter workloads and events.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::{Error, Result},
    rules::{
        fields::text,
        storage::{ClaimUser, PodUse, Scene, pod_use, workload_claims},
    },
};

/// The kinds whose pods may mount claims, and that make or keep them.
const WORKLOADS: [(&str, &str); 5] =
    [("apps", "StatefulSet"), ("apps", "Deployment"), ("apps", "DaemonSet"), ("batch", "Job"), ("batch", "CronJob")];

/// What there is in the namespaces, or everywhere. What may not be listed is noted, and the scene says that it is not
/// complete.
///
/// # Errors
/// Failed, when the claims cannot be listed.
pub(super) async fn read(
    cluster: &Cluster,
    namespaces: &[String],
    selector: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Scene> {
    let labelled = ListQuery { labels: selector.map(str::to_owned), ..ListQuery::default() };
    let (mut claims, mut pods): (Vec<Value>, Vec<PodUse>) = (Vec::new(), Vec::new());
    let mut volumes = Vec::new();
    let (claims_kind, pods_kind, volumes_kind) = (Resource::claims(), Resource::pods(), Resource::volumes());
    let everything = ListQuery::default();
    let (listed, pods_listed, volumes_listed) = tokio::join!(
        list(cluster, &claims_kind, namespaces, &labelled, |claim| claims.push(bare(claim))),
        list(cluster, &pods_kind, namespaces, &everything, |pod| pods.extend(pod_use(&pod))),
        cluster.list(&volumes_kind, None, &everything, |volume| volumes.push(bare(volume))),
    );
    listed?;
    let pods_seen = seen(pods_listed, "which pods mount a claim is not known", notes)?;
    seen(volumes_listed.map(drop), "volumes without a claim are not listed", notes)?;
    let mut scene = Scene { claims, volumes, pods, pods_seen, users_seen: true, ..Scene::default() };
    let used: BTreeSet<(&str, &str)> = scene
        .pods
        .iter()
        .filter(|pod| !pod.ended)
        .flat_map(|pod| pod.mounts.iter().map(|mount| (pod.namespace.as_str(), mount.claim.as_str())))
        .collect();
    let mounted = |claim: &Value| used.contains(&(text(claim, "/metadata/namespace"), text(claim, "/metadata/name")));
    if pods_seen && scene.claims.iter().any(|claim| !mounted(claim)) {
        let users = users(cluster, namespaces).await;
        scene.users_seen = users.is_ok();
        match users {
            Ok(users) => scene.users = users,
            Err(error) => scene.users_seen = seen(Err(error), "whose an unmounted claim is, is not known", notes)?,
        }
    }
    if scene.claims.iter().any(|claim| text(claim, "/status/phase") == "Pending") {
        let query =
            ListQuery { fields: Some("involvedObject.kind=PersistentVolumeClaim".into()), ..ListQuery::default() };
        let events = &mut scene.events;
        let listed = list(cluster, &Resource::events(), namespaces, &query, |event| events.push(bare(event))).await;
        seen(listed, "why a claim is pending is not known", notes)?;
    }
    Ok(scene)
}

/// Whether a list could be had; one that is refused is noted with what is missing without it.
fn seen(listed: Result<()>, without: &str, notes: &mut Vec<String>) -> Result<bool> {
    match listed {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.code(), 403 | 404) => {
            notes.push(format!("{without}: {}", error.message()));
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

async fn list(
    cluster: &Cluster,
    resource: &Resource,
    namespaces: &[String],
    query: &ListQuery,
    mut each: impl FnMut(Value),
) -> Result<()> {
    if namespaces.is_empty() {
        return cluster.list(resource, None, query, each).await.map(drop);
    }
    for namespace in namespaces {
        cluster.list(resource, Some(namespace), query, &mut each).await?;
    }
    Ok(())
}

async fn users(cluster: &Cluster, namespaces: &[String]) -> Result<Vec<ClaimUser>, Error> {
    let lists = WORKLOADS.map(|(group, kind)| async move {
        let mut users = Vec::new();
        if let Some(resource) = cluster.preferred(group, kind).await? {
            let keep = |object: Value| users.extend(workload_claims(&object));
            list(cluster, &resource, namespaces, &ListQuery::default(), keep).await?;
        }
        Ok::<_, Error>(users)
    });
    Ok(futures::future::try_join_all(lists).await?.into_iter().flatten().collect())
}

/// Without what nobody reads here.
fn bare(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    object
}
