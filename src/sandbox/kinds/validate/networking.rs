//! The group networking.k8s.io.
//!
//! Source: `pkg/apis/networking/validation`.

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::{form, port},
    meta, text,
};

const SEQUENCES: [&str; 5] = ["//", "/./", "/../", "%2f", "%2F"];
const SUFFIXES: [&str; 2] = ["/..", "/."];

pub(super) fn ingress(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    let rules = spec.items(&["rules"]);
    if rules.is_empty() && !spec.has(&["defaultBackend"]) {
        causes.invalid_as(&path, "null", "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(default) = spec.get("defaultBackend") {
        backend(default, &path.to("defaultBackend"), causes);
    }
    let list = path.to("rules");
    for (position, rule) in rules.iter().enumerate() {
        self::rule(rule, &list.index(position), causes);
    }
    let list = path.to("tls");
    for (position, secured) in spec.items(&["tls"]).iter().enumerate() {
        let path = list.index(position);
        let hosts = path.to("hosts");
        for (position, host) in secured.items(&["hosts"]).iter().filter_map(Value::as_str).enumerate() {
            host_name(host, &hosts.index(position), causes);
        }
        form(secured, "secretName", text::dns_subdomain, &path, causes);
    }
    form(spec, "ingressClassName", text::dns_subdomain, &path, causes);
    let class = object.text(&["metadata", "annotations", "kubernetes.io/ingress.class"]);
    let named = spec.text(&["ingressClassName"]);
    if live.is_none() && !class.is_empty() && !named.is_empty() && class != named {
        let at = Path::Root.to("annotations");
        let detail = "must match `ingressClassName` when both are specified";
        causes.invalid(&at.to("kubernetes.io/ingress.class"), class, detail);
    }
}

fn host_name(host: &str, path: &Path<'_>, causes: &mut Causes) {
    let faults = if host.contains('*') { text::dns_wildcard(host) } else { text::dns_subdomain(host) };
    causes.all(path, host, faults);
}

fn rule(rule: &Value, path: &Path<'_>, causes: &mut Causes) {
    let host = rule.text(&["host"]);
    if !host.is_empty() {
        if host.parse::<std::net::IpAddr>().is_ok() {
            causes.invalid(&path.to("host"), host, "must be a DNS name, not an IP address");
        }
        host_name(host, &path.to("host"), causes);
    }
    let Some(http) = rule.get("http") else { return };
    let at = path.to("http");
    let list = at.to("paths");
    let paths = http.items(&["paths"]);
    if paths.is_empty() {
        causes.required(&list, "");
    }
    for (position, route) in paths.iter().enumerate() {
        self::route(route, &list.index(position), causes);
    }
}

fn route(route: &Value, path: &Path<'_>, causes: &mut Causes) {
    let place = route.text(&["path"]);
    let at = path.to("path");
    let absolute = place.starts_with('/');
    match route.text(&["pathType"]) {
        "" => return causes.required(&path.to("pathType"), "pathType must be specified"),
        "Exact" | "Prefix" => {
            if !absolute {
                causes.invalid(&at, place, "must be an absolute path");
            }
            let sequences = SEQUENCES.iter().filter(|part| place.contains(**part));
            for sequence in sequences {
                causes.invalid(&at, place, format!("must not contain '{sequence}'"));
            }
            for suffix in SUFFIXES.iter().filter(|suffix| place.ends_with(**suffix)) {
                causes.invalid(&at, place, format!("cannot end with '{suffix}'"));
            }
        }
        "ImplementationSpecific" if !place.is_empty() && !absolute => {
            causes.invalid(&at, place, "must be an absolute path");
        }
        "ImplementationSpecific" => {}
        other => {
            causes.unsupported(&path.to("pathType"), other, &["Exact", "ImplementationSpecific", "Prefix"]);
        }
    }
    backend(route.get("backend").unwrap_or(&Value::Null), &path.to("backend"), causes);
}

fn backend(backend: &Value, path: &Path<'_>, causes: &mut Causes) {
    match (backend.get("service"), backend.has(&["resource"])) {
        (Some(_), true) => causes.invalid(path, "", "cannot set both resource and service backends"),
        (None, false) => causes.invalid(path, "", "resource or service backend is required"),
        (None, true) => {}
        (Some(service), false) => {
            let at = path.to("service");
            match service.text(&["name"]) {
                "" => causes.required(&at.to("name"), ""),
                name => causes.all(&at.to("name"), name, text::dns_1035_label(name)),
            }
            let (name, number) = (service.text(&["port", "name"]), service.number(&["port", "number"]));
            let at = at.to("port");
            match (name, number.unwrap_or_default()) {
                ("", 0) => causes.required(path, "port name or number is required"),
                ("", _) => port(service.at(&["port", "number"]), &at.to("number"), causes),
                (name, 0) => causes.all(&at.to("name"), name, text::port_name(name)),
                _ => causes.invalid(path, "", "cannot set both port name & port number"),
            }
        }
    }
}

pub(super) fn policy(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    if let Some(selector) = spec.get("podSelector") {
        meta::selector(selector, &path.to("podSelector"), causes);
    }
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let list = path.to(direction);
        for (position, rule) in spec.items(&[direction]).iter().enumerate() {
            let path = list.index(position);
            let ports = path.to("ports");
            for (position, port) in rule.items(&["ports"]).iter().enumerate() {
                policy_port(port, &ports.index(position), causes);
            }
            let list = path.to(peers);
            for (position, peer) in rule.items(&[peers]).iter().enumerate() {
                self::peer(peer, &list.index(position), causes);
            }
        }
    }
    let list = path.to("policyTypes");
    let types = spec.items(&["policyTypes"]);
    if types.len() > 2 {
        return causes.invalid(&list, types.to_vec(), "may not specify more than two policyTypes");
    }
    for (position, kind) in types.iter().filter_map(Value::as_str).enumerate() {
        if !matches!(kind, "Ingress" | "Egress") {
            causes.unsupported(&list.index(position), kind, &["Ingress", "Egress"]);
        }
    }
}

