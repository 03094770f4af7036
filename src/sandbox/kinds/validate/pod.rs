//! Pods, and templates of pods.
//!
//! Source: `ValidatePodSpec`, `ValidatePodTemplateSpec` and `ValidatePodUpdate` of `pkg/apis/core/validation`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    super::edit::{Edit, Read},
    causes::{Causes, Path},
    common::{form, one_of, optional_one_of},
    container::{self, Pod},
    internal, meta, placement, security, text, volume,
};

const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// A pod that is created.
pub(super) fn create(pod: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    own(pod, causes);
    if !pod.items(&["spec", "ephemeralContainers"]).is_empty() {
        causes.forbidden(&path.to("ephemeralContainers"), "cannot be set on create");
    }
    if !pod.text(&["spec", "nodeName"]).is_empty() && !pod.items(&["spec", "schedulingGates"]).is_empty() {
        causes.forbidden(&path.to("nodeName"), "cannot be set until all schedulingGates have been cleared");
    }
}

fn own(pod: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let empty = Value::Null;
    let found = pod.get("spec").unwrap_or(&empty);
    spec(found, pod.text(&["metadata", "name"]), true, &path, causes);
    container::images(found, &path, causes);
}

/// A pod that is changed: only little of it may.
pub(super) fn update(pod: &Value, live: &Value, causes: &mut Causes) {
    own(pod, causes);
    let path = Path::Root.to("spec");
    let Some(before) = live.get("spec") else { return };
    for list in ["containers", "initContainers"] {
        if pod.items(&["spec", list]).len() != live.items(&["spec", list]).len() {
            return causes.forbidden(&path.to(list), "pod updates may not add or remove containers");
        }
    }
    let deadline = |pod: &Value| pod.number(&["spec", "activeDeadlineSeconds"]);
    match (deadline(pod), deadline(live)) {
        (Some(new), Some(old)) if old < new => {
            let detail = "must be less than or equal to previous value";
            return causes.invalid(&path.to("activeDeadlineSeconds"), new, detail);
        }
        (None, Some(_)) => {
            let detail = "must not update from a positive integer to nil value";
            causes.invalid(&path.to("activeDeadlineSeconds"), Value::Null, detail);
        }
        _ => {}
    }
    tolerations(pod, live, &path.to("tolerations"), causes);
    gates(pod, live, &path.to("schedulingGates"), causes);
    if let Some(new) = rest(pod, before).filter(|new| new != before) {
        let differs = internal::difference("PodSpec", before, &new);
        causes.forbidden(&path, format!("pod updates may not change fields other than {UPDATABLE}\n{differs}"));
    }
}

/// The spec with everything put back that may change.
fn rest(pod: &Value, before: &Value) -> Option<Value> {
    let mut spec = pod.fields(&["spec"])?.clone();
    let before = before.as_object()?;
    for list in ["containers", "initContainers"] {
        for (container, old) in spec.each(list).zip(before.items(&[list])) {
            container.copy("image", old.as_object()?);
        }
    }
    for key in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        spec.copy(key, before);
    }
    let grace = ["terminationGracePeriodSeconds"];
    if before.number(&grace).is_some_and(|seconds| seconds < 0) && spec.number(&grace) == Some(1) {
        spec.copy(grace[0], before);
    }
    // A pod that is held back may still be directed to fewer nodes.
    if !before.items(&["schedulingGates"]).is_empty() {
        spec.copy("nodeSelector", before);
        spec.copy("affinity", before);
    }
    Some(spec.into())
}

fn tolerations(pod: &Value, live: &Value, path: &Path<'_>, causes: &mut Causes) {
    let without_seconds = |toleration: &Value| {
        let mut toleration = toleration.clone();
        if let Some(fields) = toleration.as_object_mut() {
            fields.shift_remove("tolerationSeconds");
        }
        toleration
    };
    let new: Vec<Value> = pod.items(&["spec", "tolerations"]).iter().map(without_seconds).collect();
    let kept = live.items(&["spec", "tolerations"]).iter().all(|old| new.contains(&without_seconds(old)));
    if !kept {
        causes.forbidden(path, "existing toleration can not be modified except its tolerationSeconds");
    }
}

fn gates(pod: &Value, live: &Value, path: &Path<'_>, causes: &mut Causes) {
    let old = live.items(&["spec", "schedulingGates"]);
    for (position, gate) in pod.items(&["spec", "schedulingGates"]).iter().enumerate() {
        if !old.contains(gate) {
            let name = gate.text(&["name"]);
            let detail = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            causes.forbidden(&path.index(position), detail);
        }
    }
}

/// A template of pods; `path` is that of the template.
pub(super) fn template(template: &Value, path: &Path<'_>, causes: &mut Causes) {
    meta::labels(template.fields(&["metadata", "labels"]), &path.to("labels"), causes);
    meta::annotations(template.fields(&["metadata", "annotations"]), &path.to("annotations"), causes);
    let empty = Value::Null;
    let at = path.to("spec");
    spec(template.get("spec").unwrap_or(&empty), "", false, &at, causes);
    if !template.items(&["spec", "ephemeralContainers"]).is_empty() {
        causes.forbidden(&at.to("ephemeralContainers"), "ephemeral containers not allowed in pod template");
    }
}

