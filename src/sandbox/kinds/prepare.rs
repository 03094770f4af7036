//! What the API server changes in an object before it stores it: who may write the status, and when the generation grows.
//!
//! Source: `pkg/registry/*/*/strategy.go` of Kubernetes 1.34.

use serde_json::{Map, Value, json};

use super::{
    edit::{Edit, Fields, Read},
    fill::fill,
    service,
};
use crate::{
    sandbox::resource::Resource,
    schema::{Shape, TypeId},
};

/// The annotation in which a DaemonSet of apps/v1 keeps how often its template changed.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Prepares an object that has its name, uid and time of creation already.
pub fn prepare_create(resource: &Resource, object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    if has_status(resource) && resource.kind != "Node" {
        fields.shift_remove("status");
        new_status(resource, fields);
    }
    if counts_generations(resource)
        && let Some(metadata) = fields.within("metadata")
    {
        metadata.insert("generation".into(), json!(1));
    }
    if resource.is_custom() {
        return;
    }
    match resource.kind.as_str() {
        "Namespace" => {
            namespace_finalizer(fields);
            let name = fields.text(&["metadata", "name"]).to_owned();
            if let Some(labels) = fields.within("metadata").and_then(|metadata| metadata.within("labels")) {
                labels.insert("kubernetes.io/metadata.name".into(), json!(name));
            }
        }
        "Job" => job_selector(fields),
        "Service" => service::without_traffic(fields),
        "DaemonSet" => template_generation(fields, 1),
        "PersistentVolumeClaim" => data_sources(fields),
        "ServiceAccount" => secret_references(fields),
        "CertificateSigningRequest" => requester(fields),
        _ => {}
    }
}

/// Prepares an object that replaces another, as a whole (`subresource` is empty) or by way of a subresource.
///
/// `now` is the time as the API writes it.
pub fn prepare_update(resource: &Resource, subresource: &str, new: &mut Value, live: &Value, now: &str) {
    let (Some(new), Some(live)) = (new.as_object_mut(), live.as_object()) else { return };
    keep_generation(new, live);
    match subresource {
        "status" => {
            keep_all_but_status(resource, new, live);
            if resource.kind == "PersistentVolume" && !resource.is_custom() {
                phase_time(new, live, now);
            }
            return;
        }
        "approval" => return keep_all_but_conditions(new, live),
        "finalize" => return new.copy("status", live),
        "ephemeralcontainers" | "resize" => keep_all_but_containers(subresource, new, live),
        _ => {
            if has_status(resource) {
                new.copy("status", live);
            }
            prepare_kind(resource, new, live);
        }
    }
    let changed = changes_generation(resource, new, live);
    if changed && let Some(metadata) = new.within("metadata") {
        let generation = live.number(&["metadata", "generation"]).unwrap_or_default();
        metadata.insert("generation".into(), json!(generation + 1));
    }
}

fn prepare_kind(resource: &Resource, new: &mut Fields, live: &Fields) {
    if resource.is_custom() {
        return;
    }
    match resource.kind.as_str() {
        "Namespace" => keep(new, live, "spec", "finalizers"),
        "Pod" => super::admit::update(new, live),
        "DaemonSet" => {
            let text = live.text(&["metadata", "annotations", TEMPLATE_GENERATION]);
            let changed = new.at(&["spec", "template"]) != live.at(&["spec", "template"]);
            template_generation(new, text.parse::<i64>().unwrap_or_default() + i64::from(changed));
        }
        "PersistentVolumeClaim" => data_sources(new),
        "ServiceAccount" => secret_references(new),
        "Service" => service::prepare_update(new, live),
        "CertificateSigningRequest" => new.copy("spec", live),
        _ => {}
    }
}

/// Whether the status is written through its subresource only.
fn has_status(resource: &Resource) -> bool {
    resource.subresources.iter().any(|name| name == "status")
}

/// The status of what has just been made.
fn new_status(resource: &Resource, object: &mut Fields) {
    if resource.is_custom() {
        return;
    }
    let status = match resource.kind.as_str() {
        "Pod" => super::pod::first_status(object),
        "Namespace" => json!({"phase": "Active"}),
        "PersistentVolume" => {
            json!({"phase": "Pending", "lastPhaseTransitionTime": object.at(&["metadata", "creationTimestamp"])})
        }
        "CustomResourceDefinition" => {
            let versions = object.items(&["spec", "versions"]).iter();
            let stored: Vec<&str> = versions
                .filter(|version| version.is_true(&["storage"]))
                .map(|version| version.text(&["name"]))
                .collect();
            json!({"storedVersions": stored})
        }
        _ => json!({}),
    };
    object.insert("status".into(), status);
    fill_part(resource, object, "status");
}

