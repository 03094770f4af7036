//! What the admission plugins of an API server add: ServiceAccount, DefaultTolerationSeconds, Priority, and
//! StorageObjectInUseProtection.

use serde_json::{Value, json};

use super::edit::{Edit, Fields, Read};
use crate::sandbox::resource::Resource;

const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// Where the token of a pod's service account is mounted.
const TOKEN_FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Completes an object that is about to be created. `suffix` is random, for the name of the volume with the token of a
/// pod's service account.
pub fn admit(resource: &Resource, object: &mut Value, suffix: &str) {
    let Some(fields) = object.as_object_mut().filter(|_| resource.group.is_empty()) else { return };
    match resource.kind.as_str() {
        "Pod" => pod(fields, suffix),
        "Node" => taint(fields),
        "PersistentVolumeClaim" => protect(fields, "kubernetes.io/pvc-protection"),
        "PersistentVolume" => protect(fields, "kubernetes.io/pv-protection"),
        _ => {}
    }
}

/// Storage in use is not removed: a controller takes the finalizer away when nothing uses it any more.
fn protect(object: &mut Fields, finalizer: &str) {
    let Some(metadata) = object.within("metadata") else { return };
    metadata.or("finalizers", json!([]));
    if let Some(Value::Array(finalizers)) = metadata.get_mut("finalizers")
        && !finalizers.iter().any(|name| name == finalizer)
    {
        finalizers.push(json!(finalizer));
    }
}

/// Nothing is placed on a node before it is known to be ready (the admission plugin `TaintNodesByCondition`).
fn taint(node: &mut Fields) {
    let Some(spec) = node.within("spec") else { return };
    spec.or("taints", json!([]));
    let taint = json!({"key": NOT_READY, "effect": "NoSchedule"});
    if let Some(Value::Array(taints)) = spec.get_mut("taints")
        && !taints.iter().any(|known| known["key"] == taint["key"] && known["effect"] == taint["effect"])
    {
        taints.push(taint);
    }
}

fn pod(object: &mut Fields, suffix: &str) {
    // A mirror pod is the kubelet's own: nothing is added to it.
    let mirror = object.has(&["metadata", "annotations", "kubernetes.io/config.mirror"]);
    let Some(spec) = object.within("spec") else { return };
    if !mirror {
        service_account(spec, &format!("kube-api-access-{suffix}"));
    }
    tolerations(spec);
    priority(spec);
}

/// Completes a pod that replaces another: what admission gave it before stays where it is not written.
pub(super) fn update(object: &mut Fields, live: &Fields) {
    let (Some(spec), Some(before)) = (object.within("spec"), live.fields(&["spec"])) else { return };
    for key in ["priority", "preemptionPolicy"] {
        if !spec.has(&[key]) {
            spec.copy(key, before);
        }
    }
    tolerations(spec);
}

fn service_account(spec: &mut Fields, volume: &str) {
    spec.or_text("serviceAccountName", "default");
    let name = spec.text(&["serviceAccountName"]).to_owned();
    spec.insert("serviceAccount".into(), json!(name));
    if spec.get("automountServiceAccountToken") == Some(&Value::Bool(false)) {
        return;
    }
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        for container in spec.each(list) {
            if container.items(&["volumeMounts"]).iter().any(|mount| mount.text(&["mountPath"]) == TOKEN_FOLDER) {
                continue;
            }
            mounted = true;
            container.or("volumeMounts", json!([]));
            let mount = json!({"name": volume, "readOnly": true, "mountPath": TOKEN_FOLDER});
            if let Some(Value::Array(mounts)) = container.get_mut("volumeMounts") {
                mounts.push(mount);
            }
        }
    }
    if !mounted {
        return;
    }
    spec.or("volumes", json!([]));
    if let Some(Value::Array(volumes)) = spec.get_mut("volumes") {
        volumes.push(token_volume(volume));
    }
}

fn token_volume(name: &str) -> Value {
    json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [
            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
        ]}},
    ]}})
}

/// A pod stays five minutes on a node that is not ready or not reached, unless it says otherwise.
fn tolerations(spec: &mut Fields) {
    for taint in [NOT_READY, "node.kubernetes.io/unreachable"] {
        let tolerated = spec.items(&["tolerations"]).iter().any(|toleration| {
            let key = toleration.text(&["key"]);
            (key == taint || key.is_empty()) && matches!(toleration.text(&["effect"]), "" | "NoExecute")
        });
        if tolerated {
            continue;
        }
        spec.or("tolerations", json!([]));
        if let Some(Value::Array(tolerations)) = spec.get_mut("tolerations") {
            tolerations
                .push(json!({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
}

fn priority(spec: &mut Fields) {
    let priority = match spec.text(&["priorityClassName"]) {
        "system-cluster-critical" => 2_000_000_000,
        "system-node-critical" => 2_000_001_000,
        _ => 0,
    };
    spec.or("priority", priority);
    spec.or("preemptionPolicy", "PreemptLowerPriority");
}
