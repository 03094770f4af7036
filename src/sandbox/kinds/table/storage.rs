//! Volumes, claims and the group storage.k8s.io.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{super::edit::Read, name_and_age, words::or_none};
use crate::sandbox::resource::Resource;

pub(super) fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let (name, age) = name_and_age(object, now);
    let set = |key: &str| match object.at(&["spec", key]).and_then(Value::as_str) {
        Some(text) => json!(text),
        None => json!("<unset>"),
    };
    let flag = |key: &str| json!(object.is_true(&["spec", key]));
    let cells = match resource.kind.as_str() {
        "PersistentVolume" => volume(object, now, set("volumeAttributesClassName"), set("volumeMode")),
        "PersistentVolumeClaim" => claim(object, now, set("volumeAttributesClassName"), set("volumeMode")),
        "StorageClass" => {
            let default = ["storageclass.kubernetes.io", "storageclass.beta.kubernetes.io"].iter().any(|prefix| {
                object.text(&["metadata", "annotations", &format!("{prefix}/is-default-class")]) == "true"
            });
            let name = if default { json!(format!("{} (default)", object.text(&["metadata", "name"]))) } else { name };
            let text = |key: &str| json!(object.text(&[key]));
            let expands = json!(object.is_true(&["allowVolumeExpansion"]));
            vec![name, text("provisioner"), text("reclaimPolicy"), text("volumeBindingMode"), expands, age]
        }
        "VolumeAttributesClass" => vec![name, json!(object.text(&["driverName"])), age],
        "CSINode" => vec![name, json!(object.items(&["spec", "drivers"]).len()), age],
        "CSIDriver" => {
            let audiences: Vec<&str> =
                object.items(&["spec", "tokenRequests"]).iter().map(|request| request.text(&["audience"])).collect();
            let requests =
                if object.has(&["spec", "tokenRequests"]) { audiences.join(",") } else { "<unset>".to_owned() };
            let modes: Vec<&str> =
                object.items(&["spec", "volumeLifecycleModes"]).iter().filter_map(Value::as_str).collect();
            let attach = object.at(&["spec", "attachRequired"]) != Some(&Value::Bool(false));
            vec![
                name,
                json!(attach),
                flag("podInfoOnMount"),
                flag("storageCapacity"),
                json!(requests),
                flag("requiresRepublish"),
                json!(or_none(&modes.join(","))),
                age,
            ]
        }
        "VolumeAttachment" => {
            let text = |keys: &[&str]| json!(object.text(keys));
            vec![
                name,
                text(&["spec", "attacher"]),
                text(&["spec", "source", "persistentVolumeName"]),
                text(&["spec", "nodeName"]),
                json!(object.is_true(&["status", "attached"])),
                age,
            ]
        }
        _ => return None,
    };
    Some(cells)
}

/// `RWO,ROX,RWX`.
fn modes(modes: &[Value]) -> String {
    let known =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let found = known.iter().filter(|(mode, _)| modes.iter().any(|given| given == mode));
    found.map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

/// The class of a claim or volume; the old annotation counts before the field.
fn class(object: &Value) -> String {
    match object.text(&["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]) {
        "" => object.text(&["spec", "storageClassName"]).into(),
        class => class.into(),
    }
}

fn phase(object: &Value) -> &str {
    if object.has(&["metadata", "deletionTimestamp"]) { "Terminating" } else { object.text(&["status", "phase"]) }
}

fn volume(object: &Value, now: Timestamp, attributes: Value, mode: Value) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let claim = match object.has(&["spec", "claimRef"]) {
        true => {
            let reference = |key: &str| object.text(&["spec", "claimRef", key]);
            format!("{}/{}", reference("namespace"), reference("name"))
        }
        false => String::new(),
    };
    let size = match object.text(&["spec", "capacity", "storage"]) {
        "" => "0",
        size => size,
    };
    vec![
        name,
        json!(size),
        json!(modes(object.items(&["spec", "accessModes"]))),
        json!(object.text(&["spec", "persistentVolumeReclaimPolicy"])),
        json!(phase(object)),
        json!(claim),
        json!(class(object)),
        attributes,
        json!(object.text(&["status", "reason"])),
        age,
        mode,
    ]
}

fn claim(object: &Value, now: Timestamp, attributes: Value, mode: Value) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let volume = object.text(&["spec", "volumeName"]);
    let (capacity, access) = match (volume, object.text(&["status", "capacity", "storage"])) {
        ("", _) => (String::new(), String::new()),
        (_, size) => {
            let size = if size.is_empty() { "0" } else { size };
            (size.into(), modes(object.items(&["status", "accessModes"])))
        }
    };
    vec![
        name,
        json!(phase(object)),
        json!(volume),
        json!(capacity),
        json!(access),
        json!(class(object)),
        attributes,
        age,
        mode,
    ]
}
