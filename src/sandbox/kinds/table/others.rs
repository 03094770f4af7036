//! The kinds that need few words.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::edit::Read,
    name_and_age,
    words::{age_of, count, either, or, or_none, span},
};
use crate::sandbox::resource::Resource;

pub(super) fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let (name, age) = name_and_age(object, now);
    let text = |keys: &[&str]| json!(object.text(keys));
    let length = |keys: &[&str]| json!(object.items(keys).len());
    let entries = |key: &str| object.fields(&[key]).map_or(0, serde_json::Map::len);
    let cells = match resource.kind.as_str() {
        "Namespace" => vec![name, text(&["status", "phase"]), age],
        "ConfigMap" => vec![name, json!(entries("data") + entries("binaryData")), age],
        "Secret" => vec![name, text(&["type"]), json!(entries("data")), age],
        "ServiceAccount" => vec![name, length(&["secrets"]), age],
        "Node" => return Some(node(object, now)),
        "Event" => return Some(event(object, now)),
        "ResourceQuota" => {
            let [requests, limits] = quota(object);
            vec![name, requests, limits, age]
        }
        "HorizontalPodAutoscaler" => return Some(autoscaler(object, now)),
        "PodDisruptionBudget" => {
            let bound = |key: &str| json!(object.at(&["spec", key]).map_or("N/A".into(), either));
            let allowed = json!(count(object, &["status", "disruptionsAllowed"]));
            vec![name, bound("minAvailable"), bound("maxUnavailable"), allowed, age]
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let role = format!("{}/{}", object.text(&["roleRef", "kind"]), object.text(&["roleRef", "name"]));
            let [users, groups, accounts] = subjects(object);
            vec![name, json!(role), age, users, groups, accounts]
        }
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => vec![name, length(&["webhooks"]), age],
        "ValidatingAdmissionPolicy" => {
            let kind = ["apiVersion", "kind"].map(|key| object.text(&["spec", "paramKind", key])).join("/");
            let kind = if object.has(&["spec", "paramKind"]) { kind } else { "<unset>".into() };
            vec![name, length(&["spec", "validations"]), json!(kind), age]
        }
        "ValidatingAdmissionPolicyBinding" => {
            let reference = |key: &str| object.text(&["spec", "paramRef", key]);
            let parameter = match (reference("name"), reference("namespace")) {
                ("", _) => "<unset>".into(),
                (name, "") => format!("*/{name}"),
                (name, namespace) => format!("{namespace}/{name}"),
            };
            vec![name, text(&["spec", "policyName"]), json!(parameter), age]
        }
        "PriorityClass" => {
            let default = json!(object.is_true(&["globalDefault"]));
            vec![name, json!(count(object, &["value"])), default, age, text(&["preemptionPolicy"])]
        }
        "RuntimeClass" => vec![name, text(&["handler"]), age],
        "Lease" => vec![name, text(&["spec", "holderIdentity"]), age],
        "CertificateSigningRequest" => return Some(certificate(object, now)),
        "APIService" => return Some(api_service(object, now)),
        "DeviceClass" | "ResourceClaimTemplate" => vec![name, age],
        "ResourceClaim" => vec![name, json!(claim_state(object)), age],
        "ResourceSlice" => {
            let node = json!(or(object.text(&["spec", "nodeName"]), "<unset>"));
            vec![name, node, text(&["spec", "driver"]), text(&["spec", "pool", "name"]), age]
        }
        "FlowSchema" => return Some(flow(object, now)),
        "PriorityLevelConfiguration" => return Some(priority_level(object, now)),
        _ => return None,
    };
    Some(cells)
}

fn node(object: &Value, now: Timestamp) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let ready = object.items(&["status", "conditions"]).iter().rfind(|condition| condition.text(&["type"]) == "Ready");
    let mut status = match ready.map(|condition| condition.text(&["status"])) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if object.is_true(&["spec", "unschedulable"]) {
        status.push_str(",SchedulingDisabled");
    }
    let roles: BTreeSet<&str> = object
        .entries(&["metadata", "labels"])
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    let roles = roles.into_iter().collect::<Vec<_>>().join(",");
    let address = |wanted: &str| {
        let mut addresses = object.items(&["status", "addresses"]).iter();
        let found = addresses.find(|address| address.text(&["type"]) == wanted);
        json!(found.map_or("<none>", |address| address.text(&["address"])))
    };
    let info = |key: &str| object.text(&["status", "nodeInfo", key]);
    let known = |key: &str| json!(or(info(key), "<unknown>"));
    vec![
        name,
        json!(status),
        json!(or_none(&roles)),
        age,
        json!(info("kubeletVersion")),
        address("InternalIP"),
        address("ExternalIP"),
        known("osImage"),
        known("kernelVersion"),
        known("containerRuntimeVersion"),
    ]
}

