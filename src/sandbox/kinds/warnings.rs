//! What is accepted, but hardly meant.
//!
//! Source: `WarningsOnCreate` and `WarningsOnUpdate` in `pkg/registry`, `pkg/api/{pod,service}/warnings.go`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{edit::Read, validate};
use crate::{rules::quantity::Quantity, sandbox::resource::Resource};

/// What the writer of an object is warned of; `live` is what it replaces.
pub fn warnings(resource: &Resource, object: &Value, live: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    if resource.is_custom() {
        return found;
    }
    let name = (resource.group.as_str(), resource.kind.as_str());
    if live.is_none() {
        host_name(name, object, &mut found);
    }
    match name {
        ("", "Service") => service(object, &mut found),
        ("networking.k8s.io", "Ingress") if live.is_none() => ingress(object, &mut found),
        ("", "Pod") => Pods { at: String::new(), template: object, found: &mut found }.all(),
        ("", "PersistentVolumeClaim") => claim(object, &mut found),
        _ => {
            let Some((path, keys)) = template_of(name) else { return found };
            // Only what changes is looked at again.
            let generation = |object: &Value| object.number(&["metadata", "generation"]);
            if live.is_none_or(|live| generation(live) != generation(object))
                && let Some(template) = object.at(keys)
            {
                Pods { at: format!("{path}."), template, found: &mut found }.all();
            }
        }
    }
    found
}

/// Where the kind has its template of pods.
fn template_of(name: (&str, &str)) -> Option<(&'static str, &'static [&'static str])> {
    match name {
        ("", "PodTemplate") => Some(("template", &["template"])),
        ("", "ReplicationController")
        | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job") => Some(("spec.template", &["spec", "template"])),
        ("batch", "CronJob") => Some(("spec.jobTemplate.spec.template", &["spec", "jobTemplate", "spec", "template"])),
        _ => None,
    }
}

/// Names that pods and their hosts are named by.
fn host_name(name: (&str, &str), object: &Value, found: &mut Vec<String>) {
    let whose = match name {
        ("", "Pod") => "the Pod's hostname",
        ("", "ReplicationController") | ("apps", "Deployment" | "ReplicaSet") | ("batch", "Job" | "CronJob") => {
            "Pod names and hostnames"
        }
        _ => return,
    };
    let faults = validate::dns_label(object.text(&["metadata", "name"]));
    if !faults.is_empty() {
        found.push(format!(
            "metadata.name: this is used in {whose}, which can result in surprising behavior; a DNS label is recommended: [{}]",
            faults.join(" ")
        ));
    }
}

fn service(object: &Value, found: &mut Vec<String>) {
    let spec = |key: &str| object.text(&["spec", key]);
    let kind = spec("type");
    let external = !object.items(&["spec", "externalIPs"]).is_empty();
    let hints = "service.kubernetes.io/topology-aware-hints";
    if object.has(&["metadata", "annotations", hints]) {
        found.push(format!("annotation {hints} is deprecated, please use service.kubernetes.io/topology-mode instead"));
    }
    if kind == "ClusterIP" && spec("clusterIP") == "None" {
        if !spec("loadBalancerIP").is_empty() {
            found.push("spec.loadBalancerIP is ignored for headless services".into());
        }
        if external {
            found.push("spec.externalIPs is ignored for headless services".into());
        }
        if spec("sessionAffinity") != "None" {
            found.push("spec.SessionAffinity is ignored for headless services".into());
        }
    }
    if kind == "ExternalName" && external {
        found.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".into());
    }
    if kind != "ExternalName" && !spec("externalName").is_empty() {
        found.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".into());
    }
}

fn ingress(object: &Value, found: &mut Vec<String>) {
    const CLASS: &str = "kubernetes.io/ingress.class";
    if object.has(&["metadata", "annotations", CLASS]) && !object.has(&["spec", "ingressClassName"]) {
        found.push(format!("annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"));
    }
}

fn claim(object: &Value, found: &mut Vec<String>) {
    for list in ["requests", "limits"] {
        let amount = object.text(&["spec", "resources", list, "storage"]);
        if is_fraction(amount) {
            found.push(format!(
                "spec.resources.{list}[storage]: fractional byte value \"{amount}\" is invalid, must be an integer"
            ));
        }
    }
}

fn is_fraction(amount: &str) -> bool {
    Quantity::parse(amount).is_some_and(|amount| amount.milli() % 1000 != 0)
}

/// A label of nodes that has another name now.
fn renamed(label: &str) -> Option<String> {
    let now = match label {
        "beta.kubernetes.io/arch" => ("v1.14", "kubernetes.io/arch"),
        "beta.kubernetes.io/os" => ("v1.14", "kubernetes.io/os"),
        "failure-domain.beta.kubernetes.io/region" => ("v1.17", "topology.kubernetes.io/region"),
        "failure-domain.beta.kubernetes.io/zone" => ("v1.17", "topology.kubernetes.io/zone"),
        "beta.kubernetes.io/instance-type" => ("v1.17", "node.kubernetes.io/instance-type"),
        _ => return None,
    };
    Some(format!("deprecated since {}; use \"{}\" instead", now.0, now.1))
}

/// A pod, or a template of pods.
struct Pods<'a> {
    /// Before its fields: nothing, or `spec.template.`.
    at: String,
    template: &'a Value,
    found: &'a mut Vec<String>,
}

