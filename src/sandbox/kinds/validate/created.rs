//! How what is created is judged: the metadata, what the kind holds, and the metadata once more by the rule for all.

use serde_json::Value;

use super::{
    access,
    causes::{Causes, Path},
    claim, cluster, configuration, custom, definition, job, meta, networking, pod, quota, rare, scaling, service,
    workload,
};
use crate::sandbox::resource::Resource;

pub(super) fn judge(resource: &Resource, object: &Value, causes: &mut Causes) {
    if resource.is_custom() {
        meta::create(resource, object, causes);
        custom::resource(resource, object, causes);
    } else {
        kind(resource, object, causes);
    }
    if causes.is_empty() {
        meta::create_any(resource, object, causes);
    }
}

fn kind(resource: &Resource, object: &Value, causes: &mut Causes) {
    let name = (resource.group.as_str(), resource.kind.as_str());
    if name.1 == "Event" {
        return rare::event(resource, object, causes);
    }
    meta::create(resource, object, causes);
    match name {
        ("", "Pod") => pod::create(object, causes),
        ("batch", "Job") => job::create(object, causes),
        ("batch", "CronJob") => {
            job::cron(object, None, causes);
            job::cron_name(object, causes);
        }
        ("apps", "ControllerRevision") => rare::new_revision(object, causes),
        ("scheduling.k8s.io", "PriorityClass") => cluster::new_priority_class(object, causes),
        _ => content(resource, object, None, causes),
    }
}

/// What an object of the kind holds, by the rules that creation and replacement share; `live` is what it replaces.
pub(super) fn content(resource: &Resource, object: &Value, live: Option<&Value>, causes: &mut Causes) {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "PodTemplate") => {
            let template = object.get("template").unwrap_or(&Value::Null);
            pod::template(template, &Path::Root.to("template"), causes);
        }
        ("", "ReplicationController") => workload::replication_controller(object, causes),
        ("", "Service") => service::service(object, live, causes),
        ("", "PersistentVolumeClaim") => claim::claim(object, causes),
        ("", "PersistentVolume") => claim::volume(object, causes),
        ("", "ConfigMap") => configuration::config_map(object, causes),
        ("", "Secret") => configuration::secret(object, causes),
        ("apps", "Deployment") => workload::deployment(object, live, causes),
        ("apps", "ReplicaSet") => workload::replica_set(object, live, causes),
        ("apps", "StatefulSet") => workload::stateful_set(object, live, causes),
        ("apps", "DaemonSet") => workload::daemon_set(object, live, causes),
        ("batch", "CronJob") => job::cron(object, live, causes),
        ("", "Namespace") => cluster::namespace(object, causes),
        ("", "Node") => cluster::node(object, causes),
        ("", "LimitRange") => quota::limits(object, causes),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition::definition(object, causes),
        ("", "ResourceQuota") => quota::quota(object, causes),
        ("", "Endpoints") => cluster::endpoints(object, causes),
        ("autoscaling", "HorizontalPodAutoscaler") => scaling::autoscaler(object, causes),
        ("policy", "PodDisruptionBudget") => scaling::budget(object, causes),
        ("networking.k8s.io", "Ingress") => networking::ingress(object, live, causes),
        ("networking.k8s.io", "IngressClass") => rare::ingress_class(object, causes),
        ("networking.k8s.io", "NetworkPolicy") => networking::policy(object, causes),
        ("discovery.k8s.io", "EndpointSlice") => rare::endpoint_slice(object, live, causes),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => access::role(resource, object, causes),
        ("rbac.authorization.k8s.io", _) => access::binding(resource, object, causes),
        ("storage.k8s.io", "StorageClass") => cluster::storage_class(object, causes),
        ("coordination.k8s.io", "Lease") => cluster::lease(object, causes),
        _ => {}
    }
}