/// Fills in one field of an object again.
fn fill_part(resource: &Resource, object: &mut Fields, name: &str) {
    let root = resource.root.and_then(|root| resource.schema.get(root));
    let shape = root.and_then(|root| root.field(name)).map(|field| &field.shape);
    if let (Some(Shape::Object(id)), Some(part)) = (shape, object.inside(name)) {
        fill(&resource.schema, TypeId(id.0), part);
    }
}

/// Whether objects of the kind count their generations.
fn counts_generations(resource: &Resource) -> bool {
    const COUNTING: [&str; 24] = [
        "Pod",
        "PodTemplate",
        "ReplicationController",
        "Deployment",
        "DaemonSet",
        "ReplicaSet",
        "StatefulSet",
        "CronJob",
        "Job",
        "Ingress",
        "IngressClass",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "EndpointSlice",
        "PriorityClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "FlowSchema",
        "PriorityLevelConfiguration",
        "CustomResourceDefinition",
        "ResourceSlice",
        "DeviceClass",
    ];
    resource.is_custom() || COUNTING.contains(&resource.kind.as_str())
}

fn changes_generation(resource: &Resource, new: &Fields, live: &Fields) -> bool {
    let differs = |keys: &[&str]| new.at(keys) != live.at(keys);
    let content = |keys: &'static [&'static str]| {
        let part = |fields: &Fields| -> Fields {
            fields
                .iter()
                .filter(|(key, _)| !keys.contains(&key.as_str()))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        };
        part(new) != part(live)
    };
    if resource.is_custom() {
        return match has_status(resource) {
            true => content(&["apiVersion", "metadata", "status"]),
            false => content(&["apiVersion", "metadata"]),
        };
    }
    match resource.kind.as_str() {
        "Deployment" => differs(&["spec"]) || differs(&["metadata", "annotations"]),
        "PodTemplate" => differs(&["template"]),
        "EndpointSlice" => content(&["apiVersion", "kind", "metadata"]) || differs(&["metadata", "labels"]),
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => differs(&["webhooks"]),
        "PriorityClass" => false,
        "CSIDriver" => differs(&["spec"]),
        _ => counts_generations(resource) && differs(&["spec"]),
    }
}

fn keep_generation(new: &mut Fields, live: &Fields) {
    if let (Some(new), Some(live)) = (new.within("metadata"), live.fields(&["metadata"])) {
        new.copy("generation", live);
    }
}

/// A volume says since when it is in its phase.
fn phase_time(new: &mut Fields, live: &Fields, now: &str) {
    const SINCE: &str = "lastPhaseTransitionTime";
    let same_phase = new.text(&["status", "phase"]) == live.text(&["status", "phase"]);
    let said = new.has(&["status", SINCE]);
    let same_time = new.at(&["status", SINCE]) == live.at(&["status", SINCE]);
    let before = live.fields(&["status"]).cloned().unwrap_or_default();
    let Some(status) = new.within("status") else { return };
    if same_phase && !said {
        status.copy(SINCE, &before);
    } else if !same_phase && (!said || same_time) {
        status.insert(SINCE.into(), json!(now));
    }
}

/// A write of the status leaves everything else, and of the metadata what the kind protects.
fn keep_all_but_status(resource: &Resource, new: &mut Fields, live: &Fields) {
    let others: Vec<String> = new.keys().chain(live.keys()).cloned().collect();
    for key in others.iter().filter(|key| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status")) {
        new.copy(key, live);
    }
    let (Some(metadata), Some(before)) = (new.within("metadata"), live.fields(&["metadata"])) else { return };
    let kept: &[&str] = match resource.kind.as_str() {
        _ if resource.is_custom() => return keep_metadata(metadata, before),
        "FlowSchema" | "PriorityLevelConfiguration" => return keep_metadata(metadata, before),
        "Deployment" => &["labels"],
        "Pod" => &["ownerReferences"],
        "ValidatingAdmissionPolicy"
        | "ServiceCIDR"
        | "VolumeAttachment"
        | "ResourceClaim"
        | "CustomResourceDefinition"
        | "APIService" => &["labels", "annotations", "finalizers", "ownerReferences"],
        _ => &[],
    };
    kept.iter().for_each(|key| metadata.copy(key, before));
    if resource.kind == "DaemonSet" {
        // It stands for a field of the spec.
        let count = before.text(&["annotations", TEMPLATE_GENERATION]).to_owned();
        if let Some(annotations) = metadata.within("annotations") {
            annotations.insert(TEMPLATE_GENERATION.into(), json!(count));
        }
    }
    if resource.kind == "Pod" && !new.has(&["status", "qosClass"]) {
        keep(new, live, "status", "qosClass");
    }
}

/// All of the metadata stays but the record of who wrote what.
fn keep_metadata(metadata: &mut Fields, before: &Fields) {
    let managed = metadata.get("managedFields").cloned();
    let version = metadata.get("resourceVersion").cloned();
    *metadata = before.clone();
    for (key, value) in [("managedFields", managed), ("resourceVersion", version)] {
        match value {
            Some(value) => metadata.insert(key.into(), value),
            None => metadata.shift_remove(key),
        };
    }
}

