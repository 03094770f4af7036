//! Names, labels, annotations, owners and finalizers: what every object has.
//!
//! Source: `k8s.io/apimachinery/pkg/api/validation/objectmeta.go`.

use serde_json::Value;

use super::{
    super::edit::{Fields, Read},
    causes::{Causes, Path},
    text,
};
use crate::sandbox::resource::Resource;

/// The most that the keys and values of all annotations may come to, in bytes.
const ANNOTATIONS: usize = 256 * 1024;

pub(super) const IMMUTABLE: &str = "field is immutable";

pub(super) type NameRule = fn(&str) -> Vec<String>;

/// The form of a kind's names; None where only what URLs allow counts.
fn name_rule(resource: &Resource) -> Option<NameRule> {
    if resource.is_custom() {
        return Some(text::dns_subdomain);
    }
    match resource.kind.as_str() {
        "Namespace" | "StatefulSet" => Some(text::dns_label),
        "Service" => Some(text::dns_1035_label),
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => Some(text::path_segment),
        "PodDisruptionBudget" | "APIService" | "IPAddress" | "CSIDriver" => None,
        _ => Some(text::dns_subdomain),
    }
}

/// Judges the metadata of what is created, by the rule of the kind.
pub(super) fn create(resource: &Resource, object: &Value, causes: &mut Causes) {
    if let Some(rule) = name_rule(resource) {
        metadata(resource, object, rule, causes);
        if knows_finalizers(resource) {
            standard_finalizers(object, causes);
        }
    }
}

/// Whether the kind knows finalizers without a domain: those whose rules are built on the core group's.
pub(super) fn knows_finalizers(resource: &Resource) -> bool {
    const OTHERS: [&str; 5] = [
        "coordination.k8s.io",
        "node.k8s.io",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
    ];
    !resource.is_custom() && !OTHERS.contains(&resource.group.as_str()) && resource.kind != "PodDisruptionBudget"
}

/// Judges the metadata as of what is created, by what holds for every kind.
pub(super) fn create_any(resource: &Resource, object: &Value, causes: &mut Causes) {
    metadata(resource, object, text::path_segment, causes);
}

fn metadata(resource: &Resource, object: &Value, rule: NameRule, causes: &mut Causes) {
    create_named(object, rule, resource.namespaced, causes);
}

/// Judges metadata by a rule for the name.
pub(super) fn create_named(object: &Value, rule: NameRule, namespaced: bool, causes: &mut Causes) {
    let path = Path::Root.to("metadata");
    let prefix = object.text(&["metadata", "generateName"]);
    if !prefix.is_empty() {
        causes.all(&path.to("generateName"), prefix, rule(&without_last_dash(prefix)));
    }
    let name = object.text(&["metadata", "name"]);
    if name.is_empty() {
        causes.required(&path.to("name"), "name or generateName is required");
    } else {
        causes.all(&path.to("name"), name, rule(name));
    }
    if namespaced {
        let namespace = object.text(&["metadata", "namespace"]);
        if namespace.is_empty() {
            causes.required(&path.to("namespace"), "");
        } else {
            causes.all(&path.to("namespace"), namespace, text::dns_label(namespace));
        }
    }
    content(object, &path, causes);
    finalizers(object, &path.to("finalizers"), causes);
}

/// A name may be generated behind a dash.
fn without_last_dash(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            format!("{}a", &rest[..rest.len() - rest.chars().next_back().map_or(0, char::len_utf8)])
        }
        _ => prefix.into(),
    }
}

fn content(object: &Value, path: &Path<'_>, causes: &mut Causes) {
    if object.number(&["metadata", "generation"]).is_some_and(|generation| generation < 0) {
        let generation = object.number(&["metadata", "generation"]);
        causes.invalid(&path.to("generation"), generation, "must be greater than or equal to 0");
    }
    labels(object.fields(&["metadata", "labels"]), &path.to("labels"), causes);
    annotations(object.fields(&["metadata", "annotations"]), &path.to("annotations"), causes);
    owners(object.items(&["metadata", "ownerReferences"]), &path.to("ownerReferences"), causes);
}

/// Judges what a write may not change, and what it wrote. The API server does so for all kinds, and again by each kind's
/// own rule: what is wrong is said twice.
pub(super) fn update(object: &Value, live: &Value, causes: &mut Causes) {
    let path = Path::Root.to("metadata");
    if live.has(&["metadata", "deletionTimestamp"]) {
        let known = live.items(&["metadata", "finalizers"]);
        let mut added: Vec<String> = object
            .items(&["metadata", "finalizers"])
            .iter()
            .filter(|finalizer| !known.contains(finalizer))
            .map(ToString::to_string)
            .collect();
        added.sort();
        if !added.is_empty() {
            let added = added.join(", ");
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{added}}}"
            );
            causes.forbidden(&path.to("finalizers"), detail);
        }
    }
    let fixed = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];
    for key in fixed {
        immutable(object, live, &["metadata", key], &path.to(key), causes);
    }
    content(object, &path, causes);
}

