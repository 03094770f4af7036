//! What is seldom written by hand: events, slices of endpoints, classes of ingresses, and revisions.
//!
//! Source: `pkg/apis/{core,discovery,networking,apps}/validation`.

use std::{collections::BTreeSet, net::IpAddr};

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path, quoted},
    common::{NOT_NEGATIVE, form, one_of},
    meta, service, text,
};
use crate::sandbox::resource::Resource;

/// The most characters of the texts of an event.
const EVENT_WORD: usize = 128;
const EVENT_NOTE: usize = 1024;

/// A field of an event, by its name in the core group.
fn of_event<'v>(event: &'v Value, name: &str) -> &'v Value {
    let renamed = match name {
        "involvedObject" => "regarding",
        "message" => "note",
        "source" => "deprecatedSource",
        "firstTimestamp" => "deprecatedFirstTimestamp",
        "lastTimestamp" => "deprecatedLastTimestamp",
        "count" => "deprecatedCount",
        "reportingController" if event.get("reportingComponent").is_some() => "reportingComponent",
        other => other,
    };
    event.get(renamed).or_else(|| event.get(name)).unwrap_or(&Value::Null)
}

pub(super) fn event(resource: &Resource, event: &Value, causes: &mut Causes) {
    any_event(resource, event, causes);
    if resource.group.is_empty() {
        return;
    }
    meta::create(resource, event, causes);
    series(event, causes);
    if !event.has(&["eventTime"]) {
        causes.required(&Path::Root.to("eventTime"), "");
    }
    let kind = event.text(&["type"]);
    if !matches!(kind, "Normal" | "Warning") {
        causes.invalid(&Path::Root.to("type"), "", format!("has invalid value: {kind}"));
    }
    for key in ["firstTimestamp", "lastTimestamp", "count"] {
        if !matches!(of_event(event, key), Value::Null) && of_event(event, key) != 0 {
            causes.invalid(&Path::Root.to(key), "", "needs to be unset");
        }
    }
    if of_event(event, "source").as_object().is_some_and(|source| !source.is_empty()) {
        causes.invalid(&Path::Root.to("source"), "", "needs to be unset");
    }
}

pub(super) fn changed_event(resource: &Resource, event: &Value, live: &Value, causes: &mut Causes) {
    any_event(resource, event, causes);
    if resource.group.is_empty() {
        return;
    }
    meta::update(event, live, causes);
    meta::standard_finalizers(event, causes);
    if event.get("series") != live.get("series") {
        series(event, causes);
    }
    let fixed = [
        "involvedObject",
        "reason",
        "message",
        "source",
        "firstTimestamp",
        "lastTimestamp",
        "count",
        "reason",
        "type",
        "eventTime",
        "action",
        "related",
        "reportingController",
        "reportingInstance",
    ];
    for key in fixed {
        let (new, old) = (of_event(event, key), of_event(live, key));
        if new != old {
            // An absent text is an empty one.
            let texts =
                ["reason", "message", "type", "action", "reportingController", "reportingInstance"].contains(&key);
            let shown = if texts && new.is_null() { Value::from("") } else { new.clone() };
            if key == "involvedObject" {
                causes.invalid_as(&Path::Root.to(key), about(new), meta::IMMUTABLE);
            } else {
                causes.invalid(&Path::Root.to(key), shown, meta::IMMUTABLE);
            }
        }
    }
}

/// What an event is about, as the API server keeps it.
fn about(object: &Value) -> String {
    let field = |name: &str, key: &str| format!("{}:{}", quoted(name), quoted(object.text(&[key])));
    let fields = [
        field("Kind", "kind"),
        field("Namespace", "namespace"),
        field("Name", "name"),
        field("UID", "uid"),
        field("APIVersion", "apiVersion"),
        field("ResourceVersion", "resourceVersion"),
        field("FieldPath", "fieldPath"),
    ];
    format!("{{{}}}", fields.join(","))
}

fn series(event: &Value, causes: &mut Causes) {
    let Some(series) = event.get("series").filter(|series| !series.is_null()) else { return };
    if series.number(&["count"]).unwrap_or_default() < 2 {
        causes.invalid(&Path::Root.to("series.count"), "", "should be at least 2");
    }
    if !series.has(&["lastObservedTime"]) {
        causes.required(&Path::Root.to("series.lastObservedTime"), "");
    }
}

