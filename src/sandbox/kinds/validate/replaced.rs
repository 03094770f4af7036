//! How what replaces an object is judged: by steps that each kind takes in an order of its own.
//!
//! Source: `ValidateUpdate` of the strategies in `pkg/registry` of Kubernetes 1.34, and what it calls.

use serde_json::Value;

use super::{
    access, causes::Causes, claim, cluster, configuration, created, custom, definition, job, meta, pod, quota, rare,
    workload,
};
use crate::sandbox::resource::Resource;

/// What is judged.
#[derive(Clone, Copy)]
enum Step {
    /// The metadata, as of something new.
    New,
    /// The metadata against the live object's.
    Replaced,
    /// What the object holds.
    Content,
    /// What of it may not change.
    Change,
}

use Step::{Change, Content, New, Replaced};

/// The steps of a kind, in the order of its strategy.
fn steps(resource: &Resource) -> &'static [Step] {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "ReplicationController") => &[New, Content, Replaced, Content],
        ("", "PersistentVolume") => &[New, Content, New, Content, Change],
        ("", "PersistentVolumeClaim") => &[New, Content, Replaced, New, Content, Change],
        ("", "Node") => &[New, Content, Replaced, Content, Change],
        ("", "Namespace") => &[New, Content, Replaced],
        ("", "ConfigMap" | "Secret") => &[Replaced, Change, New, Content],
        ("", "ServiceAccount") => &[Replaced, New],
        ("", "Endpoints") | ("networking.k8s.io", "Ingress") => &[Replaced, New, Content],
        ("", "LimitRange") => &[New, Content],
        ("apps", "ControllerRevision") => &[Replaced, New, Change],
        ("batch", "Job") => &[New, Content, Replaced, Change],
        ("networking.k8s.io", "NetworkPolicy") => &[New, Content, Replaced, Content],
        ("networking.k8s.io", "IngressClass") => &[Replaced, Change, New, Content],
        ("rbac.authorization.k8s.io", _) => &[New, Content, New, Content, Replaced, Change],
        ("storage.k8s.io", "StorageClass") => &[New, Content, Replaced, Change],
        ("scheduling.k8s.io", "PriorityClass") => &[Replaced, Change],
        ("discovery.k8s.io", "EndpointSlice") => &[New, Content, Change],
        ("policy", "PodDisruptionBudget") => &[Content],
        ("", "ResourceQuota") | ("apiextensions.k8s.io", _) => &[Replaced, Content, Change],
        _ => &[Replaced, Content],
    }
}

pub(super) fn judge(resource: &Resource, object: &Value, live: &Value, causes: &mut Causes) {
    if resource.is_custom() {
        meta::update(object, live, causes);
        return custom::resource(resource, object, causes);
    }
    match (resource.group.as_str(), resource.kind.as_str()) {
        (_, "Event") => return rare::changed_event(resource, object, live, causes),
        ("", "Pod") => {
            replaced(resource, object, live, causes);
            meta::create(resource, object, causes);
            return pod::update(object, live, causes);
        }
        _ => {}
    }
    for step in steps(resource) {
        match step {
            New => meta::create(resource, object, causes),
            Replaced => replaced(resource, object, live, causes),
            Content if resource.kind == "Job" => job::content(object, causes),
            Content => created::content(resource, object, Some(live), causes),
            Change => change(resource, object, live, causes),
        }
    }
}

/// Judges a write by way of a subresource.
pub(super) fn judge_part(resource: &Resource, part: &str, object: &Value, live: &Value, causes: &mut Causes) {
    if resource.is_custom() {
        meta::update(object, live, causes);
        if part == "status" {
            custom::resource(resource, object, causes);
        }
        return;
    }
    if resource.kind != "PodDisruptionBudget" {
        replaced(resource, object, live, causes);
    }
    match (part, resource.group.as_str(), resource.kind.as_str()) {
        ("status", "apps", kind) if kind != "DaemonSet" => workload::status(object, causes),
        ("status", "", "Namespace") => cluster::namespace_status(object, causes),
        ("status", "", "Node") => cluster::node(object, causes),
        ("status", "", "ResourceQuota") => quota::status(object, causes),
        _ => {}
    }
}

fn replaced(resource: &Resource, object: &Value, live: &Value, causes: &mut Causes) {
    meta::update(object, live, causes);
    if meta::knows_finalizers(resource) {
        meta::standard_finalizers(object, causes);
    }
}

fn change(resource: &Resource, object: &Value, live: &Value, causes: &mut Causes) {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "PersistentVolume") => claim::changed_volume(object, live, causes),
        ("", "PersistentVolumeClaim") => claim::changed_claim(object, live, causes),
        ("", "Node") => cluster::changed_node(object, live, causes),
        ("", "ConfigMap") => configuration::fixed(object, live, &["data", "binaryData"], causes),
        ("", "Secret") => configuration::changed_secret(object, live, causes),
        ("", "ResourceQuota") => quota::changed_quota(object, live, causes),
        ("apps", "ControllerRevision") => rare::changed_revision(object, live, causes),
        ("batch", "Job") => job::changed(object, live, causes),
        ("networking.k8s.io", "IngressClass") => rare::changed_ingress_class(object, live, causes),
        ("discovery.k8s.io", "EndpointSlice") => rare::changed_endpoint_slice(object, live, causes),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            access::changed_binding(object, live, causes);
        }
        ("apiextensions.k8s.io", _) => definition::changed_definition(object, live, causes),
        ("storage.k8s.io", "StorageClass") => cluster::changed_storage_class(object, live, causes),
        ("scheduling.k8s.io", "PriorityClass") => cluster::changed_priority_class(object, live, causes),
        _ => {}
    }
}
