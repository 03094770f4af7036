//! Services.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::{one_of, optional_one_of, port},
    meta, text,
};

const ONLY_BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";

fn is_headless(spec: &Value) -> bool {
    matches!(spec.items(&["clusterIPs"]), [only] if only == "None")
}

pub(super) fn service(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    if let Some(before) = live.and_then(|live| live.get("spec")) {
        changes(spec, before, &path, causes);
    }
    let kind = spec.text(&["type"]);
    let ports = spec.items(&["ports"]);
    if ports.is_empty() && !is_headless(spec) && kind != "ExternalName" {
        causes.required(&path.to("ports"), "");
    }
    by_type(spec, &path, causes);
    let list = path.to("ports");
    let mut names = BTreeSet::new();
    for (position, one) in ports.iter().enumerate() {
        one_port(one, ports.len() > 1, &mut names, &list.index(position), causes);
    }
    meta::labels(spec.fields(&["selector"]), &path.to("selector"), causes);
    one_of(spec, "sessionAffinity", &["ClientIP", "None"], &path, causes);
    let timeout = spec.number(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
    if let Some(timeout) = timeout.filter(|timeout| !(1..=86400).contains(timeout)) {
        let at = path.to("sessionAffinityConfig");
        let at = at.to("clientIP");
        causes.invalid(&at.to("timeoutSeconds"), timeout, "must be greater than 0 and less than 86400");
    }
    addresses(spec, &path, causes);
    let list = path.to("externalIPs");
    for (position, address) in spec.items(&["externalIPs"]).iter().filter_map(Value::as_str).enumerate() {
        reachable(address, &list.index(position), causes);
    }
    one_of(spec, "type", &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], &path, causes);
    ports_once(spec, &path.to("ports"), causes);
    balanced(spec, &path, causes);
    policies(spec, &path, causes);
}

/// What the allocator of addresses refuses, before anything else is judged: here are addresses of one family.
pub(super) fn families(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    let open = spec.text(&["clusterIP"]) == "None" && spec.entries(&["selector"]).next().is_none();
    if spec.text(&["type"]) == "ExternalName" || open {
        return;
    }
    addresses(spec, &path, causes);
    if !causes.is_empty() {
        return;
    }
    let policy = spec.text(&["ipFamilyPolicy"]);
    if policy == "RequireDualStack" {
        causes.invalid(&path.to("ipFamilyPolicy"), policy, "this cluster is not configured for dual-stack services");
    }
    let list = path.to("ipFamilies");
    for (position, family) in spec.items(&["ipFamilies"]).iter().enumerate().filter(|(_, family)| *family == "IPv6") {
        causes.invalid(&list.index(position), family.clone(), "not configured on this cluster");
    }
}

fn by_type(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let kind = spec.text(&["type"]);
    let list = path.to("clusterIPs");
    match kind {
        "LoadBalancer" | "NodePort" if is_headless(spec) => {
            causes.invalid(&list.index(0), "None", format!("may not be set to 'None' for {kind} services"));
        }
        "ExternalName" => {
            for key in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if spec.has(&[key]) {
                    causes.forbidden(&path.to(key), "may not be set for ExternalName services");
                }
            }
            let name = spec.text(&["externalName"]);
            match name.strip_suffix('.').unwrap_or(name) {
                "" => causes.required(&path.to("externalName"), ""),
                name => causes.all(&path.to("externalName"), name, text::dns_subdomain(name)),
            }
        }
        _ => {}
    }
}

