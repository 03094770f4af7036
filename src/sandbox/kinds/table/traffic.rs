//! How pods are reached: Services, their endpoints, and the group networking.k8s.io.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::edit::Read,
    name_and_age,
    words::{at_most_three, labels, or, or_none, selector},
};
use crate::sandbox::resource::Resource;

pub(super) fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let (name, age) = name_and_age(object, now);
    let cells = match resource.kind.as_str() {
        "Service" => {
            let address = object.items(&["spec", "clusterIPs"]).first().and_then(Value::as_str).unwrap_or_default();
            let chosen = labels(object.fields(&["spec", "selector"]));
            vec![
                name,
                json!(object.text(&["spec", "type"])),
                json!(or_none(address)),
                json!(external_address(object)),
                json!(or_none(&ports(object))),
                age,
                json!(chosen),
            ]
        }
        "Endpoints" => vec![name, json!(endpoints(object)), age],
        "EndpointSlice" => {
            let ports: Vec<String> = object.items(&["ports"]).iter().map(slice_port).collect();
            let addresses = object.items(&["endpoints"]).iter().flat_map(|endpoint| endpoint.items(&["addresses"]));
            let addresses: Vec<String> = addresses.filter_map(Value::as_str).map(Into::into).collect();
            let [ports, addresses] = [ports, addresses].map(|all| json!(or(&at_most_three(&all), "<unset>")));
            vec![name, json!(object.text(&["addressType"])), ports, addresses, age]
        }
        "Ingress" => {
            let ports = if object.items(&["spec", "tls"]).is_empty() { "80" } else { "80, 443" };
            let class = object.at(&["spec", "ingressClassName"]).and_then(Value::as_str).unwrap_or("<none>");
            vec![name, json!(class), json!(hosts(object)), json!(balanced(object)), json!(ports), age]
        }
        "IngressClass" => {
            vec![name, json!(object.text(&["spec", "controller"])), json!(parameters(object)), age]
        }
        "NetworkPolicy" => vec![name, json!(selector(object.at(&["spec", "podSelector"]))), age],
        "ServiceCIDR" => {
            let ranges: Vec<&str> = object.items(&["spec", "cidrs"]).iter().filter_map(Value::as_str).collect();
            vec![name, json!(ranges.join(",")), age]
        }
        "IPAddress" => {
            let reference = |key: &str| object.text(&["spec", "parentRef", key]);
            let resource = match reference("group") {
                "" => reference("resource").to_lowercase(),
                group => format!("{}.{group}", reference("resource")).to_lowercase(),
            };
            let parts = [resource.as_str(), reference("namespace"), reference("name")];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            vec![name, json!(or_none(&parts.join("/"))), age]
        }
        _ => return None,
    };
    Some(cells)
}

fn texts(object: &Value, keys: &[&str]) -> Vec<String> {
    object.items(keys).iter().filter_map(Value::as_str).map(Into::into).collect()
}

/// The addresses or names that a load balancer gave.
fn balanced(object: &Value) -> String {
    let found: BTreeSet<&str> = object
        .items(&["status", "loadBalancer", "ingress"])
        .iter()
        .map(
            |ingress| {
                if ingress.text(&["ip"]).is_empty() { ingress.text(&["hostname"]) } else { ingress.text(&["ip"]) }
            },
        )
        .filter(|address| !address.is_empty())
        .collect();
    found.into_iter().collect::<Vec<_>>().join(",")
}

fn external_address(service: &Value) -> String {
    let own = texts(service, &["spec", "externalIPs"]);
    match service.text(&["spec", "type"]) {
        "ClusterIP" | "NodePort" => or_none(&own.join(",")),
        "LoadBalancer" => {
            let balanced = balanced(service);
            let mut all: Vec<String> = balanced.split(',').filter(|text| !text.is_empty()).map(Into::into).collect();
            all.extend(own);
            or(&all.join(","), "<pending>")
        }
        "ExternalName" => service.text(&["spec", "externalName"]).into(),
        _ => "<unknown>".into(),
    }
}

fn ports(service: &Value) -> String {
    let ports = service.items(&["spec", "ports"]).iter().map(|port| {
        let (number, protocol) = (port.number(&["port"]).unwrap_or_default(), port.text(&["protocol"]));
        match port.number(&["nodePort"]).unwrap_or_default() {
            0 => format!("{number}/{protocol}"),
            node => format!("{number}:{node}/{protocol}"),
        }
    });
    ports.collect::<Vec<_>>().join(",")
}

fn endpoints(object: &Value) -> String {
    let mut all = Vec::new();
    for subset in object.items(&["subsets"]) {
        let addresses = || subset.items(&["addresses"]).iter().map(|address| address.text(&["ip"]));
        let ports = subset.items(&["ports"]);
        if ports.is_empty() {
            all.extend(addresses().map(String::from));
        }
        for port in ports.iter().map(|port| port.number(&["port"]).unwrap_or_default()) {
            all.extend(addresses().map(|address| match address.contains(':') {
                true => format!("[{address}]:{port}"),
                false => format!("{address}:{port}"),
            }));
        }
    }
    if object.items(&["subsets"]).is_empty() { "<none>".into() } else { at_most_three(&all) }
}

fn slice_port(port: &Value) -> String {
    match port.number(&["port"]) {
        Some(number) => number.to_string(),
        None => port.at(&["name"]).and_then(Value::as_str).unwrap_or("*").into(),
    }
}

fn hosts(ingress: &Value) -> String {
    let rules = ingress.items(&["spec", "rules"]);
    let mut hosts: Vec<&str> = Vec::new();
    let mut more = false;
    for host in rules.iter().map(|rule| rule.text(&["host"])) {
        more |= hosts.len() == 3;
        if !more && !host.is_empty() {
            hosts.push(host);
        }
    }
    match (hosts.is_empty(), more) {
        (true, _) => "*".into(),
        (_, true) => format!("{} + {} more...", hosts.join(","), rules.len() - 3),
        _ => hosts.join(","),
    }
}

fn parameters(class: &Value) -> String {
    let parameter = |key: &str| class.text(&["spec", "parameters", key]);
    if !class.has(&["spec", "parameters"]) {
        return "<none>".into();
    }
    let kind = match class.has(&["spec", "parameters", "apiGroup"]) {
        true => format!("{}.{}", parameter("kind"), parameter("apiGroup")),
        false => parameter("kind").to_owned(),
    };
    format!("{kind}/{}", parameter("name"))
}
