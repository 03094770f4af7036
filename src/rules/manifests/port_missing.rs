//! Ports of probes, Services and Ingresses that nothing has.

use serde_json::Value;

use super::{
    references::backend_services,
    rule::{Check, Context, Findings, Rule},
    service_selects_nothing::services,
    set::{Container, Workload},
};
use crate::{
    config::nearest,
    model::{FieldPath, Severity},
};

pub(super) static RULE: Rule = Rule {
    code: "port-missing",
    severity: Severity::Error,
    summary: "A probe, Service or Ingress names a port that its target does not have",
    help: "A port name that no container has cannot be reached. A number is only a warning, because a container may listen on a port that it does not declare.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for workload in &context.set.workloads {
        let declared: Vec<&Value> = workload.containers().flat_map(|container| ports(container.value)).collect();
        for container in workload.containers() {
            probes(workload, &declared, &container, findings);
        }
    }
    services_ports(context, findings);
    ingresses(context, findings);
}

fn ports(container: &Value) -> impl Iterator<Item = &Value> {
    container["ports"].as_array().into_iter().flatten()
}

fn names<'v>(ports: impl Iterator<Item = &'v Value>) -> Vec<&'v str> {
    ports.filter_map(|port| port["name"].as_str()).collect()
}

/// Where a container names ports that the kubelet asks.
const ASKS: [&[&str]; 5] = [
    &["livenessProbe"],
    &["readinessProbe"],
    &["startupProbe"],
    &["lifecycle", "postStart"],
    &["lifecycle", "preStop"],
];

/// Probes and hooks of one container. Names are those of the container, numbers those of the whole pod.
fn probes(workload: &Workload<'_>, declared: &[&Value], container: &Container<'_>, findings: &mut Findings) {
    let own = || ports(container.value);
    for (steps, action) in
        ASKS.into_iter().flat_map(|steps| ["httpGet", "tcpSocket", "grpc"].map(|action| (steps, action)))
    {
        let handler = steps.iter().fold(container.value, |value, step| &value[*step]);
        // With a host it asks another machine.
        let port =
            Some(&handler[action]["port"]).filter(|port| !port.is_null() && handler[action].get("host").is_none());
        let path = || {
            let path = steps.iter().fold(workload.path_of(container), |path, step| path.key(step));
            path.key(action).key("port")
        };
        match port {
            Some(Value::String(name)) => {
                let names = names(own());
                if !names.contains(&name.as_str()) {
                    let container = container.value["name"].as_str().unwrap_or_default();
                    let message = format!("container {container:?} has no port named {name:?}");
                    findings.add(workload.manifest, path(), message).hint = suggest(name, &names);
                }
            }
            Some(number) if own().next().is_some() && !declares(declared, number) => {
                let message =
                    format!("no container of the pod declares port {number}; declared: {}", numbers(declared));
                findings.add(workload.manifest, path(), message).severity(Severity::Warning);
            }
            _ => {}
        }
    }
}

fn declares(declared: &[&Value], number: &Value) -> bool {
    declared.iter().any(|port| port["containerPort"] == *number)
}

fn numbers(declared: &[&Value]) -> String {
    let numbers: Vec<String> = declared.iter().map(|port| port["containerPort"].to_string()).collect();
    numbers.join(", ")
}

fn suggest(name: &str, names: &[&str]) -> Option<String> {
    match (nearest(name, names.iter().copied()), names) {
        (Some(near), _) => Some(format!("did you mean {near}?")),
        (None, []) => None,
        (None, names) => Some(format!("its ports are {}", names.join(", "))),
    }
}

fn services_ports(context: &Context<'_>, findings: &mut Findings) {
    for (index, manifest, selector) in services(context.set) {
        let namespace = context.set.namespace_of(manifest);
        let selected = context.set.selected(namespace, selector);
        let declared: Vec<&Value> = selected
            .iter()
            .flat_map(|workload| workload.containers())
            .flat_map(|container| ports(container.value))
            .collect();
        if selected.is_empty() {
            continue;
        }
        let path = FieldPath::default().key("spec").key("ports");
        for (position, port) in manifest.object["spec"]["ports"].as_array().into_iter().flatten().enumerate() {
            let path = path.index(position);
            let target = port.get("targetPort").filter(|target| !target.is_null());
            let path = path.key(if target.is_some() { "targetPort" } else { "port" });
            match target.unwrap_or(&port["port"]) {
                Value::String(name) => {
                    let names = names(declared.iter().copied());
                    if !names.contains(&name.as_str()) {
                        let message = format!("no container that the Service selects has a port named {name:?}");
                        findings.add(index, path, message).hint = suggest(name, &names);
                    }
                }
                number @ Value::Number(_) if !declared.is_empty() && !declares(&declared, number) => {
                    let message = format!(
                        "no container that the Service selects declares port {number}; declared: {}",
                        numbers(&declared)
                    );
                    findings.add(index, path, message).severity(Severity::Warning);
                }
                _ => {}
            }
        }
    }
}

fn ingresses(context: &Context<'_>, findings: &mut Findings) {
    for (index, manifest) in context.set.manifests.iter().enumerate() {
        if manifest.reference.kind != "Ingress" || manifest.reference.api_version != "networking.k8s.io/v1" {
            continue;
        }
        let namespace = context.set.namespace_of(manifest);
        for (path, service) in backend_services(&manifest.object) {
            let name = service["name"].as_str().unwrap_or_default();
            let Some((_, target)) = context.set.find("", "Service", namespace, name) else { continue };
            let offered: Vec<&Value> = target.object["spec"]["ports"].as_array().into_iter().flatten().collect();
            let wanted = &service["port"];
            let (field, known) = match (&wanted["name"], &wanted["number"]) {
                (port @ Value::String(_), _) => ("name", offered.iter().any(|offer| offer["name"] == *port)),
                (_, port @ Value::Number(_)) => ("number", offered.iter().any(|offer| offer["port"] == *port)),
                _ => continue,
            };
            // A Service by name only (ExternalName) has no ports to compare.
            if !known && !offered.is_empty() {
                let all: Vec<String> = offered.iter().map(|offer| offer["port"].to_string()).collect();
                let message = format!("Service {name:?} has no port {}; it has {}", wanted[field], all.join(", "));
                findings.add(index, path.key("port").key(field), message);
            }
        }
    }
}