fn one_port<'v>(one: &'v Value, named: bool, names: &mut BTreeSet<&'v str>, path: &Path<'_>, causes: &mut Causes) {
    let name = one.text(&["name"]);
    if !name.is_empty() {
        causes.all(&path.to("name"), name, text::dns_label(name));
        if !names.insert(name) {
            causes.duplicate(&path.to("name"), name);
        }
    } else if named {
        causes.required(&path.to("name"), "");
    }
    port(Some(&json!(one.number(&["port"]).unwrap_or_default())), &path.to("port"), causes);
    one_of(one, "protocol", &["SCTP", "TCP", "UDP"], path, causes);
    port(one.get("targetPort"), &path.to("targetPort"), causes);
    if let Some(protocol) = one.get("appProtocol").and_then(Value::as_str) {
        causes.all(&path.to("appProtocol"), protocol, text::qualified_name(protocol));
    }
}

fn addresses(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    if spec.text(&["type"]) == "ExternalName" {
        return;
    }
    let list = path.to("clusterIPs");
    let all = spec.items(&["clusterIPs"]);
    match (spec.text(&["clusterIP"]), all.first()) {
        ("", Some(_)) => causes.invalid(&list, all.to_vec(), "must be empty when `clusterIP` is not specified"),
        ("", None) => {}
        (_, None) => causes.required(&list, ""),
        (address, Some(first)) if first != address => {
            causes.invalid(&list, all.to_vec(), "first value must match `clusterIP`");
        }
        _ => {}
    }
    let families = path.to("ipFamilies");
    let mut seen = BTreeSet::new();
    for (position, family) in spec.items(&["ipFamilies"]).iter().filter_map(Value::as_str).enumerate() {
        if !matches!(family, "IPv4" | "IPv6") {
            causes.unsupported(&families.index(position), family, &["IPv4", "IPv6"]);
        }
        if !seen.insert(family) {
            causes.duplicate(&families.index(position), family);
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    optional_one_of(spec, "ipFamilyPolicy", &policies, path, causes);
    for (position, address) in all.iter().filter_map(Value::as_str).enumerate() {
        if position == 0 && address == "None" {
            if all.len() > 1 {
                causes.invalid(&list, all.to_vec(), "'None' must be the first and only value");
            }
            continue;
        }
        causes.all(&list.index(position), address, text::address(address));
    }
    if all.len() > 2 {
        causes.invalid(&list, all.to_vec(), "may only hold up to 2 values");
    }
}

/// An address that traffic from elsewhere may have.
pub(super) fn reachable(address: &str, path: &Path<'_>, causes: &mut Causes) {
    let Ok(read) = address.parse::<std::net::IpAddr>() else {
        return causes.all(path, address, text::address(address));
    };
    let (local, multicast) = match read {
        std::net::IpAddr::V4(four) => (four.is_link_local(), four.octets()[..3] == [224, 0, 0]),
        std::net::IpAddr::V6(six) => (six.segments()[0] & 0xffc0 == 0xfe80, six.segments()[0] & 0xff0f == 0xff02),
    };
    if read.is_unspecified() {
        causes.invalid(path, address, format!("may not be unspecified ({address})"));
    }
    if read.is_loopback() {
        causes.invalid(path, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    }
    if local {
        causes.invalid(path, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    }
    if multicast {
        causes.invalid(path, address, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
    }
}

fn ports_once(spec: &Value, list: &Path<'_>, causes: &mut Causes) {
    let ports = spec.items(&["ports"]);
    let node = |port: &Value| port.number(&["nodePort"]).unwrap_or_default();
    if spec.text(&["type"]) == "ClusterIP" {
        for (position, _) in ports.iter().enumerate().filter(|(_, port)| node(port) != 0) {
            causes.forbidden(&list.index(position).to("nodePort"), "may not be used when `type` is 'ClusterIP'");
        }
    }
    let mut taken = BTreeSet::new();
    for (position, port) in ports.iter().enumerate().filter(|(_, port)| node(port) != 0) {
        if !taken.insert((port.text(&["protocol"]), node(port))) {
            causes.duplicate(&list.index(position).to("nodePort"), node(port));
        }
    }
    let mut taken = BTreeSet::new();
    for (position, port) in ports.iter().enumerate() {
        let (protocol, number) = (port.text(&["protocol"]), port.number(&["port"]).unwrap_or_default());
        if !taken.insert((protocol, number)) {
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":\"{protocol}\",\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\"NodePort\":0}}"
            );
            causes.duplicate_as(&list.index(position), shown);
        }
    }
}

fn balanced(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let balanced = spec.text(&["type"]) == "LoadBalancer";
    let ranges = spec.items(&["loadBalancerSourceRanges"]);
    let at = path.to("LoadBalancerSourceRanges");
    if !ranges.is_empty() && !balanced {
        causes.forbidden(&at, ONLY_BALANCED);
    }
    for (position, range) in ranges.iter().filter_map(Value::as_str).enumerate() {
        causes.all(&at.index(position), range, text::network(range.trim()));
    }
    if spec.has(&["allocateLoadBalancerNodePorts"]) && !balanced {
        causes.forbidden(&path.to("allocateLoadBalancerNodePorts"), ONLY_BALANCED);
    }
    if let Some(class) = spec.get("loadBalancerClass").and_then(Value::as_str) {
        let at = path.to("loadBalancerClass");
        match balanced {
            true => causes.all(&at, class, text::qualified_name(class)),
            false => causes.forbidden(&at, ONLY_BALANCED),
        }
    }
}

fn policies(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let kind = spec.text(&["type"]);
    let external = kind == "ClusterIP" && !spec.items(&["externalIPs"]).is_empty();
    let policy = spec.text(&["externalTrafficPolicy"]);
    if matches!(kind, "LoadBalancer" | "NodePort") || external {
        one_of(spec, "externalTrafficPolicy", &["Cluster", "Local"], path, causes);
    } else if !policy.is_empty() {
        let detail = "may only be set for externally-accessible services";
        causes.invalid(&path.to("externalTrafficPolicy"), policy, detail);
    }
    let health = spec.number(&["healthCheckNodePort"]).unwrap_or_default();
    if health != 0 && !(kind == "LoadBalancer" && policy == "Local") {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        causes.invalid(&path.to("healthCheckNodePort"), health, detail);
    }
    optional_one_of(spec, "internalTrafficPolicy", &["Cluster", "Local"], path, causes);
    optional_one_of(spec, "trafficDistribution", &["PreferClose", "PreferSameZone", "PreferSameNode"], path, causes);
}

/// An address of a Service is not changed once it has one.
fn changes(spec: &Value, before: &Value, path: &Path<'_>, causes: &mut Causes) {
    let named = |spec: &Value| spec.text(&["type"]) == "ExternalName";
    let without = named(spec) || named(before);
    let still_headless = is_headless(spec) && is_headless(before);
    if !without && !still_headless {
        let (new, old) = (spec.items(&["clusterIPs"]), before.items(&["clusterIPs"]));
        let list = path.to("clusterIPs");
        if new.is_empty() && !old.is_empty() {
            causes.invalid(&list.index(0), Value::Null, "primary clusterIP can not be unset");
        }
        for (position, _) in new.iter().zip(old).enumerate().filter(|(_, (new, old))| new != old) {
            causes.invalid(&list.index(position), new.to_vec(), "may not change once set");
        }
    }
    if !without && !is_headless(spec) && !is_headless(before) {
        let (new, old) = (spec.items(&["ipFamilies"]), before.items(&["ipFamilies"]));
        let list = path.to("ipFamilies");
        if new.iter().zip(old).any(|(new, old)| new != old) {
            causes.invalid(&list.index(0), new.to_vec(), "may not change once set");
        }
    }
    let balanced = |spec: &Value| spec.text(&["type"]) == "LoadBalancer";
    if balanced(spec) && balanced(before) && spec.get("loadBalancerClass") != before.get("loadBalancerClass") {
        let class = spec.get("loadBalancerClass").cloned().unwrap_or_default();
        causes.invalid(&path.to("loadBalancerClass"), class, "may not change once set");
    }
}