/// Refuses a change of what stands at the keys.
pub(super) fn immutable(object: &Value, live: &Value, keys: &[&str], path: &Path<'_>, causes: &mut Causes) {
    let (new, old) = (object.at(keys), live.at(keys));
    if new.filter(|value| !value.is_null()) != old.filter(|value| !value.is_null()) {
        causes.invalid(path, new.cloned().unwrap_or_default(), IMMUTABLE);
    }
}

pub(super) fn labels(labels: Option<&Fields>, path: &Path<'_>, causes: &mut Causes) {
    for (key, value) in labels.into_iter().flatten() {
        causes.all(path, key, text::qualified_name(key));
        let value = value.as_str().unwrap_or_default();
        causes.all(path, value, text::label_value(value));
    }
}

pub(super) fn annotations(annotations: Option<&Fields>, path: &Path<'_>, causes: &mut Causes) {
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        causes.all(path, key, text::qualified_name(&key.to_lowercase()));
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATIONS {
        causes.too_long(path, ANNOTATIONS);
    }
}

fn owners(owners: &[Value], path: &Path<'_>, causes: &mut Causes) {
    let mut controller: Option<String> = None;
    for owner in owners {
        let said = [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ];
        for (key, detail) in said {
            let empty = owner.text(&[key]).is_empty();
            if empty {
                causes.invalid(&path.to(key), "", detail);
            }
        }
        if owner.text(&["kind"]) == "Event" && owner.text(&["apiVersion"]) == "v1" {
            causes.invalid(path, owner.clone(), "/v1, Kind=Event is disallowed from being an owner");
        }
        if !owner.is_true(&["controller"]) {
            continue;
        }
        let name = format!("{}/{}", owner.text(&["kind"]), owner.text(&["name"]));
        match &controller {
            None => controller = Some(name),
            Some(first) => {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}"
                );
                causes.invalid(path, owners.to_vec(), detail);
            }
        }
    }
}

/// A finalizer without a domain is one of Kubernetes' own.
pub(super) fn standard_finalizers(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("metadata");
    let list = path.to("finalizers");
    for (position, name) in object.items(&["metadata", "finalizers"]).iter().filter_map(Value::as_str).enumerate() {
        standard_finalizer(name, &list.index(position), causes);
    }
}

pub(super) fn standard_finalizer(name: &str, path: &Path<'_>, causes: &mut Causes) {
    if !name.contains('/') && !matches!(name, "kubernetes" | "orphan" | "foregroundDeletion") {
        causes.invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified");
    }
}

fn finalizers(object: &Value, path: &Path<'_>, causes: &mut Causes) {
    let names: Vec<&str> = object.items(&["metadata", "finalizers"]).iter().filter_map(Value::as_str).collect();
    for name in &names {
        causes.all(path, name, text::qualified_name(name));
    }
    if names.contains(&"orphan") && names.contains(&"foregroundDeletion") {
        causes.invalid(path, names, "finalizer foregroundDeletion and orphan cannot be both set");
    }
}

/// Judges a selector of labels.
pub(super) fn selector(selector: &Value, path: &Path<'_>, causes: &mut Causes) {
    labels(selector.fields(&["matchLabels"]), &path.to("matchLabels"), causes);
    let list = path.to("matchExpressions");
    for (position, expression) in selector.items(&["matchExpressions"]).iter().enumerate() {
        let path = list.index(position);
        let values = expression.items(&["values"]);
        match expression.text(&["operator"]) {
            "In" | "NotIn" if values.is_empty() => {
                causes.required(&path.to("values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                causes.forbidden(&path.to("values"), detail);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => causes.invalid(&path.to("operator"), other, "not a valid selector operator"),
        }
        let key = expression.text(&["key"]);
        causes.all(&path.to("key"), key, text::qualified_name(key));
        for (position, value) in values.iter().filter_map(Value::as_str).enumerate() {
            causes.all(&path.to("values").index(position), value, text::label_value(value));
        }
    }
}

/// Whether a selector matches labels; a selector that cannot be read matches nothing.
pub(super) fn matches(selector: &Value, labels: Option<&Fields>) -> bool {
    let label = |key: &str| labels.and_then(|labels| labels.get(key));
    let equal = selector.entries(&["matchLabels"]).all(|(key, value)| label(key) == Some(value));
    equal
        && selector.items(&["matchExpressions"]).iter().all(|expression| {
            let found = label(expression.text(&["key"]));
            let listed = found.is_some_and(|value| expression.items(&["values"]).contains(value));
            match expression.text(&["operator"]) {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => found.is_some(),
                _ => found.is_none(),
            }
        })
}
