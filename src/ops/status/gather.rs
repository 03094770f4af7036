//! Fills a scene with what surrounds the objects of a scope: one list for each kind and namespace, side by side.

use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::{Error, Result},
    ops::scope::{Found, Scope},
    rules::{
        events::UNUSUAL,
        scope::pods,
        selector::common_selector,
        status::{Scene, Subject},
    },
};

/// How long the metrics API may keep the answer waiting: it is not the cluster's own, and often ill.
const METRICS: Duration = Duration::from_secs(2);

/// One list.
#[derive(Debug, Clone)]
pub(super) struct Needed {
    pub subject: Subject,
    pub resource: Resource,
    pub namespace: Option<String>,
    pub query: ListQuery,
}

/// The lists for a scope. `everything` says that pods count whoever owns them, `open` that more workloads may come.
pub(super) fn needed(scope: &Scope, everything: bool, open: bool) -> Vec<Needed> {
    let places: Vec<Option<String>> = match scope.namespaces.as_slice() {
        [] => vec![None],
        named => named.iter().cloned().map(Some).collect(),
    };
    let mut needed = Vec::new();
    let mut add = |subject, resource: &Resource, place: &Option<String>, query: ListQuery| {
        needed.push(Needed { subject, resource: resource.clone(), namespace: place.clone(), query });
    };
    for place in &places {
        let here: Vec<&Found> =
            scope.found.iter().filter(|found| place.is_none() || found.reference().namespace == *place).collect();
        let of_kind = |kind: &str| open || here.iter().any(|found| found.resource.kind == kind);
        let pods = pod_query(&here, everything || open);
        if let Some(query) = &pods {
            add(Subject::Pod, &Resource::pods(), place, query.clone());
            add(Subject::Metrics, &Resource::pod_metrics(), place, ListQuery { fields: None, ..query.clone() });
        }
        if of_kind("Deployment") {
            let deployments = here.iter().filter(|found| found.resource.kind == "Deployment");
            let labels = common_selector(deployments.map(|found| &found.object)).filter(|_| !open);
            add(Subject::ReplicaSet, &Resource::replica_sets(), place, labelled(labels));
        }
        if of_kind("CronJob") {
            add(Subject::Job, &Resource::jobs(), place, ListQuery::default());
        }
        if of_kind("StatefulSet") || of_kind("Deployment") {
            add(Subject::Autoscaler, &Resource::autoscalers(), place, ListQuery::default());
        }
        if pods.is_some() {
            add(Subject::Service, &Resource::services(), place, ListQuery::default());
            add(Subject::EndpointSlice, &Resource::endpoint_slices(), place, ListQuery::default());
            add(Subject::Ingress, &Resource::ingresses(), place, ListQuery::default());
            add(Subject::Budget, &Resource::disruption_budgets(), place, ListQuery::default());
            add(Subject::Claim, &Resource::claims(), place, ListQuery::default());
        }
        add(
            Subject::Event,
            &Resource::events(),
            place,
            ListQuery { fields: Some(UNUSUAL.into()), ..ListQuery::default() },
        );
    }
    // A node is in no namespace, and its pods are in all.
    for found in scope.found.iter().filter(|found| !found.resource.namespaced) {
        if let Some(query) = pods(&found.object) {
            let query = ListQuery { labels: query.labels, fields: query.fields, ..ListQuery::default() };
            add(Subject::Pod, &Resource::pods(), &None, query);
        }
    }
    needed
}

fn labelled(labels: Option<String>) -> ListQuery {
    ListQuery { labels, ..ListQuery::default() }
}

/// What narrows the pods to those of the objects; None where they have none.
fn pod_query(here: &[&Found], everything: bool) -> Option<ListQuery> {
    if everything {
        return Some(ListQuery::default());
    }
    let queries: Vec<_> = here.iter().filter_map(|found| Some((found, pods(&found.object)?))).collect();
    match queries.as_slice() {
        // A custom resource may have pods whatever they are called.
        [] => here.iter().any(|found| !found.resource.group.is_empty()).then(ListQuery::default),
        [(_, only)] => {
            Some(ListQuery { labels: only.labels.clone(), fields: only.fields.clone(), ..ListQuery::default() })
        }
        several => Some(labelled(common_selector(several.iter().map(|(found, _)| &found.object)))),
    }
}

/// Lists everything that is needed into the scene. What may not be read becomes a note.
///
/// # Errors
/// Failed when the pods themselves may not be listed; unreachable when nothing answers.
pub(super) async fn gather(cluster: &Cluster, scene: &mut Scene, needed: &[Needed]) -> Result<()> {
    let (of_pods, others): (Vec<&Needed>, Vec<&Needed>) = needed.iter().partition(|list| list.subject == Subject::Pod);
    let pods = async {
        for list in of_pods {
            let keep = |json: &str| scene.pod(json);
            cluster.list_texts(&list.resource, list.namespace.as_deref(), &list.query, keep).await?;
        }
        Ok::<(), Error>(())
    };
    let others = join_all(others.into_iter().map(|list| async move { (list, objects(cluster, list).await) }));
    let (pods, others) = tokio::join!(pods, others);
    pods?;
    for (list, answer) in others {
        match answer {
            Ok(objects) => objects.into_iter().for_each(|object| scene.seen(list.subject, object)),
            Err(error) => unread(scene, list, error)?,
        }
    }
    Ok(())
}

async fn objects(cluster: &Cluster, list: &Needed) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    let listing = cluster.list(&list.resource, list.namespace.as_deref(), &list.query, |object| objects.push(object));
    match list.subject {
        Subject::Metrics => {
            let late =
                || Error::failed(format!("listing pods.metrics.k8s.io: no answer within {} s", METRICS.as_secs()));
            tokio::time::timeout(METRICS, listing).await.unwrap_or_else(|_| Err(late()))?
        }
        _ => listing.await?,
    };
    Ok(objects)
}

/// A kind that may not be read, or is not there, is said in one line.
pub(super) fn unread(scene: &mut Scene, list: &Needed, error: Error) -> Result<()> {
    let missing = match list.subject {
        // A cluster without a metrics API has nothing to say of use, which needs no words.
        Subject::Metrics if error.code() == 404 => return Ok(()),
        Subject::Metrics => "the use of CPU and memory is not shown",
        Subject::Event => "causes may be missing, because events cannot be read",
        Subject::EndpointSlice => "ready endpoints are not counted",
        Subject::ReplicaSet => "revisions are not told apart",
        Subject::Service => "Services are not shown",
        Subject::Ingress => "URLs of Ingresses are not shown",
        Subject::Claim => "claims are not shown",
        Subject::Autoscaler => "autoscalers are not shown",
        Subject::Budget => "disruption budgets are not shown",
        Subject::Job => "the Jobs of CronJobs are not shown",
        Subject::Workload | Subject::Pod => return Err(error),
    };
    if error.code() == 0 && list.subject != Subject::Metrics {
        return Err(error);
    }
    scene.cannot_read(list.subject, format!("{missing}: {error}"));
    Ok(())
}
