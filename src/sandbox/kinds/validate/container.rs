//! Containers of pods: of each kind what is common, and how they live.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::{form, one_of, port, required, required_form},
    environment, mounts,
    probe::{self, Probe},
    resources, security, text,
};

const RESTART: &str = "may not be set for init containers without restartPolicy=Always";

/// What the containers of a pod share.
pub(super) struct Pod<'v> {
    pub spec: &'v Value,
    /// The volumes that are in order, by name.
    pub volumes: Vec<&'v Value>,
    pub grace: i64,
}

/// The containers that a pod runs.
pub(super) fn all(pod: &Pod<'_>, path: &Path<'_>, causes: &mut Causes) {
    let containers = pod.spec.items(&["containers"]);
    let list = path.to("containers");
    if containers.is_empty() {
        return causes.required(&list, "");
    }
    let mut names = BTreeSet::new();
    for (position, container) in containers.iter().enumerate() {
        let path = list.index(position);
        common(pod, container, &path, causes);
        if !names.insert(container.text(&["name"])) {
            causes.duplicate(&path.to("name"), container.text(&["name"]));
        }
        life(pod, container, &path, causes);
    }
    host_ports(containers.iter().enumerate(), &list, causes);
}

/// The containers that run before, or beside, those.
pub(super) fn first(pod: &Pod<'_>, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("initContainers");
    let mut names: BTreeSet<&str> =
        pod.spec.items(&["containers"]).iter().map(|container| container.text(&["name"])).collect();
    for (position, container) in pod.spec.items(&["initContainers"]).iter().enumerate() {
        let path = list.index(position);
        common(pod, container, &path, causes);
        let sidecar = container.text(&["restartPolicy"]) == "Always";
        let name = container.text(&["name"]);
        if !names.insert(name) && !name.is_empty() {
            causes.duplicate(&path.to("name"), name);
        }
        host_ports([(0, container)].into_iter(), &list, causes);
        if sidecar {
            life(pod, container, &path, causes);
            continue;
        }
        for key in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if container.has(&[key]) {
                causes.forbidden(&path.to(key), RESTART);
            }
        }
    }
}

fn common(pod: &Pod<'_>, container: &Value, path: &Path<'_>, causes: &mut Causes) {
    required_form(container, "name", text::dns_label, path, causes);
    required(container, "image", path, causes);
    let policies = ["File", "FallbackToLogsOnError"];
    one_of(container, "terminationMessagePolicy", &policies, path, causes);
    ports(container, path, causes);
    environment::variables(container, path, causes);
    environment::sources(container, path, causes);
    mounts::mounts(pod, container, path, causes);
    mounts::devices(pod, container, path, causes);
    one_of(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], path, causes);
    resources::container(container, pod.spec, path, causes);
    resize(pod, container, path, causes);
    let host_users = pod.spec.at(&["hostUsers"]) != Some(&Value::Bool(false));
    security::container(container, host_users, path, causes);
}

fn ports(container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("ports");
    let mut names = BTreeSet::new();
    for (position, one) in container.items(&["ports"]).iter().enumerate() {
        let path = list.index(position);
        let name = one.text(&["name"]);
        if !name.is_empty() {
            let faults = text::port_name(name);
            if faults.is_empty() && !names.insert(name) {
                causes.duplicate(&path.to("name"), name);
            }
            causes.all(&path.to("name"), name, faults);
        }
        match one.number(&["containerPort"]).unwrap_or_default() {
            0 => causes.required(&path.to("containerPort"), ""),
            _ => port(one.get("containerPort"), &path.to("containerPort"), causes),
        }
        if one.number(&["hostPort"]).unwrap_or_default() != 0 {
            port(one.get("hostPort"), &path.to("hostPort"), causes);
        }
        one_of(one, "protocol", &["SCTP", "TCP", "UDP"], &path, causes);
    }
}

fn host_ports<'v>(containers: impl Iterator<Item = (usize, &'v Value)>, list: &Path<'_>, causes: &mut Causes) {
    let mut taken = BTreeSet::new();
    for (position, container) in containers {
        let path = list.index(position);
        let ports = path.to("ports");
        for (position, port) in container.items(&["ports"]).iter().enumerate() {
            let number = port.number(&["hostPort"]).unwrap_or_default();
            let said = format!("{}/{}/{number}", port.text(&["protocol"]), port.text(&["hostIP"]));
            if number != 0 && !taken.insert(said.clone()) {
                causes.duplicate(&ports.index(position).to("hostPort"), said);
            }
        }
    }
}

fn resize(pod: &Pod<'_>, container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("resizePolicy");
    let mut resources = BTreeSet::new();
    for (position, policy) in container.items(&["resizePolicy"]).iter().enumerate() {
        let (resource, restart) = (policy.text(&["resourceName"]), policy.text(&["restartPolicy"]));
        if !resources.insert(resource) {
            causes.duplicate(&list.index(position), resource);
        }
        for (value, supported) in [(resource, ["cpu", "memory"]), (restart, ["NotRequired", "RestartContainer"])] {
            match value {
                "" => causes.required(&list, ""),
                value if supported.contains(&value) => {}
                value => causes.unsupported(&list, value, &supported),
            }
        }
        if pod.spec.text(&["restartPolicy"]) == "Never" && restart != "NotRequired" {
            causes.invalid(&list, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
        }
    }
}

fn life(pod: &Pod<'_>, container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let lifecycle = path.to("lifecycle");
    for hook in ["postStart", "preStop"] {
        if let Some(handler) = container.at(&["lifecycle", hook]) {
            probe::handler(handler, pod.grace, &lifecycle.to(hook), causes);
        }
    }
    if container.has(&["lifecycle", "stopSignal"]) && !pod.spec.has(&["os"]) {
        let detail = "may not be set for containers with empty `spec.os.name`";
        causes.forbidden(&lifecycle.to("stopSignal"), detail);
    }
    for kind in [Probe::Liveness, Probe::Readiness, Probe::Startup] {
        if let Some(found) = container.get(kind.field()) {
            probe::probe(kind, found, pod.grace, &path.to(kind.field()), causes);
        }
    }
}

/// What only pods, and no templates, are refused.
pub(super) fn images(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    for list in ["containers", "initContainers"] {
        let at = path.to(list);
        for (position, container) in spec.items(&[list]).iter().enumerate() {
            let image = container.text(&["image"]);
            if image.trim().len() != image.len() {
                let detail = "must not have leading or trailing whitespace";
                causes.invalid(&at.index(position).to("image"), image, detail);
            }
        }
    }
}

/// The containers that were added to a running pod.
pub(super) fn ephemeral(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("ephemeralContainers");
    let mut names: BTreeSet<&str> = ["containers", "initContainers"]
        .iter()
        .flat_map(|list| spec.items(&[list]))
        .map(|container| container.text(&["name"]))
        .collect();
    for (position, container) in spec.items(&["ephemeralContainers"]).iter().enumerate() {
        let path = list.index(position);
        required_form(container, "name", text::dns_label, &path, causes);
        required(container, "image", &path, causes);
        if !names.insert(container.text(&["name"])) {
            causes.duplicate(&path.to("name"), container.text(&["name"]));
        }
        form(container, "targetContainerName", text::dns_label, &path, causes);
    }
}