impl<'a> Pods<'a> {
    fn all(mut self) {
        self.labels();
        self.annotations();
        self.lists();
        for (path, container) in self.containers() {
            self.amounts(&path, container);
            self.variables(&path, container);
        }
        self.ports();
        self.port_names();
        let grace = self.template.number(&["spec", "terminationGracePeriodSeconds"]);
        if grace.is_some_and(|seconds| seconds < 0) {
            self.say("spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1");
        }
        self.selectors();
    }

    fn say(&mut self, what: &str) {
        self.found.push(format!("{}{what}", self.at));
    }

    fn containers(&self) -> Vec<(String, &'a Value)> {
        let mut found = Vec::new();
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            let containers = self.template.items(&["spec", list]).iter().enumerate();
            found.extend(containers.map(|(at, container)| (format!("{}spec.{list}[{at}]", self.at), container)));
        }
        found
    }

    fn labels(&mut self) {
        for (label, _) in self.template.entries(&["spec", "nodeSelector"]) {
            if let Some(message) = renamed(label) {
                self.say(&format!("spec.nodeSelector[{label}]: {message}"));
            }
        }
        for (at, constraint) in self.template.items(&["spec", "topologySpreadConstraints"]).iter().enumerate() {
            let key = constraint.text(&["topologyKey"]);
            if let Some(message) = renamed(key) {
                self.say(&format!("spec.topologySpreadConstraints[{at}].topologyKey: {key} is {message}"));
            }
            if !constraint.has(&["labelSelector"]) {
                self.say(&format!(
                    "spec.topologySpreadConstraints[{at}].labelSelector: a null labelSelector results in matching no pod"
                ));
            }
        }
    }

    fn annotations(&mut self) {
        for (key, message) in [
            (
                "scheduler.alpha.kubernetes.io/critical-pod",
                "non-functional in v1.16+; use the \"priorityClassName\" field instead",
            ),
            ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
            (
                "security.alpha.kubernetes.io/unsafe-sysctls",
                "non-functional in v1.11+; use the \"sysctls\" field instead",
            ),
        ] {
            if self.template.has(&["metadata", "annotations", key]) {
                self.say(&format!("metadata.annotations[{key}]: {message}"));
            }
        }
        for (at, volume) in self.template.items(&["spec", "volumes"]).iter().enumerate() {
            if volume.has(&["gitRepo"]) {
                self.say(&format!(
                    "spec.volumes[{at}].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"
                ));
            }
        }
    }

    fn lists(&mut self) {
        for (list, key, what) in [("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")] {
            let mut seen = BTreeSet::new();
            for (at, item) in self.template.items(&["spec", list]).iter().enumerate() {
                let word = item.text(&[key]);
                if !seen.insert(word) {
                    self.say(&format!("spec.{list}[{at}].{key}: duplicate {what} {word:?}"));
                }
            }
        }
        for (at, item) in self.template.items(&["spec", "imagePullSecrets"]).iter().enumerate() {
            if item.text(&["name"]).is_empty() {
                self.say(&format!("spec.imagePullSecrets[{at}].name: invalid empty name \"\""));
            }
        }
    }

    fn amounts(&mut self, path: &str, container: &Value) {
        for resource in ["memory", "ephemeral-storage"] {
            for list in ["limits", "requests"] {
                let amount = container.text(&["resources", list, resource]);
                if is_fraction(amount) {
                    self.found.push(format!(
                        "{path}.resources.{list}[{resource}]: fractional byte value \"{amount}\" is invalid, must be an integer"
                    ));
                }
            }
        }
    }

    fn variables(&mut self, path: &str, container: &Value) {
        let mut seen = BTreeSet::new();
        for (at, variable) in container.items(&["env"]).iter().enumerate() {
            let (name, value) = (variable.text(&["name"]), variable.text(&["value"]));
            let reference = format!("$({name})");
            let extends = !variable.has(&["valueFrom"]) && value != reference && value.contains(&reference);
            if !seen.insert(name) && !extends {
                self.found.push(format!(
                    "{path}.env[{at}]: hides previous definition of {name:?}, which may be dropped when using apply"
                ));
            }
        }
    }

    fn ports(&mut self) {
        let mut seen: BTreeMap<(i64, &str), Vec<(String, &Value)>> = BTreeMap::new();
        for (path, container) in self.containers() {
            for (at, port) in container.items(&["ports"]).iter().enumerate() {
                let here = format!("{path}.ports[{at}]");
                let key = (port.number(&["containerPort"]).unwrap_or_default(), port.text(&["protocol"]));
                let others = seen.entry(key).or_default();
                for (there, other) in others.iter() {
                    if let Some(how) = overlap(port, other) {
                        self.found.push(format!("{here}: {how} port definition with {there}"));
                    }
                }
                others.push((here, port));
            }
        }
    }

    fn port_names(&mut self) {
        let mut seen: BTreeMap<&str, String> = BTreeMap::new();
        for (path, container) in self.containers() {
            for (at, port) in container.items(&["ports"]).iter().enumerate() {
                let (name, here) = (port.text(&["name"]), format!("{path}.ports[{at}]"));
                match seen.get(name) {
                    _ if name.is_empty() => {}
                    Some(other) => self.found.push(format!(
                        "{here}: duplicate port name {name:?} with {other}, services and probes that select ports by name will use {other}"
                    )),
                    None => _ = seen.insert(name, here),
                }
            }
        }
    }

    fn selectors(&mut self) {
        for kind in ["podAffinity", "podAntiAffinity"] {
            for (list, within) in [
                ("requiredDuringSchedulingIgnoredDuringExecution", ""),
                ("preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm."),
            ] {
                for (at, term) in self.template.items(&["spec", "affinity", kind, list]).iter().enumerate() {
                    let chosen = term.has(&["labelSelector"]) || term.has(&["podAffinityTerm", "labelSelector"]);
                    if !chosen {
                        self.say(&format!(
                            "spec.affinity.{kind}.{list}[{at}].{within}labelSelector: a null labelSelector results in matching no pod"
                        ));
                    }
                }
            }
        }
    }
}

/// How two ports of the same number and protocol come into each other's way.
fn overlap(port: &Value, other: &Value) -> Option<&'static str> {
    let host = |port: &Value| (port.text(&["hostIP"]).to_owned(), port.number(&["hostPort"]).unwrap_or_default());
    let ((ip, number), (other_ip, other_number)) = (host(port), host(other));
    if ip == other_ip && number == other_number {
        Some("duplicate")
    } else if number == 0 || other_number == 0 {
        Some("overlapping")
    } else if number == other_number && ip.is_empty() != other_ip.is_empty() {
        Some("dangerously ambiguous")
    } else {
        None
    }
}
