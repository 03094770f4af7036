//! Services: what is allocated for them, and what an update carries over.
//!
//! Source: `pkg/registry/core/service` of Kubernetes 1.34.

use serde_json::{Value, json};

use super::edit::{Edit, Fields, Read};
use crate::sandbox::resource::Resource;

/// Hands out what a cluster has once only.
pub trait Allocator {
    /// A free address for a Service; None when all are taken.
    fn cluster_ip(&mut self) -> Option<String>;
    /// A free port of all nodes; None when all are taken.
    fn node_port(&mut self) -> Option<u16>;
}

/// Gives a Service that is about to be stored the addresses and ports that it needs and lacks; other kinds stay as they
/// are.
pub fn allocate(resource: &Resource, object: &mut Value, allocator: &mut dyn Allocator) {
    if !resource.group.is_empty() || resource.kind != "Service" {
        return;
    }
    let Some(spec) = object.as_object_mut().and_then(|service| service.within("spec")) else { return };
    if !spec.text(&["clusterIP"]).is_empty() && spec.items(&["clusterIPs"]).is_empty() {
        let address = spec.text(&["clusterIP"]).to_owned();
        spec.insert("clusterIPs".into(), json!([address]));
    }
    if needs_address(spec) {
        if spec.text(&["clusterIP"]).is_empty() {
            let address = spec.items(&["clusterIPs"]).first().and_then(Value::as_str).map(Into::into);
            if let Some(address) = address.or_else(|| allocator.cluster_ip()) {
                spec.insert("clusterIP".into(), json!(address));
            }
        }
        let address = spec.text(&["clusterIP"]).to_owned();
        if !address.is_empty() {
            spec.or("clusterIPs", json!([address]));
        }
        // Without a selector nobody knows the families of a headless Service: it may have both.
        let open = address == "None" && spec.fields(&["selector"]).is_none_or(Fields::is_empty);
        let (family, other) = if address.contains(':') { ("IPv6", "IPv4") } else { ("IPv4", "IPv6") };
        spec.or("ipFamilyPolicy", if open { "RequireDualStack" } else { "SingleStack" });
        spec.or("ipFamilies", json!([family]));
        let both = open && spec.text(&["ipFamilyPolicy"]) != "SingleStack";
        if let Some(Value::Array(families)) = spec.get_mut("ipFamilies").filter(|_| both)
            && families.len() == 1
        {
            let first = families.first().and_then(Value::as_str).unwrap_or_default();
            families.push(json!(if first == family { other } else { family }));
        }
    }
    if needs_node_ports(spec) {
        for port in spec.each("ports") {
            if port.number(&["nodePort"]).unwrap_or_default() == 0
                && let Some(free) = allocator.node_port()
            {
                port.insert("nodePort".into(), json!(free));
            }
        }
    }
    if needs_health_port(spec)
        && !spec.has(&["healthCheckNodePort"])
        && let Some(free) = allocator.node_port()
    {
        spec.insert("healthCheckNodePort".into(), json!(free));
    }
}

fn needs_address(spec: &Fields) -> bool {
    spec.text(&["type"]) != "ExternalName"
}

fn needs_node_ports(spec: &Fields) -> bool {
    let balanced = spec.text(&["type"]) == "LoadBalancer";
    let wanted = spec.get("allocateLoadBalancerNodePorts") != Some(&Value::Bool(false));
    spec.text(&["type"]) == "NodePort" || (balanced && wanted)
}

fn needs_health_port(spec: &Fields) -> bool {
    spec.text(&["type"]) == "LoadBalancer" && spec.text(&["externalTrafficPolicy"]) == "Local"
}

fn is_external(spec: &Fields) -> bool {
    let external = !spec.items(&["externalIPs"]).is_empty() && spec.text(&["type"]) == "ClusterIP";
    matches!(spec.text(&["type"]), "NodePort" | "LoadBalancer") || external
}

/// There is no traffic to an external name itself.
pub(super) fn without_traffic(service: &mut Fields) {
    if let Some(spec) = service.within("spec").filter(|spec| spec.text(&["type"]) == "ExternalName") {
        spec.shift_remove("internalTrafficPolicy");
    }
}

