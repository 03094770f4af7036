//! Which watches a wait needs, as few and as narrow as can be.

use std::collections::BTreeMap;

use futures::{Stream, StreamExt, stream};

use super::{Target, WaitRequest};
use crate::{
    cluster::{Cluster, ListQuery, Resource, WatchEvent},
    rules::{events::UNUSUAL, fields::text, selector::common_selector},
};

/// What a watch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Targets,
    Pods,
    ReplicaSets,
    Events,
}

/// One watch.
#[derive(Debug)]
pub(super) struct Needed {
    pub subject: Subject,
    pub resource: Resource,
    pub namespace: Option<String>,
    query: ListQuery,
}

/// Kinds that have pods. A pod that is deployed itself counts as its own.
pub(super) fn has_pods(target: &Target) -> bool {
    matches!(
        (target.resource.group.as_str(), target.resource.kind.as_str()),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("", "ReplicationController" | "Pod")
            | ("batch", "Job")
    )
}

/// The watches for targets that are not settled.
pub(super) fn needed(request: &WaitRequest, open: &[usize]) -> Vec<Needed> {
    let open: Vec<&Target> = open.iter().filter_map(|index| request.targets.get(*index)).collect();
    let mut watches = of_targets(request, &open);
    let mut namespaces: BTreeMap<String, Vec<&Target>> = BTreeMap::new();
    for target in open.iter().copied().filter(|target| has_pods(target) || tells_by_events(target)) {
        namespaces.entry(text(&target.object, "/metadata/namespace").to_owned()).or_default().push(target);
    }
    for (namespace, targets) in namespaces {
        let of = |subject, resource, query| Needed { subject, resource, namespace: Some(namespace.clone()), query };
        let with_pods: Vec<&Target> = targets.iter().copied().filter(|target| has_pods(target)).collect();
        let deployments: Vec<&Target> =
            with_pods.iter().copied().filter(|target| target.resource.kind == "Deployment").collect();
        if !with_pods.is_empty() {
            watches.push(of(Subject::Pods, Resource::pods(), labels(common(&with_pods))));
        }
        if !deployments.is_empty() {
            watches.push(of(Subject::ReplicaSets, Resource::replica_sets(), labels(common(&deployments))));
        }
        let query = ListQuery { fields: Some(UNUSUAL.into()), ..ListQuery::default() };
        watches.push(of(Subject::Events, Resource::events(), query));
    }
    watches
}

/// All watches as one stream; the number is that of the watch.
pub(super) fn start<'c>(cluster: &'c Cluster, needed: &[Needed]) -> impl Stream<Item = (usize, WatchEvent)> + use<'c> {
    let streams = needed.iter().enumerate().map(|(number, watch)| {
        cluster
            .watch(&watch.resource, watch.namespace.as_deref(), &watch.query)
            .map(move |event| (number, event))
            .boxed()
    });
    stream::select_all(streams)
}

/// One watch for each kind and namespace; pods come with those of workloads.
fn of_targets(request: &WaitRequest, open: &[&Target]) -> Vec<Needed> {
    let mut kinds: BTreeMap<(String, String, String, Option<String>), Vec<&Target>> = BTreeMap::new();
    for target in open
        .iter()
        .copied()
        .filter(|target| (target.resource.group.as_str(), target.resource.kind.as_str()) != ("", "Pod"))
    {
        let namespace =
            Some(text(&target.object, "/metadata/namespace").to_owned()).filter(|_| target.resource.namespaced);
        let Resource { group, version, kind, .. } = target.resource.clone();
        kinds.entry((group, version, kind, namespace)).or_default().push(target);
    }
    let watches = kinds.into_iter().filter_map(|((_, _, _, namespace), targets)| {
        let query = match targets.as_slice() {
            [only] => {
                let name = text(&only.object, "/metadata/name");
                ListQuery { fields: Some(format!("metadata.name={name}")), ..ListQuery::default() }
            }
            _ => labels(request.selector.clone()),
        };
        let resource = targets.first()?.resource.clone();
        Some(Needed { subject: Subject::Targets, resource, namespace, query })
    });
    watches.collect()
}

