//! Volumes of pods.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    claim,
    common::{form, required},
    environment::{self, Reader},
    meta, text,
};
use crate::rules::quantity::Quantity;

const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// The kinds of volumes, in the order in which the API server looks for them.
const SOURCES: [&str; 29] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
];

/// Judges the volumes of a pod, and gives those that are in order. `name` is the pod's; templates have none.
pub(super) fn all<'v>(spec: &'v Value, name: &str, path: &Path<'_>, causes: &mut Causes) -> Vec<&'v Value> {
    let list = path.to("volumes");
    let volumes = spec.items(&["volumes"]);
    let made: BTreeSet<String> = volumes
        .iter()
        .filter(|volume| !name.is_empty() && volume.has(&["ephemeral"]))
        .map(|volume| format!("{name}-{}", volume.text(&["name"])))
        .collect();
    let mut names = BTreeSet::new();
    let mut good = Vec::new();
    for (position, volume) in volumes.iter().enumerate() {
        let path = list.index(position);
        let before = causes.len();
        sources(volume, name, &path, causes);
        let own = volume.text(&["name"]);
        if own.is_empty() {
            causes.required(&path.to("name"), "");
        } else {
            causes.all(&path.to("name"), own, text::dns_label(own));
        }
        if names.contains(own) {
            causes.duplicate(&path.to("name"), own);
        }
        if causes.len() == before {
            names.insert(own);
            good.push(volume);
        }
        let claim = volume.text(&["persistentVolumeClaim", "claimName"]);
        if made.contains(claim) {
            let source = path.to("persistentVolumeClaim");
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            causes.invalid(&source.to("claimName"), claim, detail);
        }
    }
    good
}

fn sources(volume: &Value, pod: &str, path: &Path<'_>, causes: &mut Causes) {
    let mut found = 0;
    for kind in SOURCES {
        let Some(source) = volume.get(kind) else { continue };
        found += 1;
        if found > 1 {
            causes.forbidden(&path.to(kind), "may not specify more than 1 volume type");
            continue;
        }
        one(kind, source, &path.to(kind), causes);
        let own = volume.text(&["name"]);
        if kind == "ephemeral" && !pod.is_empty() && !own.is_empty() {
            let name = format!("{pod}-{own}");
            for fault in text::dns_subdomain(&name) {
                causes.invalid(&path.to("name"), own, format!("PVC name \"{name}\": {fault}"));
            }
        }
    }
    if found == 0 {
        causes.required(path, "must specify a volume type");
    }
}

fn one(kind: &str, source: &Value, path: &Path<'_>, causes: &mut Causes) {
    match kind {
        "emptyDir" if Quantity::parse(source.text(&["sizeLimit"])).is_some_and(|limit| limit.is_negative()) => {
            causes.forbidden(&path.to("sizeLimit"), "SizeLimit field must be a valid resource quantity");
        }
        "hostPath" => host_path(source, path, causes),
        "secret" => {
            required(source, "secretName", path, causes);
            files(source, path, causes);
        }
        "configMap" => {
            required(source, "name", path, causes);
            files(source, path, causes);
        }
        "persistentVolumeClaim" => required(source, "claimName", path, causes),
        "nfs" => network(source, path, causes),
        "downwardAPI" => {
            mode(source, "defaultMode", path, causes);
            for file in source.items(&["items"]) {
                pod_file(file, path, causes);
            }
        }
        "projected" => projected(source, path, causes),
        "csi" => driver(source, path, causes),
        "ephemeral" => match source.get("volumeClaimTemplate") {
            None => causes.required(&path.to("volumeClaimTemplate"), ""),
            Some(template) => {
                let path = path.to("volumeClaimTemplate");
                let metadata = path.to("metadata");
                meta::annotations(template.fields(&["metadata", "annotations"]), &metadata.to("annotations"), causes);
                meta::labels(template.fields(&["metadata", "labels"]), &metadata.to("labels"), causes);
                claim::spec(template.get("spec").unwrap_or(&Value::Null), &path.to("spec"), causes);
            }
        },
        _ => {}
    }
}

pub(super) fn host_path(source: &Value, path: &Path<'_>, causes: &mut Causes) {
    let place = source.text(&["path"]);
    if place.is_empty() {
        return causes.required(&path.to("path"), "");
    }
    no_backsteps(place, &path.to("path"), causes);
    let supported =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    let kind = source.text(&["type"]);
    if !supported.contains(&kind) {
        causes.unsupported(&path.to("type"), kind, &supported);
    }
}

pub(super) fn network(source: &Value, path: &Path<'_>, causes: &mut Causes) {
    required(source, "server", path, causes);
    required(source, "path", path, causes);
    let place = source.text(&["path"]);
    if !place.starts_with('/') {
        causes.invalid(&path.to("path"), place, "must be an absolute path");
    }
}