/// The specification of a pod, or of pods to come. `name` is that of a pod.
fn spec(spec: &Value, name: &str, is_pod: bool, path: &Path<'_>, causes: &mut Causes) {
    let volumes = volume::all(spec, name, path, causes);
    let grace = spec.number(&["terminationGracePeriodSeconds"]).unwrap_or_default();
    let pod = Pod { spec, volumes, grace };
    container::all(&pod, path, causes);
    container::first(&pod, path, causes);
    container::ephemeral(spec, path, causes);
    host_network(spec, is_pod, path, causes);
    one_of(spec, "restartPolicy", &["Always", "OnFailure", "Never"], path, causes);
    let dns = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    one_of(spec, "dnsPolicy", &dns, path, causes);
    meta::labels(spec.fields(&["nodeSelector"]), &path.to("nodeSelector"), causes);
    security::pod(spec, path, causes);
    placement::affinity(spec, path, causes);
    dns_config(spec, path, causes);
    conditions(spec, path, causes);
    placement::spread(spec, path, causes);
    form(spec, "serviceAccountName", text::dns_subdomain, path, causes);
    form(spec, "nodeName", text::dns_subdomain, path, causes);
    let deadline = spec.number(&["activeDeadlineSeconds"]);
    if let Some(seconds) = deadline.filter(|seconds| !(1..=i64::from(i32::MAX)).contains(seconds)) {
        let detail = "must be between 1 and 2147483647, inclusive";
        causes.invalid(&path.to("activeDeadlineSeconds"), seconds, detail);
    }
    form(spec, "hostname", text::dns_label, path, causes);
    form(spec, "subdomain", text::dns_label, path, causes);
    placement::tolerations(spec, path, causes);
    aliases(spec, path, causes);
    form(spec, "priorityClassName", text::dns_subdomain, path, causes);
    form(spec, "runtimeClassName", text::dns_subdomain, path, causes);
    optional_one_of(spec, "preemptionPolicy", &["PreemptLowerPriority", "Never"], path, causes);
    if spec.has(&["os"]) {
        one_of(&spec["os"], "name", &["linux", "windows"], &path.to("os"), causes);
    }
}

fn host_network(spec: &Value, is_pod: bool, path: &Path<'_>, causes: &mut Causes) {
    if !spec.is_true(&["hostNetwork"]) {
        return;
    }
    let list = path.to("containers");
    for (position, container) in spec.items(&["containers"]).iter().enumerate() {
        let path = list.index(position);
        let ports = path.to("ports");
        for (position, port) in container.items(&["ports"]).iter().enumerate() {
            let host = port.number(&["hostPort"]).unwrap_or_default();
            if (is_pod || host != 0) && Some(host) != port.number(&["containerPort"]) {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                causes.invalid(&ports.index(position).to("hostPort"), host, detail);
            }
        }
    }
}

fn dns_config(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to("dnsConfig");
    let none = spec.text(&["dnsPolicy"]) == "None";
    let servers = spec.items(&["dnsConfig", "nameservers"]);
    if none && !spec.has(&["dnsConfig"]) {
        return causes.required(&at, "must provide `dnsConfig` when `dnsPolicy` is None");
    }
    let list = at.to("nameservers");
    if none && servers.is_empty() {
        return causes.required(&list, "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
    if servers.len() > 3 {
        causes.invalid(&list, servers.to_vec(), "must not have more than 3 nameservers");
    }
    for (position, server) in servers.iter().filter_map(Value::as_str).enumerate() {
        causes.all(&list.index(position), server, text::address(server));
    }
    let list = at.to("options");
    for (position, option) in spec.items(&["dnsConfig", "options"]).iter().enumerate() {
        if option.text(&["name"]).is_empty() {
            causes.required(&list.index(position), "must not be empty");
        }
    }
}

fn conditions(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("readinessGates");
    for (position, gate) in spec.items(&["readinessGates"]).iter().enumerate() {
        let kind = gate.text(&["conditionType"]);
        causes.all(&list.index(position).to("conditionType"), kind, text::qualified_name(kind));
    }
    let list = path.to("schedulingGates");
    let mut seen = BTreeSet::new();
    for (position, gate) in spec.items(&["schedulingGates"]).iter().enumerate() {
        let name = gate.text(&["name"]);
        causes.all(&list.index(position), name, text::qualified_name(name));
        if !seen.insert(name) {
            causes.duplicate(&list.index(position), name);
        }
    }
}

fn aliases(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("hostAliases");
    for (position, alias) in spec.items(&["hostAliases"]).iter().enumerate() {
        let path = list.index(position);
        let address = alias.text(&["ip"]);
        causes.all(&path.to("ip"), address, text::address(address));
        let names = path.to("hostnames");
        for (position, name) in alias.items(&["hostnames"]).iter().filter_map(Value::as_str).enumerate() {
            causes.all(&names.index(position), name, text::dns_subdomain(name));
        }
    }
}