fn policy_port(one: &Value, path: &Path<'_>, causes: &mut Causes) {
    let protocol = one.text(&["protocol"]);
    if !matches!(protocol, "" | "TCP" | "UDP" | "SCTP") {
        causes.unsupported(&path.to("protocol"), protocol, &["TCP", "UDP", "SCTP"]);
    }
    let end = one.number(&["endPort"]);
    let at = path.to("endPort");
    match (one.get("port"), end) {
        (Some(Value::Number(number)), end) => {
            port(one.get("port"), &path.to("port"), causes);
            if let Some(end) = end {
                if number.as_i64().is_some_and(|begin| end < begin) {
                    causes.invalid(&at, Value::Number(number.clone()), "must be greater than or equal to `port`");
                }
                port(one.get("endPort"), &at, causes);
            }
        }
        (Some(name), end) => {
            if let Some(end) = end {
                causes.invalid(&at, end, "may not be specified when `port` is non-numeric");
            }
            port(Some(name), &path.to("port"), causes);
        }
        (None, Some(end)) => causes.invalid(&at, end, "may not be specified when `port` is not specified"),
        (None, None) => {}
    }
}

fn peer(peer: &Value, path: &Path<'_>, causes: &mut Causes) {
    for key in ["podSelector", "namespaceSelector"] {
        if let Some(selector) = peer.get(key) {
            meta::selector(selector, &path.to(key), causes);
        }
    }
    let selects = peer.has(&["podSelector"]) || peer.has(&["namespaceSelector"]);
    let Some(block) = peer.get("ipBlock") else {
        if !selects {
            causes.required(path, "must specify a peer");
        }
        return;
    };
    let at = path.to("ipBlock");
    let range = block.text(&["cidr"]);
    let faults = text::network(range);
    let readable = faults.is_empty();
    match range {
        "" => causes.required(&at.to("cidr"), ""),
        range => causes.all(&at.to("cidr"), range, faults),
    }
    let list = at.to("except");
    let excepted = block.items(&["except"]).iter().filter_map(Value::as_str).enumerate();
    for (position, range) in excepted.filter(|_| readable) {
        causes.all(&list.index(position), range, text::network(range));
    }
    if selects {
        causes.forbidden(path, "may not specify both ipBlock and another peer");
    }
}
