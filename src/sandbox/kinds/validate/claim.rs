//! Claims of storage, and volumes.

use serde_json::Value;

use super::{
    super::edit::{Edit, Fields, Read},
    causes::{Causes, Path},
    common::{form, optional_one_of, required},
    internal, meta, placement, text, volume,
};
use crate::rules::quantity::Quantity;

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// Judges the specification of a claim, also in templates.
pub(super) fn spec(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    if spec.items(&["accessModes"]).is_empty() {
        causes.required(&path.to("accessModes"), "at least 1 access mode is required");
    }
    if let Some(selector) = spec.get("selector") {
        meta::selector(selector, &path.to("selector"), causes);
    }
    modes(spec, path, causes);
    let resources = path.to("resources");
    size(spec.at(&["resources", "requests", "storage"]), &resources.key("storage"), causes);
    form(spec, "storageClassName", text::dns_subdomain, path, causes);
    optional_one_of(spec, "volumeMode", &["Block", "Filesystem"], path, causes);
    for key in ["dataSource", "dataSourceRef"] {
        if let Some(source) = spec.get(key) {
            data_source(source, &path.to(key), causes);
        }
    }
    form(spec, "volumeAttributesClassName", text::dns_subdomain, path, causes);
}

fn modes(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to("accessModes");
    let modes: Vec<&str> = spec.items(&["accessModes"]).iter().filter_map(Value::as_str).collect();
    for mode in modes.iter().filter(|mode| !MODES.contains(mode)) {
        causes.unsupported(&at, *mode, &MODES);
    }
    let single = |mode: &&str| *mode == "ReadWriteOncePod";
    if modes.iter().any(single) && modes.iter().any(|mode| !single(mode) && MODES.contains(mode)) {
        causes.forbidden(&at, "may not use ReadWriteOncePod with other access modes");
    }
}

fn size(size: Option<&Value>, path: &Path<'_>, causes: &mut Causes) {
    let Some(size) = size.and_then(Value::as_str) else { return causes.required(path, "") };
    if Quantity::parse(size).is_some_and(|amount| amount.is_negative() || amount.is_zero()) {
        causes.invalid(path, size, "must be greater than zero");
    }
}

fn data_source(source: &Value, path: &Path<'_>, causes: &mut Causes) {
    required(source, "name", path, causes);
    required(source, "kind", path, causes);
    let (group, kind) = (source.text(&["apiGroup"]), source.text(&["kind"]));
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        causes.invalid(path, kind, detail);
    }
    form(source, "apiGroup", text::dns_subdomain, path, causes);
    form(source, "namespace", text::dns_label, path, causes);
}

pub(super) fn claim(object: &Value, causes: &mut Causes) {
    spec(object.get("spec").unwrap_or(&Value::Null), &Path::Root.to("spec"), causes);
}

/// A claim that is changed: little of it may.
pub(super) fn changed_claim(object: &Value, live: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let bound = object.text(&["status", "phase"]) == "Bound";
    let mut old = live.fields(&["spec"]).cloned().unwrap_or_default();
    let mut new = object.fields(&["spec"]).cloned().unwrap_or_default();
    if old.text(&["volumeName"]).is_empty() {
        old.copy("volumeName", &new);
    }
    if bound {
        let requested = |spec: &mut Fields| -> Option<Value> {
            spec.inside("resources")?.inside("requests")?.shift_remove("storage")
        };
        requested(&mut old);
        requested(&mut new);
        new.copy("volumeAttributesClassName", &old);
    }
    if !old.contains_key("storageClassName") {
        new.shift_remove("storageClassName");
    }
    if old != new {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        let differs = internal::difference("PersistentVolumeClaimSpec", &old.into(), &new.into());
        causes.forbidden(&path, format!("{detail}\n{differs}"));
    }
    let amount = |object: &Value, keys: &[&str]| Quantity::parse(object.text(keys));
    let wanted = ["spec", "resources", "requests", "storage"];
    let (new, old) = (amount(object, &wanted), amount(live, &wanted));
    let held = amount(live, &["status", "capacity", "storage"]).unwrap_or_else(|| Quantity::of(0));
    if new < old && new.is_none_or(|new| new <= held) {
        let at = path.to("resources");
        let at = at.to("requests");
        causes.forbidden(&at.to("storage"), "field can not be less than status.capacity");
    }
    meta::immutable(object, live, &["spec", "volumeMode"], &Path::Root.to("volumeMode"), causes);
}