/// Events of either group: what one calls `involvedObject`, the other calls `regarding`.
fn event(object: &Value, now: Timestamp) -> Vec<Value> {
    let first = |keys: [&[&str]; 2]| keys.map(|keys| object.text(keys)).into_iter().find(|text| !text.is_empty());
    let about = if object.has(&["regarding"]) { "regarding" } else { "involvedObject" };
    let begun = first([&["firstTimestamp"], &["deprecatedFirstTimestamp"]]).or(first([&["eventTime"], &["eventTime"]]));
    let begun = super::words::age(begun.unwrap_or_default(), now);
    let seen = match first([&["lastTimestamp"], &["deprecatedLastTimestamp"]]) {
        _ if object.has(&["series"]) => age_of(object, &["series", "lastObservedTime"], now),
        Some(time) => super::words::age(time, now),
        None => begun.clone(),
    };
    let counted = ["count", "deprecatedCount"].into_iter().find_map(|key| object.number(&[key])).unwrap_or_default();
    let counted = if object.has(&["series"]) { count(object, &["series", "count"]) } else { counted.max(1) };
    let kind = object.text(&[about, "kind"]).to_lowercase();
    let target = match object.text(&[about, "name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let source = if object.has(&["deprecatedSource"]) { "deprecatedSource" } else { "source" };
    let reporter = ["reportingComponent", "reportingController"].map(|key| object.text(&[key]));
    let component = [object.text(&[source, "component"]), reporter[0], reporter[1]];
    let instance = [object.text(&[source, "host"]), object.text(&["reportingInstance"])];
    let component = component.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let source = match instance.into_iter().find(|text| !text.is_empty()) {
        Some(instance) => format!("{component}, {instance}"),
        None => component.into(),
    };
    let message = first([&["message"], &["note"]]).unwrap_or_default();
    vec![
        json!(seen),
        json!(object.text(&["type"])),
        json!(object.text(&["reason"])),
        json!(target),
        json!(object.text(&[about, "fieldPath"])),
        json!(source),
        json!(message.trim()),
        json!(begun),
        json!(counted),
        json!(object.text(&["metadata", "name"])),
    ]
}

fn quota(object: &Value) -> [Value; 2] {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    let mut hard: Vec<_> = object.entries(&["status", "hard"]).collect();
    hard.sort_by_key(|(resource, _)| *resource);
    for (resource, most) in hard {
        let used = or(object.text(&["status", "used", resource]), "0");
        let column = if resource.starts_with("limits.") { &mut limits } else { &mut requests };
        column.push(format!("{resource}: {used}/{}", either(most)));
    }
    [json!(requests.join(", ")), json!(limits.join(", "))]
}

fn subjects(object: &Value) -> [Value; 3] {
    ["User", "Group", "ServiceAccount"].map(|kind| {
        let found = object.items(&["subjects"]).iter().filter(|subject| subject.text(&["kind"]) == kind);
        let named = found.map(|subject| match (kind, subject.text(&["namespace"])) {
            ("ServiceAccount", namespace) if !namespace.is_empty() => {
                format!("{namespace}/{}", subject.text(&["name"]))
            }
            _ => subject.text(&["name"]).to_owned(),
        });
        json!(named.collect::<Vec<_>>().join(", "))
    })
}

fn certificate(object: &Value, now: Timestamp) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let is = |wanted: &str| {
        object.items(&["status", "conditions"]).iter().any(|condition| condition.text(&["type"]) == wanted)
    };
    let mut state = match (is("Denied"), is("Approved")) {
        (true, _) => "Denied",
        (_, true) => "Approved",
        _ => "Pending",
    }
    .to_owned();
    if is("Failed") {
        state.push_str(",Failed");
    }
    if !object.text(&["status", "certificate"]).is_empty() {
        state.push_str(",Issued");
    }
    let lasting = object.number(&["spec", "expirationSeconds"]).map_or("<none>".into(), span);
    let signer = json!(or_none(object.text(&["spec", "signerName"])));
    vec![name, age, signer, json!(object.text(&["spec", "username"])), json!(lasting), json!(state)]
}

fn api_service(object: &Value, now: Timestamp) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let service = match object.has(&["spec", "service"]) {
        true => ["namespace", "name"].map(|key| object.text(&["spec", "service", key])).join("/"),
        false => "Local".into(),
    };
    let mut conditions = object.items(&["status", "conditions"]).iter();
    let available = conditions.find(|condition| condition.text(&["type"]) == "Available");
    let status = match available.map(|condition| (condition.text(&["status"]), condition.text(&["reason"]))) {
        None => "Unknown".into(),
        Some(("True", _)) => "True".into(),
        Some((status, reason)) => format!("{status} ({reason})"),
    };
    vec![name, json!(service), json!(status), age]
}

