//! Where pods may run: affinity, tolerations and spreading.

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::{optional_one_of, positive},
    meta, text,
};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn affinity(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(affinity) = spec.get("affinity") else { return };
    let path = path.to("affinity");
    if let Some(nodes) = affinity.get("nodeAffinity") {
        let path = path.to("nodeAffinity");
        if let Some(selector) = nodes.get(REQUIRED) {
            node_selector(selector, &path.to(REQUIRED), causes);
        }
        let list = path.to(PREFERRED);
        for (position, term) in nodes.items(&[PREFERRED]).iter().enumerate() {
            let path = list.index(position);
            weight(term, &path, causes);
            let preference = term.get("preference").unwrap_or(&Value::Null);
            node_term(preference, false, &path.to("preference"), causes);
        }
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(pods) = affinity.get(kind) else { continue };
        let path = path.to(kind);
        let list = path.to(REQUIRED);
        for (position, term) in pods.items(&[REQUIRED]).iter().enumerate() {
            pod_term(term, &list.index(position), causes);
        }
        let list = path.to(PREFERRED);
        for (position, term) in pods.items(&[PREFERRED]).iter().enumerate() {
            let path = list.index(position);
            weight(term, &path, causes);
            pod_term(term.get("podAffinityTerm").unwrap_or(&Value::Null), &path.to("podAffinityTerm"), causes);
        }
    }
}

fn weight(term: &Value, path: &Path<'_>, causes: &mut Causes) {
    let weight = term.number(&["weight"]).unwrap_or_default();
    if !(1..=100).contains(&weight) {
        causes.invalid(&path.to("weight"), weight, "must be in the range 1-100");
    }
}

/// A selector of nodes: of a pod, or of a volume.
pub(super) fn node_selector(selector: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("nodeSelectorTerms");
    let terms = selector.items(&["nodeSelectorTerms"]);
    if terms.is_empty() {
        causes.required(&list, "must have at least one node selector term");
    }
    for (position, term) in terms.iter().enumerate() {
        node_term(term, true, &list.index(position), causes);
    }
}

fn node_term(term: &Value, strict: bool, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("matchExpressions");
    for (position, requirement) in term.items(&["matchExpressions"]).iter().enumerate() {
        node_requirement(requirement, strict, &list.index(position), causes);
    }
    let list = path.to("matchFields");
    for (position, requirement) in term.items(&["matchFields"]).iter().enumerate() {
        node_field(requirement, &list.index(position), causes);
    }
}