/// The rules for events of either group.
fn any_event(resource: &Resource, event: &Value, causes: &mut Causes) {
    const ELSEWHERE: &str = "does not match event.namespace";
    let namespace = event.text(&["metadata", "namespace"]);
    let about = of_event(event, "involvedObject").text(&["namespace"]);
    let involved = Path::Root.to("involvedObject");
    let at = involved.to("namespace");
    if !event.has(&["eventTime"]) {
        let fits = if about.is_empty() { matches!(namespace, "" | "default") } else { namespace == about };
        if !fits {
            causes.invalid(&at, about, ELSEWHERE);
        }
    } else {
        if about.is_empty() && !matches!(namespace, "default" | "kube-system") {
            causes.invalid(&at, about, ELSEWHERE);
        }
        let who = if resource.group.is_empty() { "reportingComponent" } else { "reportingController" };
        let reporter = of_event(event, "reportingController").as_str().unwrap_or_default();
        if reporter.is_empty() {
            causes.required(&Path::Root.to(who), "");
        }
        causes.all(&Path::Root.to(who), reporter, text::qualified_name(reporter));
        for key in ["reportingInstance", "action", "reason"] {
            let word = event.text(&[key]);
            if word.is_empty() {
                causes.required(&Path::Root.to(key), "");
            }
            at_most(word, EVENT_WORD, key, causes);
        }
        at_most(of_event(event, "message").as_str().unwrap_or_default(), EVENT_NOTE, "message", causes);
    }
    causes.all(&Path::Root.to("namespace"), namespace, text::dns_subdomain(namespace));
}

fn at_most(word: &str, most: usize, key: &str, causes: &mut Causes) {
    if word.len() > most {
        causes.invalid(&Path::Root.to(key), "", format!("can have at most {most} characters"));
    }
}

pub(super) fn new_revision(revision: &Value, causes: &mut Causes) {
    counted(revision, causes);
    match revision.get("data") {
        None | Some(Value::Null) => causes.required(&Path::Root.to("data"), "data is mandatory"),
        Some(Value::Object(_)) => {}
        Some(_) => causes.required(&Path::Root.to("data"), "data must be a valid JSON object"),
    }
}

fn counted(revision: &Value, causes: &mut Causes) {
    if let Some(number) = revision.number(&["revision"]).filter(|number| *number < 0) {
        causes.invalid(&Path::Root.to("revision"), number, NOT_NEGATIVE);
    }
}

pub(super) fn changed_revision(revision: &Value, live: &Value, causes: &mut Causes) {
    counted(revision, causes);
    meta::immutable(revision, live, &["data"], &Path::Root.to("data"), causes);
}

pub(super) fn endpoint_slice(slice: &Value, live: Option<&Value>, causes: &mut Causes) {
    one_of(slice, "addressType", &["FQDN", "IPv4", "IPv6"], &Path::Root, causes);
    let list = Path::Root.to("ports");
    let mut names = BTreeSet::new();
    for (position, port) in slice.items(&["ports"]).iter().enumerate() {
        let path = list.index(position);
        let name = port.text(&["name"]);
        form(port, "name", text::dns_label, &path, causes);
        if !names.insert(name) {
            causes.duplicate(&path.to("name"), name);
        }
        one_of(port, "protocol", &["SCTP", "TCP", "UDP"], &path, causes);
        form(port, "appProtocol", text::qualified_name, &path, causes);
    }
    // What was wrong before may stay.
    if live.is_none_or(|live| live.get("endpoints") != slice.get("endpoints")) {
        let list = Path::Root.to("endpoints");
        for (position, endpoint) in slice.items(&["endpoints"]).iter().enumerate() {
            self::endpoint(endpoint, slice.text(&["addressType"]), &list.index(position), causes);
        }
    }
}

