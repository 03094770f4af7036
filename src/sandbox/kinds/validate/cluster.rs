//! What belongs to the cluster as a whole: namespaces, nodes, quotas, classes, leases and definitions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    super::edit::{Fields, Read},
    causes::{Causes, Path},
    common::{NOT_NEGATIVE, amount, optional_one_of},
    meta, placement, resources, service, text,
};

/// A namespace's own phase follows its deletion.
pub(super) fn namespace_status(object: &Value, causes: &mut Causes) {
    let phase = object.text(&["status", "phase"]);
    let path = Path::Root.to("status");
    let deleted = object.has(&["metadata", "deletionTimestamp"]);
    let said = match (deleted, phase) {
        (false, phase) if phase != "Active" => "may only be 'Active' if `deletionTimestamp` is empty",
        (true, phase) if phase != "Terminating" => "may only be 'Terminating' if `deletionTimestamp` is not empty",
        _ => return,
    };
    causes.invalid(&path.to("Phase"), phase, said);
}

pub(super) fn node(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("metadata");
    let list = path.to("taints");
    let mut seen = BTreeSet::new();
    for (position, taint) in object.items(&["spec", "taints"]).iter().enumerate() {
        let path = list.index(position);
        let (key, value, effect) = (taint.text(&["key"]), taint.text(&["value"]), taint.text(&["effect"]));
        causes.all(&path.to("key"), key, text::qualified_name(key));
        let faults = text::label_value(value);
        if !faults.is_empty() {
            causes.invalid(&path.to("value"), value, faults.join(";"));
        }
        if effect.is_empty() {
            causes.required(&path.to("effect"), "");
        }
        placement::taint_effect(effect, &path.to("effect"), causes);
        if !seen.insert((key, effect)) {
            let shown = format!(
                "{{\"Key\":\"{key}\",\"Value\":\"{value}\",\"Effect\":\"{effect}\",\"TimeAdded\":null}}: taints must be unique by key and effect pair"
            );
            causes.duplicate_as(&path, shown);
        }
    }
    let status = Path::Root.to("status");
    for list in ["capacity", "allocatable"] {
        let empty = Fields::new();
        let amounts = object.fields(&["status", list]).unwrap_or(&empty);
        for name in amounts.keys() {
            if let Some(amount) = amount(amounts, name) {
                resources::quantity(name, &amount, &status.to(list).to(name), causes);
            }
        }
    }
}

/// Whether a quota may count it.
fn is_counted(name: &str) -> bool {
    const COUNTED: [&str; 20] = [
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "persistentvolumeclaims",
        "configmaps",
        "services.nodeports",
        "services.loadbalancers",
        "storage",
    ];
    COUNTED.contains(&name) || name.starts_with("requests.hugepages-") || name.starts_with("hugepages-")
}

pub(super) fn quota(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let at = path.to("hard");
    let empty = Fields::new();
    let hard = object.fields(&["spec", "hard"]).unwrap_or(&empty);
    for name in hard.keys() {
        let faults = text::qualified_name(name);
        if faults.is_empty() && !name.contains('/') && !is_counted(name) {
            causes.invalid(&at.key(name), name.as_str(), "must be a standard resource type or fully qualified");
            causes.invalid(&at.key(name), name.as_str(), "must be a standard resource for quota");
        }
        causes.all(&at.key(name), name, faults);
        if let Some(amount) = amount(hard, name) {
            resources::quantity(name, &amount, &at.key(name), causes);
        }
    }
}

/// A definition is named by what it defines.
pub(super) fn definition(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("metadata");
    let name = object.text(&["metadata", "name"]);
    let wanted = format!("{}.{}", object.text(&["spec", "names", "plural"]), object.text(&["spec", "group"]));
    if name != wanted {
        causes.invalid(&path.to("name"), name, "must be spec.names.plural+\".\"+spec.group");
    }
}