fn tells_by_events(target: &Target) -> bool {
    target.resource.group.is_empty() && matches!(target.resource.kind.as_str(), "PersistentVolumeClaim" | "Service")
}

fn common(targets: &[&Target]) -> Option<String> {
    common_selector(targets.iter().map(|target| &target.object))
}

fn labels(labels: Option<String>) -> ListQuery {
    ListQuery { labels, ..ListQuery::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn target(group: &str, kind: &str, text: &str) -> Target {
        let resource = Resource { group: group.into(), kind: kind.into(), ..Resource::pods() };
        Target { resource, object: yaml(text), changed: true }
    }

    fn request(targets: Vec<Target>, selector: Option<&str>) -> WaitRequest {
        WaitRequest {
            targets,
            timeout: std::time::Duration::ZERO,
            patience: Default::default(),
            since: jiff::Timestamp::UNIX_EPOCH,
            selector: selector.map(Into::into),
            known_secrets: Default::default(),
            redactor: Default::default(),
        }
    }

    fn shown(request: &WaitRequest) -> Vec<String> {
        let open: Vec<usize> = (0..request.targets.len()).collect();
        let show = |watch: Needed| {
            let fields = watch.query.fields.filter(|fields| fields != UNUSUAL).unwrap_or_default();
            format!(
                "{:?} {} {} {}{fields}",
                watch.subject,
                watch.resource.kind,
                watch.namespace.unwrap_or_default(),
                watch.query.labels.unwrap_or_default()
            )
        };
        needed(request, &open).into_iter().map(show).collect()
    }

    #[test]
    fn one_watch_for_a_kind_and_a_namespace() {
        let deployment = |name: &str| {
            target(
                "apps",
                "Deployment",
                &format!(
                    "{{metadata: {{namespace: shop, name: {name}}}, spec: {{selector: {{matchLabels: {{app: {name}, tier: x}}}}}}}}"
                ),
            )
        };
        let two = request(vec![deployment("api"), deployment("web")], Some("set=a"));
        assert_eq!(
            shown(&two),
            [
                "Targets Deployment shop set=a",
                "Pods Pod shop app in (api,web)",
                "ReplicaSets ReplicaSet shop app in (api,web)",
                "Events Event shop ",
            ]
        );
        let one = request(vec![deployment("api")], Some("set=a"));
        assert_eq!(shown(&one).first().map(String::as_str), Some("Targets Deployment shop metadata.name=api"));
    }

    #[test]
    fn kinds_without_pods_need_less() {
        let definition = target("apiextensions.k8s.io", "CustomResourceDefinition", "{metadata: {name: a.b}}");
        let definition = Target { resource: Resource { namespaced: false, ..definition.resource }, ..definition };
        let claim = target("", "PersistentVolumeClaim", "{metadata: {namespace: shop, name: data}}");
        assert_eq!(
            shown(&request(vec![definition, claim], None)),
            [
                "Targets PersistentVolumeClaim shop metadata.name=data",
                "Targets CustomResourceDefinition  metadata.name=a.b",
                "Events Event shop "
            ]
        );
    }

    #[test]
    fn a_pod_of_its_own_is_watched_with_the_others() {
        let pod = target("", "Pod", "{metadata: {namespace: shop, name: once}}");
        let job = target(
            "batch",
            "Job",
            "{metadata: {namespace: shop, name: job}, spec: {selector: {matchLabels: {batch.kubernetes.io/controller-uid: u}}}}",
        );
        assert_eq!(
            shown(&request(vec![pod, job], None)),
            ["Targets Job shop metadata.name=job", "Pods Pod shop ", "Events Event shop "]
        );
    }
}
