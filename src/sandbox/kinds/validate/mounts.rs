//! What of its volumes a container sees, and where.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::required,
    container::Pod,
    volume::descending,
};

/// The paths of mounts or devices, by the name of the volume.
fn places<'v>(container: &'v Value, list: &str, key: &str) -> BTreeMap<&'v str, &'v str> {
    container.items(&[list]).iter().map(|one| (one.text(&["name"]), one.text(&[key]))).collect()
}

fn volume<'v>(pod: &Pod<'v>, name: &str) -> Option<&'v Value> {
    pod.volumes.iter().copied().find(|volume| volume.text(&["name"]) == name)
}

pub(super) fn mounts(pod: &Pod<'_>, container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("volumeMounts");
    let devices = places(container, "volumeDevices", "devicePath");
    let mut taken = BTreeSet::new();
    for (position, mount) in container.items(&["volumeMounts"]).iter().enumerate() {
        let path = list.index(position);
        let (name, place) = (mount.text(&["name"]), mount.text(&["mountPath"]));
        required(mount, "name", &path, causes);
        if volume(pod, name).is_none() {
            causes.not_found(&path.to("name"), name);
        }
        required(mount, "mountPath", &path, causes);
        if !taken.insert(place) {
            causes.invalid(&path.to("mountPath"), place, "must be unique");
        }
        if devices.contains_key(name) {
            causes.invalid(&path.to("name"), name, "must not already exist in volumeDevices");
        }
        if devices.values().any(|device| *device == place) {
            causes.invalid(&path.to("mountPath"), place, "must not already exist as a path in volumeDevices");
        }
        let (below, expression) = (mount.text(&["subPath"]), mount.text(&["subPathExpr"]));
        if !below.is_empty() {
            descending(below, &list.to("subPath"), causes);
        }
        if !expression.is_empty() {
            if !below.is_empty() {
                let detail = "subPathExpr and subPath are mutually exclusive";
                causes.invalid(&path.to("subPathExpr"), expression, detail);
            }
            descending(expression, &list.to("subPathExpr"), causes);
        }
        propagation(container, mount, &list, causes);
    }
}

fn propagation(container: &Value, mount: &Value, list: &Path<'_>, causes: &mut Causes) {
    let wanted = mount.text(&["mountPropagation"]);
    let supported = ["Bidirectional", "HostToContainer", "None"];
    if !wanted.is_empty() && !supported.contains(&wanted) {
        causes.unsupported(&list.to("mountPropagation"), wanted, &supported);
    }
    if wanted == "Bidirectional" && !container.is_true(&["securityContext", "privileged"]) {
        let detail = "Bidirectional mount propagation is available only to privileged containers";
        causes.forbidden(&list.to("mountPropagation"), detail);
    }
    let path = list.to("recursiveReadOnly");
    match mount.text(&["recursiveReadOnly"]) {
        "" | "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if !mount.is_true(&["readOnly"]) {
                causes.forbidden(&path, "may only be specified when readOnly is true");
            }
            if !matches!(wanted, "" | "None") {
                causes.forbidden(&path, "may only be specified when mountPropagation is None or not specified");
            }
        }
        other => causes.unsupported(&path, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

pub(super) fn devices(pod: &Pod<'_>, container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("volumeDevices");
    let mounts = places(container, "volumeMounts", "mountPath");
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for (position, device) in container.items(&["volumeDevices"]).iter().enumerate() {
        let path = list.index(position);
        let (at_name, at_path) = (path.to("name"), path.to("devicePath"));
        let (name, place) = (device.text(&["name"]), device.text(&["devicePath"]));
        required(device, "name", &path, causes);
        if names.contains(name) {
            causes.invalid(&at_name, name, "must be unique");
        }
        match volume(pod, name) {
            None => causes.not_found(&at_name, name),
            Some(volume) if !volume.has(&["persistentVolumeClaim"]) && !volume.has(&["ephemeral"]) => {
                let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                causes.invalid(&at_name, name, detail);
            }
            Some(_) => {}
        }
        required(device, "devicePath", &path, causes);
        if paths.contains(place) {
            causes.invalid(&at_path, place, "must be unique");
        }
        if place.split('/').any(|part| part == "..") {
            causes.invalid(&at_path, place, "can not contain backsteps ('..')");
        } else {
            paths.insert(place);
        }
        if mounts.contains_key(name) {
            causes.invalid(&at_name, name, "must not already exist in volumeMounts");
        }
        if mounts.values().any(|mount| *mount == place) {
            causes.invalid(&at_path, place, "must not already exist as a path in volumeMounts");
        }
        names.insert(name);
    }
}