/// Limits of one kind for a type of object: none below another that it has to be above.
pub(super) fn limits(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let list = path.to("limits");
    let mut seen = BTreeSet::new();
    let empty = Fields::new();
    for (position, limit) in object.items(&["spec", "limits"]).iter().enumerate() {
        let path = list.index(position);
        let kind = limit.text(&["type"]);
        if !seen.insert(kind) {
            causes.duplicate(&path.to("type"), kind);
        }
        let of = |key: &str| limit.fields(&[key]).unwrap_or(&empty);
        for (name, lower, upper) in of("min").keys().filter_map(|name| {
            Some((name, amount(of("min"), name)?, amount(of("max"), name)?)).filter(|(_, lower, upper)| lower > upper)
        }) {
            let at = path.to("min");
            let detail = format!("min value {lower} is greater than max value {upper}");
            causes.invalid(&at.key(name), lower.to_string(), detail);
        }
        for key in ["defaultRequest", "default"] {
            let at = path.to(key);
            for name in of(key).keys() {
                let Some(value) = amount(of(key), name) else { continue };
                if let Some(lower) = amount(of("min"), name).filter(|lower| *lower > value) {
                    let said = if key == "default" { "default value" } else { "default request value" };
                    let detail = format!("min value {lower} is greater than {said} {value}");
                    causes.invalid(&at.key(name), value.to_string(), detail);
                }
                if let Some(upper) = amount(of("max"), name).filter(|upper| *upper < value) {
                    let said = if key == "default" { "default value" } else { "default request value" };
                    let detail = format!("{said} {value} is greater than max value {upper}");
                    causes.invalid(&at.key(name), value.to_string(), detail);
                }
            }
        }
    }
}

pub(super) fn endpoints(object: &Value, causes: &mut Causes) {
    let list = Path::Root.to("subsets");
    for (position, subset) in object.items(&["subsets"]).iter().enumerate() {
        let path = list.index(position);
        let empty = ["addresses", "notReadyAddresses"].iter().all(|key| subset.items(&[key]).is_empty());
        if empty {
            causes.required(&path, "must specify `addresses` or `notReadyAddresses`");
        }
        for key in ["addresses", "notReadyAddresses"] {
            let list = path.to(key);
            for (position, address) in subset.items(&[key]).iter().enumerate() {
                let ip = address.text(&["ip"]);
                let at = list.index(position);
                service::reachable(ip, &at.to("ip"), causes);
                if ip.parse::<std::net::IpAddr>().is_err() {
                    causes.invalid(&at.to("ip"), ip, "must be a valid IP address");
                }
            }
        }
    }
}

pub(super) fn storage_class(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    let Some(live) = live else {
        let provisioner = object.text(&["provisioner"]);
        let path = Path::Root.to("provisioner");
        match provisioner {
            "" => causes.required(&path, ""),
            name => causes.all(&path, &name.to_lowercase(), text::qualified_name(&name.to_lowercase())),
        }
        optional_one_of(object, "reclaimPolicy", &["Delete", "Retain"], &Path::Root, causes);
        let modes = ["Immediate", "WaitForFirstConsumer"];
        return optional_one_of(object, "volumeBindingMode", &modes, &Path::Root, causes);
    };
    for key in ["parameters", "provisioner", "reclaimPolicy"] {
        if object.get(key) != live.get(key) {
            causes.forbidden(&Path::Root.to(key), format!("updates to {key} are forbidden."));
        }
    }
    meta::immutable(object, live, &["volumeBindingMode"], &Path::Root.to("volumeBindingMode"), causes);
}

pub(super) fn priority_class(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    const HIGHEST: i64 = 1_000_000_000;
    let path = Path::Root.to("value");
    let value = object.number(&["value"]).unwrap_or_default();
    match live {
        None => {
            if !object.text(&["metadata", "name"]).starts_with("system-") && value > HIGHEST {
                causes.forbidden(&path, format!("maximum allowed value of a user defined priority is {HIGHEST}"));
            }
            let policies = ["PreemptLowerPriority", "Never"];
            optional_one_of(object, "preemptionPolicy", &policies, &Path::Root, causes);
        }
        Some(live) => {
            if live.number(&["value"]).unwrap_or_default() != value {
                causes.forbidden(&path, "may not be changed in an update.");
            }
            meta::immutable(object, live, &["preemptionPolicy"], &Path::Root.to("preemptionPolicy"), causes);
        }
    }
}

pub(super) fn lease(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let duration = object.number(&["spec", "leaseDurationSeconds"]);
    if let Some(seconds) = duration.filter(|seconds| *seconds <= 0) {
        causes.invalid(&path.to("leaseDurationSeconds"), seconds, "must be greater than 0");
    }
    let transitions = object.number(&["spec", "leaseTransitions"]);
    if let Some(count) = transitions.filter(|count| *count < 0) {
        causes.invalid(&path.to("leaseTransitions"), count, NOT_NEGATIVE);
    }
}