fn node_requirement(requirement: &Value, strict: bool, path: &Path<'_>, causes: &mut Causes) {
    let values = requirement.items(&["values"]);
    let at = path.to("values");
    match requirement.text(&["operator"]) {
        "In" | "NotIn" if values.is_empty() => {
            causes.required(&at, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            causes.forbidden(&at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "Gt" | "Lt" if values.len() != 1 => {
            causes.required(&at, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => causes.invalid(&path.to("operator"), other, "not a valid selector operator"),
    }
    let key = requirement.text(&["key"]);
    causes.all(&path.to("key"), key, text::qualified_name(key));
    for (position, value) in values.iter().filter_map(Value::as_str).enumerate().filter(|_| strict) {
        causes.all(&at.index(position), value, text::label_value(value));
    }
}

fn node_field(requirement: &Value, path: &Path<'_>, causes: &mut Causes) {
    let values = requirement.items(&["values"]);
    let at = path.to("values");
    match requirement.text(&["operator"]) {
        "In" | "NotIn" if values.len() != 1 => {
            let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            causes.required(&at, detail);
        }
        "In" | "NotIn" => {}
        other => causes.invalid(&path.to("operator"), other, "not a valid selector operator"),
    }
    match requirement.text(&["key"]) {
        "metadata.name" => {
            for (position, value) in values.iter().filter_map(Value::as_str).enumerate() {
                causes.all(&at.index(position), value, text::dns_subdomain(value));
            }
        }
        key => causes.invalid(&path.to("key"), key, "not a valid field selector key"),
    }
}

fn pod_term(term: &Value, path: &Path<'_>, causes: &mut Causes) {
    for key in ["labelSelector", "namespaceSelector"] {
        if let Some(selector) = term.get(key) {
            meta::selector(selector, &path.to(key), causes);
        }
    }
    for name in term.items(&["namespaces"]).iter().filter_map(Value::as_str) {
        causes.all(&path.to("namespace"), name, text::dns_label(name));
    }
    label_keys(term, &["matchLabelKeys", "mismatchLabelKeys"], path, causes);
    let key = term.text(&["topologyKey"]);
    if key.is_empty() {
        causes.required(&path.to("topologyKey"), "can not be empty");
    }
    causes.all(&path.to("topologyKey"), key, text::qualified_name(key));
}

fn label_keys(term: &Value, lists: &[&str], path: &Path<'_>, causes: &mut Causes) {
    for list in lists {
        let at = path.to(list);
        let keys = term.items(&[list]);
        if !keys.is_empty() && !term.has(&["labelSelector"]) {
            causes.forbidden(&at, "must not be specified when labelSelector is not set");
            continue;
        }
        for (position, key) in keys.iter().filter_map(Value::as_str).enumerate() {
            causes.all(&at.index(position), key, text::qualified_name(key));
        }
    }
}

pub(super) fn spread(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("topologySpreadConstraints");
    let constraints = spec.items(&["topologySpreadConstraints"]);
    for (position, constraint) in constraints.iter().enumerate() {
        let path = list.index(position);
        positive(constraint.number(&["maxSkew"]).unwrap_or_default(), &path.to("maxSkew"), causes);
        let (key, action) = (constraint.text(&["topologyKey"]), constraint.text(&["whenUnsatisfiable"]));
        if key.is_empty() {
            causes.required(&path.to("topologyKey"), "can not be empty");
        }
        let supported = ["DoNotSchedule", "ScheduleAnyway"];
        if !supported.contains(&action) {
            causes.unsupported(&path.to("whenUnsatisfiable"), action, &supported);
        }
        let same = |other: &Value| other.text(&["topologyKey"]) == key && other.text(&["whenUnsatisfiable"]) == action;
        if constraints.iter().skip(position + 1).any(same) {
            causes.duplicate(&path.to("{topologyKey, whenUnsatisfiable}"), format!("{{{key}, {action}}}"));
        }
        if let Some(domains) = constraint.number(&["minDomains"]) {
            let at = path.to("minDomains");
            positive(domains, &at, causes);
            if action != "DoNotSchedule" {
                let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                causes.invalid(&at, domains, detail);
            }
        }
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            optional_one_of(constraint, policy, &["Honor", "Ignore"], &path, causes);
        }
        label_keys(constraint, &["matchLabelKeys"], &path, causes);
        if let Some(selector) = constraint.get("labelSelector") {
            meta::selector(selector, &path.to("labelSelector"), causes);
        }
    }
}

pub(super) fn tolerations(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("tolerations");
    for (position, toleration) in spec.items(&["tolerations"]).iter().enumerate() {
        let path = list.index(position);
        let (key, operator) = (toleration.text(&["key"]), toleration.text(&["operator"]));
        let (effect, value) = (toleration.text(&["effect"]), toleration.text(&["value"]));
        let at = path.to("operator");
        if !key.is_empty() {
            causes.all(&path.to("key"), key, text::qualified_name(key));
        } else if operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            causes.invalid(&at, operator, detail);
        }
        if toleration.has(&["tolerationSeconds"]) && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            causes.invalid(&path.to("effect"), effect, detail);
        }
        match operator {
            "" | "Equal" => {
                let faults = text::label_value(value);
                if !faults.is_empty() {
                    causes.invalid(&at, value, faults.join(";"));
                }
            }
            "Exists" if !value.is_empty() => {
                causes.invalid(&at, value, "value must be empty when `operator` is 'Exists'");
            }
            "Exists" => {}
            other => causes.unsupported(&at, other, &["Equal", "Exists"]),
        }
        taint_effect(effect, &path.to("effect"), causes);
    }
}

/// What a taint does; what is empty passes.
pub(super) fn taint_effect(effect: &str, path: &Path<'_>, causes: &mut Causes) {
    let supported = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if !effect.is_empty() && !supported.contains(&effect) {
        causes.unsupported(path, effect, &supported);
    }
}