fn keep_all_but_conditions(new: &mut Fields, live: &Fields) {
    let conditions = new.at(&["status", "conditions"]).cloned();
    new.copy("spec", live);
    new.copy("status", live);
    if let (Some(conditions), Some(status)) = (conditions, new.within("status")) {
        status.insert("conditions".into(), conditions);
    }
}

fn keep_all_but_containers(subresource: &str, new: &mut Fields, live: &Fields) {
    let wanted = new.fields(&["spec"]).cloned().unwrap_or_default();
    new.copy("spec", live);
    new.copy("status", live);
    let Some(spec) = new.within("spec") else { return };
    if subresource == "ephemeralcontainers" {
        return spec.copy("ephemeralContainers", &wanted);
    }
    for list in ["containers", "initContainers"] {
        let wanted = wanted.items(&[list]);
        for (container, wanted) in spec.each(list).zip(wanted) {
            let empty = Map::new();
            let wanted = wanted.as_object().unwrap_or(&empty);
            container.copy("resources", wanted);
            container.copy("resizePolicy", wanted);
        }
    }
}

/// Takes one field of a struct from the live object.
fn keep(new: &mut Fields, live: &Fields, within: &str, key: &str) {
    let empty = Map::new();
    let before = live.fields(&[within]).unwrap_or(&empty);
    if let Some(fields) = new.within(within) {
        fields.copy(key, before);
    }
}

fn namespace_finalizer(object: &mut Fields) {
    let Some(spec) = object.within("spec") else { return };
    spec.or("finalizers", json!([]));
    if let Some(Value::Array(finalizers)) = spec.get_mut("finalizers")
        && !finalizers.iter().any(|name| name == "kubernetes")
    {
        finalizers.push(json!("kubernetes"));
    }
}

fn template_generation(object: &mut Fields, generation: i64) {
    if let Some(annotations) = object.within("metadata").and_then(|metadata| metadata.within("annotations")) {
        annotations.insert(TEMPLATE_GENERATION.into(), json!(generation.to_string()));
    }
}

/// A Job finds its pods by its own uid, unless it selects them by hand.
fn job_selector(object: &mut Fields) {
    if object.is_true(&["spec", "manualSelector"]) {
        return;
    }
    let name = object.text(&["metadata", "name"]).to_owned();
    let uid = object.text(&["metadata", "uid"]).to_owned();
    // Labels that the Job took over from its template follow it.
    let of_template = object.fields(&["spec", "template", "metadata", "labels"]).cloned().unwrap_or_default();
    let shared = object.fields(&["metadata", "labels"]).cloned().unwrap_or_default() == of_template;
    let Some(spec) = object.within("spec") else { return };
    if let Some(selector) = spec.within("selector").and_then(|selector| selector.within("matchLabels")) {
        selector.or("batch.kubernetes.io/controller-uid", uid.as_str());
    }
    let template = spec.within("template").and_then(|template| template.within("metadata"));
    let Some(labels) = template.and_then(|metadata| metadata.within("labels")) else { return };
    for (label, value) in [("job-name", &name), ("controller-uid", &uid)] {
        labels.or(&format!("batch.kubernetes.io/{label}"), value.as_str());
        labels.or(label, value.as_str());
    }
    let labels = labels.clone();
    if shared && let Some(metadata) = object.within("metadata") {
        metadata.insert("labels".into(), labels.into());
    }
}

/// What a claim copies from has an old and a new field, which say the same.
fn data_sources(object: &mut Fields) {
    let Some(spec) = object.within("spec") else { return };
    if !spec.has(&["dataSourceRef"]) {
        let (kind, group) = (spec.text(&["dataSource", "kind"]), spec.text(&["dataSource", "apiGroup"]));
        let known =
            matches!((group, kind), ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot"));
        match spec.get("dataSource").cloned() {
            Some(source) if known => {
                spec.insert("dataSourceRef".into(), source);
            }
            _ => {
                spec.shift_remove("dataSource");
            }
        }
    } else if !spec.has(&["dataSource"]) && spec.text(&["dataSourceRef", "namespace"]).is_empty() {
        let source = spec.get("dataSourceRef").cloned().unwrap_or_default();
        spec.insert("dataSource".into(), source);
    }
}

/// A ServiceAccount names Secrets, and nothing else of them.
fn secret_references(object: &mut Fields) {
    for reference in object.each("secrets") {
        reference.retain(|key, _| key == "name");
    }
}

/// The sandbox knows one user, the administrator of its kubeconfig.
fn requester(object: &mut Fields) {
    let Some(spec) = object.within("spec") else { return };
    spec.insert("username".into(), json!("sandbox-admin"));
    spec.insert("groups".into(), json!(["system:masters", "system:authenticated"]));
    spec.shift_remove("uid");
    spec.shift_remove("extra");
}