/// Carries over what was allocated, and drops what a change of the type leaves without use.
pub(super) fn prepare_update(new: &mut Fields, live: &Fields) {
    without_traffic(new);
    let (Some(spec), Some(before)) = (new.within("spec"), live.fields(&["spec"])) else { return };
    follow_address(spec, before);
    match (needs_address(before), needs_address(spec)) {
        (true, false) => {
            if spec.get("clusterIPs") == before.get("clusterIPs") {
                spec.shift_remove("clusterIP");
            }
            for key in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                drop_same(spec, before, key);
            }
        }
        (true, true) => carry_addresses(spec, before),
        _ => {}
    }
    match (needs_node_ports(before), needs_node_ports(spec)) {
        (true, false) if same_node_ports(spec, before) => {
            spec.each("ports").for_each(|port| {
                port.shift_remove("nodePort");
            });
        }
        (true, true) => carry_node_ports(spec, before),
        _ => {}
    }
    match (needs_health_port(before), needs_health_port(spec)) {
        (true, true) if !spec.has(&["healthCheckNodePort"]) => spec.copy("healthCheckNodePort", before),
        (true, false) => drop_same(spec, before, "healthCheckNodePort"),
        _ => {}
    }
    if before.text(&["type"]) == "LoadBalancer" && spec.text(&["type"]) != "LoadBalancer" {
        drop_same(spec, before, "allocateLoadBalancerNodePorts");
        drop_same(spec, before, "loadBalancerClass");
    }
    if is_external(before) && !is_external(spec) {
        drop_same(spec, before, "externalTrafficPolicy");
    }
    if spec.text(&["type"]) != "LoadBalancer"
        && let Some(status) = new.inside("status")
    {
        status.insert("loadBalancer".into(), json!({}));
    }
}

/// Who changes the one address alone means the list of them, too.
fn follow_address(spec: &mut Fields, before: &Fields) {
    let (new, old) = (spec.text(&["clusterIP"]).to_owned(), before.text(&["clusterIP"]));
    if new == old || spec.get("clusterIPs") != before.get("clusterIPs") {
        return;
    }
    if new.is_empty() {
        spec.shift_remove("clusterIPs");
    } else if let Some(first) = spec.get_mut("clusterIPs").and_then(|list| list.get_mut(0)) {
        *first = json!(new);
    }
}

fn drop_same(spec: &mut Fields, before: &Fields, key: &str) {
    if spec.get(key) == before.get(key) {
        spec.shift_remove(key);
    }
}

fn carry_addresses(spec: &mut Fields, before: &Fields) {
    if spec.text(&["clusterIP"]).is_empty() && spec.items(&["clusterIPs"]).is_empty() {
        spec.copy("clusterIP", before);
    }
    if !spec.has(&["clusterIPs"]) && spec.get("clusterIP") == before.get("clusterIP") {
        spec.copy("clusterIPs", before);
    }
    if !spec.has(&["ipFamilyPolicy"]) {
        spec.copy("ipFamilyPolicy", before);
    }
}

fn same_node_ports(spec: &Fields, before: &Fields) -> bool {
    let ports = |spec: &Fields| -> Vec<i64> {
        let ports = spec.items(&["ports"]).iter();
        let mut ports: Vec<i64> = ports.filter_map(|port| port.number(&["nodePort"])).collect();
        ports.sort_unstable();
        ports
    };
    ports(spec) == ports(before)
}

fn carry_node_ports(spec: &mut Fields, before: &Fields) {
    let used: Vec<i64> = spec.items(&["ports"]).iter().filter_map(|port| port.number(&["nodePort"])).collect();
    for port in spec.each("ports").filter(|port| port.number(&["nodePort"]).unwrap_or_default() == 0) {
        let same = before
            .items(&["ports"])
            .iter()
            .find(|old| old.get("port") == port.get("port") && old.text(&["protocol"]) == port.text(&["protocol"]));
        if let Some(number) = same.and_then(|old| old.number(&["nodePort"])).filter(|number| !used.contains(number)) {
            port.insert("nodePort".into(), json!(number));
        }
    }
}
