//! Requests and limits of containers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    super::edit::{Fields, Read},
    causes::{Causes, Path},
    common::{NOT_NEGATIVE, amount},
    text,
};
use crate::rules::quantity::Quantity;

/// Resources without a group, that everything may name.
const STANDARD: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];

pub(super) fn container(container: &Value, pod: &Value, path: &Path<'_>, causes: &mut Causes) {
    requirements(container, pod, &path.to("resources"), causes);
}

fn requirements(object: &Value, pod: &Value, path: &Path<'_>, causes: &mut Causes) {
    let empty = Fields::new();
    let lists = ["limits", "requests"].map(|list| object.fields(&["resources", list]).unwrap_or(&empty));
    let [limits, requests] = lists;
    let (at_limits, at_requests) = (path.to("limits"), path.to("requests"));
    for name in limits.keys() {
        value(name, limits, &at_limits.key(name), causes);
    }
    for name in requests.keys() {
        value(name, requests, &at_requests.key(name), causes);
        let (Some(wanted), limit) = (amount(requests, name), amount(limits, name)) else { continue };
        let overcommits = !name.contains('/') && !name.starts_with("hugepages-");
        match limit {
            Some(limit) if wanted != limit && !overcommits => {
                let detail = format!("must be equal to {name} limit of {limit}");
                causes.invalid(&at_requests, wanted.to_string(), detail);
            }
            Some(limit) if wanted > limit => {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                causes.invalid(&at_requests, wanted.to_string(), detail);
            }
            None if !overcommits => causes.required(&at_limits, "Limit must be set for non overcommitable resources"),
            _ => {}
        }
    }
    let names: BTreeSet<&str> = limits.keys().chain(requests.keys()).map(String::as_str).collect();
    let computes = names.contains("cpu") || names.contains("memory");
    if !computes && names.iter().any(|name| name.starts_with("hugepages-")) {
        causes.forbidden(path, "HugePages require cpu or memory");
    }
    claims(object, pod, &path.to("claims"), causes);
}

fn value(name: &str, amounts: &Fields, path: &Path<'_>, causes: &mut Causes) {
    self::name(name, true, path, causes);
    let Some(amount) = amount(amounts, name) else { return };
    quantity(name, &amount, path, causes);
}

/// Whether everything may name the resource without a group.
pub(super) fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name) || name.starts_with("hugepages-") || name.starts_with("requests.hugepages-")
}

/// The name of a resource, where it has to be one that containers can use.
pub(super) fn name(name: &str, of_containers: bool, path: &Path<'_>, causes: &mut Causes) {
    let faults = text::qualified_name(name);
    let well_formed = faults.is_empty();
    causes.all(path, name, faults);
    if !name.contains('/') {
        if well_formed && !is_standard(name) {
            causes.invalid(path, name, "must be a standard resource type or fully qualified");
        }
        let usable = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
        if of_containers && !usable {
            causes.invalid(path, name, "must be a standard resource for containers");
        }
        return;
    }
    let native =
        name.split('/').next().is_some_and(|group| group == "kubernetes.io" || group.ends_with(".kubernetes.io"));
    if of_containers && !native && name.starts_with("requests.") {
        causes.invalid(path, name, "doesn't follow extended resource name standard");
    }
}

/// An amount of a resource: not below 0, and of what is counted a whole number.
pub(super) fn quantity(name: &str, amount: &Quantity, path: &Path<'_>, causes: &mut Causes) {
    if amount.is_negative() {
        causes.invalid(path, amount.to_string(), NOT_NEGATIVE);
    }
    let counted = name.contains('/')
        || matches!(
            name,
            "pods"
                | "services"
                | "replicationcontrollers"
                | "resourcequotas"
                | "secrets"
                | "configmaps"
                | "persistentvolumeclaims"
                | "services.nodeports"
                | "services.loadbalancers"
        );
    if counted && amount.milli() % 1000 != 0 {
        causes.invalid(path, amount.to_string(), "must be an integer");
    }
}

fn claims(object: &Value, pod: &Value, path: &Path<'_>, causes: &mut Causes) {
    let known: BTreeSet<&str> = pod.items(&["resourceClaims"]).iter().map(|claim| claim.text(&["name"])).collect();
    let mut seen = BTreeSet::new();
    for (position, claim) in object.items(&["resources", "claims"]).iter().enumerate() {
        let path = path.index(position);
        let name = claim.text(&["name"]);
        if name.is_empty() {
            causes.required(&path, "");
            continue;
        }
        if !seen.insert((name, claim.text(&["request"]))) {
            causes.duplicate(&path, name);
        }
        if !known.contains(name) {
            let names = known.iter().copied().collect::<Vec<_>>().join(", ");
            let rest = if known.is_empty() { " which is empty".into() } else { format!(": {names}") };
            causes.not_found_because(&path, name, format!("must be one of the names in pod.spec.resourceClaims{rest}"));
        }
    }
}
