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

/// Finalizers of a namespace's content are named as those of its metadata are.
pub(super) fn namespace(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let path = path.to("finalizers");
    for name in object.items(&["spec", "finalizers"]).iter().filter_map(Value::as_str) {
        causes.all(&path, name, text::qualified_name(name));
        meta::standard_finalizer(name, &path, causes);
    }
}

/// What of a node is set once.
pub(super) fn changed_node(object: &Value, live: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let (before, after) = (live.items(&["spec", "podCIDRs"]), object.items(&["spec", "podCIDRs"]));
    let differ = if before.len() == after.len() {
        before.iter().zip(after).filter(|(before, after)| before != after).count()
    } else {
        usize::from(!before.is_empty())
    };
    for _ in 0..differ {
        causes.forbidden(&path.to("podCIDRs"), "node updates may not change podCIDR except from \"\" to valid");
    }
    let provider = ["spec", "providerID"];
    if !live.text(&provider).is_empty() && live.text(&provider) != object.text(&provider) {
        causes.forbidden(&path.to("providerID"), "node updates may not change providerID except from \"\" to valid");
    }
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

pub(super) fn storage_class(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("provisioner");
    match object.text(&["provisioner"]) {
        "" => causes.required(&path, ""),
        name => causes.all(&path, &name.to_lowercase(), text::qualified_name(&name.to_lowercase())),
    }
    optional_one_of(object, "reclaimPolicy", &["Delete", "Retain"], &Path::Root, causes);
    let modes = ["Immediate", "WaitForFirstConsumer"];
    optional_one_of(object, "volumeBindingMode", &modes, &Path::Root, causes);
}

pub(super) fn changed_storage_class(object: &Value, live: &Value, causes: &mut Causes) {
    for key in ["parameters", "provisioner", "reclaimPolicy"] {
        if object.get(key) != live.get(key) {
            causes.forbidden(&Path::Root.to(key), format!("updates to {key} are forbidden."));
        }
    }
    meta::immutable(object, live, &["volumeBindingMode"], &Path::Root.to("volumeBindingMode"), causes);
}

pub(super) fn new_priority_class(object: &Value, causes: &mut Causes) {
    const HIGHEST: i64 = 1_000_000_000;
    let value = object.number(&["value"]).unwrap_or_default();
    if !object.text(&["metadata", "name"]).starts_with("system-") && value > HIGHEST {
        let detail = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        causes.forbidden(&Path::Root.to("value"), detail);
    }
    optional_one_of(object, "preemptionPolicy", &["PreemptLowerPriority", "Never"], &Path::Root, causes);
}

pub(super) fn changed_priority_class(object: &Value, live: &Value, causes: &mut Causes) {
    let value = |object: &Value| object.number(&["value"]).unwrap_or_default();
    if value(object) != value(live) {
        causes.forbidden(&Path::Root.to("value"), "may not be changed in an update.");
    }
    meta::immutable(object, live, &["preemptionPolicy"], &Path::Root.to("preemptionPolicy"), causes);
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