fn claim_state(object: &Value) -> String {
    let deleted = object.has(&["metadata", "deletionTimestamp"]);
    let allocated = object.has(&["status", "allocation"]);
    let reserved = allocated && !object.items(&["status", "reservedFor"]).is_empty();
    let states =
        [(deleted, "deleted"), (!allocated && !deleted, "pending"), (allocated, "allocated"), (reserved, "reserved")];
    states.iter().filter(|(is, _)| *is).map(|(_, state)| *state).collect::<Vec<_>>().join(",")
}

fn flow(object: &Value, now: Timestamp) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let mut conditions = object.items(&["status", "conditions"]).iter();
    let dangling = conditions.find(|condition| condition.text(&["type"]) == "Dangling");
    vec![
        name,
        json!(object.text(&["spec", "priorityLevelConfiguration", "name"])),
        json!(count(object, &["spec", "matchingPrecedence"])),
        json!(or_none(object.text(&["spec", "distinguisherMethod", "type"]))),
        age,
        json!(dangling.map_or("?", |condition| condition.text(&["status"]))),
    ]
}

fn priority_level(object: &Value, now: Timestamp) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let limited = |keys: &[&str]| {
        let found = object.at(&[&["spec", "limited"], keys].concat()).cloned();
        found.unwrap_or_else(|| json!("<none>"))
    };
    let queuing = |key: &str| limited(&["limitResponse", "queuing", key]);
    vec![
        name,
        json!(object.text(&["spec", "type"])),
        limited(&["nominalConcurrencyShares"]),
        queuing("queues"),
        queuing("handSize"),
        queuing("queueLengthLimit"),
        age,
    ]
}

fn autoscaler(object: &Value, now: Timestamp) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let target = ["kind", "name"].map(|key| object.text(&["spec", "scaleTargetRef", key])).join("/");
    let least = object.number(&["spec", "minReplicas"]).map_or("<unset>".into(), |least| least.to_string());
    vec![
        name,
        json!(target),
        json!(metrics(object)),
        json!(least),
        json!(count(object, &["spec", "maxReplicas"])),
        json!(count(object, &["status", "currentReplicas"])),
        age,
    ]
}

fn metrics(object: &Value) -> String {
    let current = object.items(&["status", "currentMetrics"]);
    let mut all: Vec<String> = object
        .items(&["spec", "metrics"])
        .iter()
        .enumerate()
        .map(|(position, metric)| measured(metric, current.get(position)))
        .collect();
    // Version 1 has one metric of its own.
    if let Some(wanted) = object.number(&["spec", "targetCPUUtilizationPercentage"]) {
        let now = object.number(&["status", "currentCPUUtilizationPercentage"]);
        let now = now.map_or("<unknown>".into(), |now| format!("{now}%"));
        all.push(format!("cpu: {now}/{wanted}%"));
    }
    match all.len() {
        0 => "<none>".into(),
        1 | 2 => all.join(", "),
        more => format!("{} + {} more...", all[..2].join(", "), more - 2),
    }
}

fn measured(metric: &Value, current: Option<&Value>) -> String {
    let (source, resource) = match metric.text(&["type"]) {
        "External" => ("external", false),
        "Pods" => ("pods", false),
        "Object" => ("object", false),
        "Resource" => ("resource", true),
        "ContainerResource" => ("containerResource", true),
        _ => return "<unknown type>".into(),
    };
    let now = |key: &str| {
        let value = current.and_then(|current| current.at(&[source, "current", key]));
        value.filter(|value| !value.is_null()).map(either)
    };
    let wanted = |key: &str| metric.at(&[source, "target", key]).filter(|value| !value.is_null()).map(either);
    let unknown = || "<unknown>".to_owned();
    let name = if resource { format!("{}: ", metric.text(&[source, "name"])) } else { String::new() };
    match (wanted("averageValue"), resource) {
        (Some(average), false) if source != "pods" => {
            format!("{}/{average} (avg)", now("averageValue").unwrap_or_else(unknown))
        }
        (Some(average), _) => format!("{name}{}/{average}", now("averageValue").unwrap_or_else(unknown)),
        (None, true) => {
            let percent = |value: Option<String>| value.map(|value| format!("{value}%"));
            let target = percent(wanted("averageUtilization")).unwrap_or_else(|| "<auto>".into());
            format!("{name}{}/{target}", percent(now("averageUtilization")).unwrap_or_else(unknown))
        }
        (None, false) => {
            format!("{}/{}", now("value").unwrap_or_else(unknown), wanted("value").unwrap_or_else(|| "0".into()))
        }
    }
}