/// The fields of a volume that are not its source.
const NOT_SOURCE: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

fn sources(object: &Value) -> Fields {
    let spec = object.fields(&["spec"]).cloned().unwrap_or_default();
    spec.into_iter().filter(|(key, _)| !NOT_SOURCE.contains(&key.as_str())).collect()
}

pub(super) fn volume(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    if spec.items(&["accessModes"]).is_empty() {
        causes.required(&path.to("accessModes"), "");
    }
    modes(spec, &path, causes);
    let capacity = spec.fields(&["capacity"]).cloned().unwrap_or_default();
    let at = path.to("capacity");
    if capacity.is_empty() {
        causes.required(&at, "");
    }
    if !capacity.contains_key("storage") || capacity.len() > 1 {
        let shown = if capacity.is_empty() { Value::Null } else { capacity.clone().into() };
        causes.unsupported(&at, shown, &["storage"]);
    }
    for (name, amount) in &capacity {
        let read = amount.as_str().and_then(Quantity::parse);
        if let Some(negative) = read.map(|amount| amount.units()).filter(|units| *units < 0) {
            causes.invalid(&at.key(name), negative, "must be a valid resource quantity");
        }
        size(Some(amount), &at.key(name), causes);
    }
    optional_one_of(spec, "persistentVolumeReclaimPolicy", &["Delete", "Recycle", "Retain"], &path, causes);
    if let Some(required) = spec.at(&["nodeAffinity", "required"]) {
        let at = path.to("nodeAffinity");
        placement::node_selector(required, &at.to("required"), causes);
    }
    let found = sources(object);
    for (position, (kind, source)) in found.iter().enumerate() {
        let at = path.to(kind);
        match kind.as_str() {
            _ if position > 0 => causes.forbidden(&at, "may not specify more than 1 volume type"),
            "hostPath" => volume::host_path(source, &at, causes),
            "nfs" => volume::network(source, &at, causes),
            "csi" => {
                volume::driver(source, &at, causes);
                required(source, "volumeHandle", &at, causes);
            }
            "local" => {
                required(source, "path", &at, causes);
                if !spec.has(&["nodeAffinity"]) {
                    causes.required(&path.to("nodeAffinity"), "Local volume requires node affinity");
                }
            }
            _ => {}
        }
    }
    if found.is_empty() {
        causes.required(&path, "must specify a volume type");
    }
    form(spec, "storageClassName", text::dns_subdomain, &path, causes);
    optional_one_of(spec, "volumeMode", &["Block", "Filesystem"], &path, causes);
}

/// A volume that is changed: its source stays.
pub(super) fn changed_volume(object: &Value, live: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    if sources(object) != sources(live) {
        let spec = |object: &Value| object.get("spec").cloned().unwrap_or_default();
        let differs = internal::difference("PersistentVolumeSource", &spec(live), &spec(object));
        let detail = format!("spec.persistentvolumesource is immutable after creation\n{differs}");
        causes.forbidden(&path.to("persistentvolumesource"), detail);
    }
    meta::immutable(object, live, &["spec", "volumeMode"], &Path::Root.to("volumeMode"), causes);
    if live.has(&["spec", "nodeAffinity"]) {
        meta::immutable(object, live, &["spec", "nodeAffinity"], &Path::Root.to("nodeAffinity"), causes);
    }
}
