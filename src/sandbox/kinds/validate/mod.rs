//! What is refused, and in which words: a file for each group of kinds.
//!
//! Source: `pkg/apis/*/validation` of Kubernetes 1.34. The order of the causes is that of its code.

mod access;
mod causes;
mod claim;
mod cluster;
mod common;
mod configuration;
mod container;
mod custom;
mod environment;
mod job;
mod meta;
mod mounts;
mod networking;
mod placement;
mod pod;
mod probe;
mod resources;
mod scaling;
mod schedule;
mod security;
mod service;
mod text;
mod volume;
mod workload;

use serde_json::Value;

use self::causes::{Causes, Path};
use crate::sandbox::{problem::ProblemCause, resource::Resource};

/// Judges an object that is created (`live` is None), replaced, or written by way of a subresource. No causes: it is
/// accepted.
pub fn validate(resource: &Resource, subresource: &str, object: &Value, live: Option<&Value>) -> Vec<ProblemCause> {
    let mut causes = Causes::default();
    // Reviews are answered, not kept: they have no name.
    if resource.verbs == ["create"] {
        return Vec::new();
    }
    match live {
        None => meta::create(resource, object, &mut causes),
        Some(live) => {
            // The rules for all kinds, and those of the kind, which begin with the same.
            meta::update(object, live, &mut causes);
            meta::update(object, live, &mut causes);
            if !resource.is_custom() {
                meta::standard_finalizers(object, &mut causes);
            }
        }
    }
    match subresource {
        "" => content(resource, object, live, &mut causes),
        "status" if resource.group == "apps" && resource.kind != "DaemonSet" => workload::status(object, &mut causes),
        "status" if resource.group.is_empty() && resource.kind == "Namespace" => {
            cluster::namespace_status(object, &mut causes);
        }
        "status" if resource.is_custom() => custom::resource(resource, object, &mut causes),
        _ => {}
    }
    if live.is_none() && causes.is_empty() {
        meta::create_any(resource, object, &mut causes);
    }
    causes.into_found()
}

fn content(resource: &Resource, object: &Value, live: Option<&Value>, causes: &mut Causes) {
    if resource.is_custom() {
        return custom::resource(resource, object, causes);
    }
    match (resource.group.as_str(), resource.kind.as_str(), live) {
        ("", "Pod", None) => pod::create(object, causes),
        ("", "Pod", Some(live)) => pod::update(object, live, causes),
        ("", "PodTemplate", _) => {
            let template = object.get("template").unwrap_or(&Value::Null);
            pod::template(template, &Path::Root.to("template"), causes);
        }
        ("", "ReplicationController", _) => workload::replication_controller(object, causes),
        ("", "Service", _) => service::service(object, live, causes),
        ("", "PersistentVolumeClaim", _) => claim::claim(object, live, causes),
        ("", "PersistentVolume", _) => claim::volume(object, live, causes),
        ("", "ConfigMap", _) => configuration::config_map(object, live, causes),
        ("", "Secret", _) => configuration::secret(object, live, causes),
        ("apps", "Deployment", _) => workload::deployment(object, live, causes),
        ("apps", "ReplicaSet", _) => workload::replica_set(object, live, causes),
        ("apps", "StatefulSet", _) => workload::stateful_set(object, live, causes),
        ("apps", "DaemonSet", _) => workload::daemon_set(object, live, causes),
        ("batch", "Job", None) => job::create(object, causes),
        ("batch", "Job", Some(live)) => job::update(object, live, causes),
        ("batch", "CronJob", _) => job::cron(object, live, causes),
        ("", "Node", _) => cluster::node(object, causes),
        ("", "LimitRange", _) => cluster::limits(object, causes),
        ("apiextensions.k8s.io", "CustomResourceDefinition", _) => cluster::definition(object, causes),
        ("", "ResourceQuota", _) => cluster::quota(object, causes),
        ("", "Endpoints", _) => cluster::endpoints(object, causes),
        ("autoscaling", "HorizontalPodAutoscaler", _) => scaling::autoscaler(object, causes),
        ("policy", "PodDisruptionBudget", _) => scaling::budget(object, causes),
        ("networking.k8s.io", "Ingress", _) => networking::ingress(object, live, causes),
        ("networking.k8s.io", "NetworkPolicy", _) => networking::policy(object, causes),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole", _) => access::role(resource, object, causes),
        ("rbac.authorization.k8s.io", _, _) => access::binding(resource, object, live, causes),
        ("storage.k8s.io", "StorageClass", _) => cluster::storage_class(object, live, causes),
        ("scheduling.k8s.io", "PriorityClass", _) => cluster::priority_class(object, live, causes),
        ("coordination.k8s.io", "Lease", _) => cluster::lease(object, causes),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