pub(super) fn driver(source: &Value, path: &Path<'_>, causes: &mut Causes) {
    required(source, "driver", path, causes);
    let name = source.text(&["driver"]);
    if name.len() > 63 {
        causes.too_long(&path.to("driver"), 63);
    }
    causes.all(&path.to("driver"), name, text::dns_subdomain(&name.to_lowercase()));
    if let Some(secret) = source.get("nodePublishSecretRef") {
        let at = path.to("nodePublishSecretRef");
        required(secret, "name", &at, causes);
        form(secret, "name", text::dns_subdomain, path, causes);
    }
}

fn mode(object: &Value, key: &str, path: &Path<'_>, causes: &mut Causes) {
    if let Some(mode) = object.number(&[key]).filter(|mode| !(0..=0o777).contains(mode)) {
        causes.invalid(&path.to(key), mode, MODE);
    }
}

fn files(source: &Value, path: &Path<'_>, causes: &mut Causes) {
    mode(source, "defaultMode", path, causes);
    let list = path.to("items");
    for (position, item) in source.items(&["items"]).iter().enumerate() {
        file(item, &list.index(position), causes);
    }
}

/// A key that becomes a file.
fn file(item: &Value, path: &Path<'_>, causes: &mut Causes) {
    required(item, "key", path, causes);
    required(item, "path", path, causes);
    not_reserved(item.text(&["path"]), &path.to("path"), causes);
    mode(item, "mode", path, causes);
}

/// A field of the pod that becomes a file.
fn pod_file(file: &Value, path: &Path<'_>, causes: &mut Causes) {
    required(file, "path", path, causes);
    not_reserved(file.text(&["path"]), &path.to("path"), causes);
    match (file.get("fieldRef"), file.get("resourceFieldRef")) {
        (Some(field), resource) => {
            environment::field(field, Reader::File, &path.to("fieldRef"), causes);
            if resource.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                causes.invalid(path, "resource", detail);
            }
        }
        (None, Some(resource)) => {
            environment::resource(resource, Reader::File, &path.to("resourceFieldRef"), causes);
        }
        (None, None) => causes.required(path, "one of fieldRef and resourceFieldRef is required"),
    }
    mode(file, "mode", path, causes);
}

fn projected(source: &Value, path: &Path<'_>, causes: &mut Causes) {
    mode(source, "defaultMode", path, causes);
    let list = path.to("sources");
    let mut taken = BTreeSet::new();
    for (position, source) in source.items(&["sources"]).iter().enumerate() {
        let at = list.index(position);
        let mut found = 0;
        for kind in ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"] {
            let Some(projection) = source.get(kind) else { continue };
            found += 1;
            let at = at.to(kind);
            match kind {
                "secret" | "configMap" => required(projection, "name", &at, causes),
                "serviceAccountToken" => token(projection, path, &at, causes),
                "clusterTrustBundle" => {
                    required(projection, "path", &at, causes);
                    not_reserved(projection.text(&["path"]), &at.to("path"), causes);
                }
                _ => {}
            }
            let items = at.to("items");
            for (position, item) in projection.items(&["items"]).iter().enumerate() {
                match kind {
                    "downwardAPI" => pod_file(item, &at, causes),
                    _ => file(item, &items.index(position), causes),
                }
                let place = item.text(&["path"]);
                if !place.is_empty() && !taken.insert(place) {
                    let shown = if kind == "downwardAPI" { place } else { projection.text(&["name"]) };
                    causes.invalid(path, shown, "conflicting duplicate paths");
                }
            }
        }
        if found > 1 {
            causes.forbidden(&at, "may not specify more than 1 volume type per source");
        }
    }
}

fn token(projection: &Value, volume: &Path<'_>, path: &Path<'_>, causes: &mut Causes) {
    let seconds = projection.number(&["expirationSeconds"]).unwrap_or_default();
    if seconds < 600 {
        let detail = "may not specify a duration less than 10 minutes";
        causes.invalid(&path.to("expirationSeconds"), seconds, detail);
    }
    if seconds > 1 << 32 {
        let detail = "may not specify a duration larger than 2^32 seconds";
        causes.invalid(&path.to("expirationSeconds"), seconds, detail);
    }
    match projection.text(&["path"]) {
        "" => causes.required(&volume.to("path"), ""),
        place => not_reserved(place, &volume.to("path"), causes),
    }
}

fn no_backsteps(place: &str, path: &Path<'_>, causes: &mut Causes) {
    if place.split('/').any(|part| part == "..") {
        causes.invalid(path, place, "must not contain '..'");
    }
}

/// A path that stays below where it begins.
pub(super) fn descending(place: &str, path: &Path<'_>, causes: &mut Causes) {
    if place.starts_with('/') {
        causes.invalid(path, place, "must be a relative path");
    }
    no_backsteps(place, path, causes);
}

fn not_reserved(place: &str, path: &Path<'_>, causes: &mut Causes) {
    descending(place, path, causes);
    if place.starts_with("..") && !place.starts_with("../") {
        causes.invalid(path, place, "must not start with '..'");
    }
}
