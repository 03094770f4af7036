//! The core group, but for pods.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::super::edit::{Edit, Fields, Read};

pub(super) fn fill(name: &str, object: &mut Fields) {
    match name {
        "Service" => service(object),
        "ReplicationController" => replication_controller(object),
        "PersistentVolumeSpec" => {
            object.or("persistentVolumeReclaimPolicy", "Retain");
            object.or("volumeMode", "Filesystem");
        }
        "PersistentVolumeClaimSpec" => object.or("volumeMode", "Filesystem"),
        "PersistentVolumeStatus" | "PersistentVolumeClaimStatus" => object.or("phase", "Pending"),
        "NamespaceStatus" => object.or("phase", "Active"),
        "Namespace" => namespace(object),
        "NodeSpec" => {
            if object.text(&["podCIDR"]).is_empty()
                && let Some(first) = object.items(&["podCIDRs"]).first().cloned()
            {
                object.insert("podCIDR".into(), first);
            }
            let range = object.text(&["podCIDR"]).to_owned();
            if !range.is_empty() {
                object.or("podCIDRs", json!([range]));
            }
        }
        "NodeStatus" => {
            if let Some(capacity) = object.get("capacity").cloned() {
                object.or("allocatable", capacity);
            }
        }
        "EndpointPort" => object.or("protocol", "TCP"),
        "Secret" => object.or("type", "Opaque"),
        "LimitRangeItem" => limits(object),
        _ => {}
    }
}

fn namespace(object: &mut Fields) {
    let name = object.text(&["metadata", "name"]).to_owned();
    if name.is_empty() {
        return;
    }
    if let Some(labels) = object.within("metadata").and_then(|metadata| metadata.within("labels")) {
        labels.insert("kubernetes.io/metadata.name".into(), json!(name));
    }
}

fn service(object: &mut Fields) {
    let Some(spec) = object.within("spec") else { return };
    spec.or_text("sessionAffinity", "None");
    match spec.text(&["sessionAffinity"]) {
        "None" => {
            spec.shift_remove("sessionAffinityConfig");
        }
        "ClientIP" if !spec.has(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]) => {
            spec.insert("sessionAffinityConfig".into(), json!({"clientIP": {"timeoutSeconds": 10800}}));
        }
        _ => {}
    }
    spec.or_text("type", "ClusterIP");
    for port in spec.each("ports") {
        port.or_text("protocol", "TCP");
        let number = port.get("port").cloned().unwrap_or(json!(0));
        if matches!(port.get("targetPort"), Some(target) if *target == json!(0) || *target == json!("")) {
            port.shift_remove("targetPort");
        }
        port.or("targetPort", number);
    }
    let external = !spec.items(&["externalIPs"]).is_empty() && spec.text(&["type"]) == "ClusterIP";
    let outside = matches!(spec.text(&["type"]), "NodePort" | "LoadBalancer");
    if outside || external {
        spec.or_text("externalTrafficPolicy", "Cluster");
    }
    if outside || spec.text(&["type"]) == "ClusterIP" {
        spec.or("internalTrafficPolicy", "Cluster");
    }
    if spec.text(&["type"]) == "LoadBalancer" {
        spec.or("allocateLoadBalancerNodePorts", true);
    }
    let Some(balancer) = object.inside("status").and_then(|status| status.inside("loadBalancer")) else { return };
    for ingress in balancer.each("ingress").filter(|ingress| !ingress.text(&["ip"]).is_empty()) {
        ingress.or("ipMode", "VIP");
    }
}

fn replication_controller(object: &mut Fields) {
    let Some(labels) = object.at(&["spec", "template", "metadata", "labels"]).cloned() else { return };
    if labels.as_object().is_none_or(Fields::is_empty) {
        return;
    }
    let empty = |found: Option<&Fields>| found.is_none_or(Fields::is_empty);
    if empty(object.fields(&["spec", "selector"]))
        && let Some(spec) = object.within("spec")
    {
        spec.insert("selector".into(), labels.clone());
    }
    if empty(object.fields(&["metadata", "labels"]))
        && let Some(metadata) = object.within("metadata")
    {
        metadata.insert("labels".into(), labels);
    }
}

fn limits(object: &mut Fields) {
    if object.text(&["type"]) != "Container" {
        return;
    }
    for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
        let source = object.fields(&[from]).cloned().unwrap_or_default();
        if source.is_empty() {
            continue;
        }
        let Some(target) = object.within(to) else { continue };
        for (resource, amount) in source {
            target.or(&resource, amount);
        }
    }
}

/// Moves `stringData` into `data`: it is written only, never read.
pub(super) fn text_of_secret(object: &mut Fields) {
    let Some(Value::Object(texts)) = object.shift_remove("stringData") else { return };
    let Some(data) = object.within("data") else { return };
    for (key, text) in texts {
        data.insert(key, json!(BASE64_STANDARD.encode(text.as_str().unwrap_or_default())));
    }
}