fn endpoint(endpoint: &Value, family: &str, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to("addresses");
    let addresses = endpoint.items(&["addresses"]);
    if addresses.is_empty() {
        causes.required(&at, "must contain at least 1 address");
    } else if addresses.len() > 100 {
        causes.too_many(&at, addresses.len(), 100);
    }
    for (position, address) in addresses.iter().filter_map(Value::as_str).enumerate() {
        self::address(address, family, &at, position, causes);
    }
    form(endpoint, "nodeName", text::dns_subdomain, path, causes);
    meta::labels(endpoint.fields(&["deprecatedTopology"]), &path.to("deprecatedTopology"), causes);
    if let Some(host) = endpoint.at(&["hostname"]).and_then(Value::as_str) {
        causes.all(&path.to("hostname"), host, text::dns_label(host));
    }
}

fn address(address: &str, family: &str, list: &Path<'_>, position: usize, causes: &mut Causes) {
    let at = list.index(position);
    let read = address.parse::<IpAddr>();
    match (family, read) {
        ("IPv4" | "IPv6", Err(_)) => causes.all(&at, address, text::address(address)),
        ("IPv4" | "IPv6", Ok(read)) => {
            if read.is_ipv4() != (family == "IPv4") {
                causes.invalid(list, address, format!("must be an {family} address"));
            }
            service::reachable(address, &at, causes);
        }
        ("FQDN", _) => {
            let name = address.strip_suffix('.').unwrap_or(address);
            let faults = text::dns_subdomain(name);
            if address.is_empty() {
                causes.required(&at, "");
            } else if !faults.is_empty() {
                causes.invalid(&at, name, faults.join(","));
            } else if !name.contains('.') {
                causes.invalid(&at, name, "should be a domain with at least two segments separated by dots");
            }
        }
        _ => {}
    }
}

pub(super) fn changed_endpoint_slice(slice: &Value, live: &Value, causes: &mut Causes) {
    let family = |slice: &Value| slice.text(&["addressType"]).to_owned();
    if family(slice) != family(live) {
        causes.invalid(&Path::Root.to("addressType"), family(slice), meta::IMMUTABLE);
    }
}

pub(super) fn ingress_class(class: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    domain_path(class.text(&["spec", "controller"]), &path.to("controller"), causes);
    let Some(parameters) = class.at(&["spec", "parameters"]).filter(|found| !found.is_null()) else { return };
    let path = path.to("parameters");
    if let Some(group) = parameters.at(&["apiGroup"]).and_then(Value::as_str) {
        causes.all(&path.to("apiGroup"), group, text::dns_subdomain(group));
    }
    for key in ["kind", "name"] {
        match parameters.text(&[key]) {
            "" => causes.required(&path.to(key), ""),
            word => causes.all(&path.to(key), word, text::path_segment(word)),
        }
    }
    let namespace = parameters.at(&["namespace"]).and_then(Value::as_str);
    match (parameters.at(&["scope"]).and_then(Value::as_str), namespace) {
        (None, _) => causes.required(&path.to("scope"), ""),
        (Some("Namespace"), None) => {
            causes.required(&path.to("namespace"), "`parameters.scope` is set to 'Namespace'");
        }
        (Some("Namespace"), Some(name)) => causes.all(&path.to("namespace"), name, text::dns_label(name)),
        (Some("Cluster"), Some(_)) => {
            causes.forbidden(&path.to("namespace"), "`parameters.scope` is set to 'Cluster'");
        }
        (Some("Cluster"), None) => {}
        (Some(other), _) => causes.unsupported(&path.to("scope"), other, &["Cluster", "Namespace"]),
    }
}

pub(super) fn changed_ingress_class(class: &Value, live: &Value, causes: &mut Causes) {
    let controller = |class: &Value| class.text(&["spec", "controller"]).to_owned();
    if controller(class) != controller(live) {
        let path = Path::Root.to("spec");
        causes.invalid(&path.to("controller"), controller(class), meta::IMMUTABLE);
    }
}

/// A path behind a domain: `acme.io/foo`.
fn domain_path(whole: &str, path: &Path<'_>, causes: &mut Causes) {
    if whole.is_empty() {
        return causes.required(path, "");
    }
    match whole.split_once('/').filter(|(domain, rest)| !domain.is_empty() && !rest.is_empty()) {
        Some((domain, _)) => causes.all(path, domain, text::dns_subdomain(domain)),
        None => causes.invalid(path, whole, "must be a domain-prefixed path (such as \"acme.io/foo\")"),
    }
}
