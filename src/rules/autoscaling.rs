//! Who owns the number of replicas when an autoscaler does.
//!
//! A manifest that leaves `spec.replicas` out, where we applied it before, would take the field away, and the API server
//! would put its default there: one replica, until the autoscaler acts. Kubernetes documents the cure ("Transferring
//! ownership" under Server-Side Apply): give the field up first, and leave its value.

use serde_json::Value;

use super::migration;
use crate::model::{FIELD_MANAGER, ObjectRef};

/// The field that an autoscaler owns.
pub const REPLICAS: &str = "spec.replicas";

/// Whether an autoscaler is there for a workload of its namespace.
pub fn scales(autoscaler: &Value, workload: &ObjectRef) -> bool {
    let target = &autoscaler["spec"]["scaleTargetRef"];
    let group =
        target["apiVersion"].as_str().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    target["kind"] == *workload.kind && target["name"] == *workload.name && group == workload.group()
}

/// Whether applying a manifest would take the number of replicas away that we, or managers whose fields become ours,
/// have applied.
pub fn gives_up_replicas(wanted: &Value, live: &Value) -> bool {
    if !wanted["spec"].is_object() || !wanted["spec"]["replicas"].is_null() || !live["spec"]["replicas"].is_number() {
        return false;
    }
    let migrated = migration::migrated(live);
    let fields = migrated.as_ref().unwrap_or(&live["metadata"]["managedFields"]);
    fields
        .as_array()
        .into_iter()
        .flatten()
        .any(|entry| is_ours(entry) && !entry["fieldsV1"]["f:spec"]["f:replicas"].is_null())
}

/// The `managedFields` in which the number of replicas is not ours.
pub(super) fn released(mut fields: Value) -> Value {
    for entry in fields.as_array_mut().into_iter().flatten().filter(|entry| is_ours(entry)) {
        if let Some(Value::Object(spec)) = entry.pointer_mut("/fieldsV1/f:spec") {
            spec.remove("f:replicas");
        }
    }
    fields
}

fn is_ours(entry: &Value) -> bool {
    entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply" && entry.get("subresource").is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live() -> Value {
        json!({"spec": {"replicas": 3}, "metadata": {"resourceVersion": "7", "managedFields": [
            {"manager": "kubectl-evolve", "operation": "Apply", "apiVersion": "apps/v1",
             "fieldsV1": {"f:spec": {"f:replicas": {}, "f:paused": {}}}},
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "scale",
             "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        ]}})
    }

    #[test]
    fn replicas_that_a_manifest_leaves_out_are_given_up_with_their_value() {
        let without = json!({"spec": {"paused": false}});
        assert!(gives_up_replicas(&without, &live()));
        assert!(!gives_up_replicas(&json!({"spec": {"replicas": 2}}), &live()));
        let patch = migration::patch(&live(), true).unwrap();
        let fields = &patch[0]["value"];
        assert_eq!(fields[0]["fieldsV1"], json!({"f:spec": {"f:paused": {}}}));
        assert_eq!(fields[1]["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}), "another's claim stays");
        let mut after = live();
        after["metadata"]["managedFields"] = fields.clone();
        assert!(!gives_up_replicas(&without, &after));
    }

    #[test]
    fn those_of_kubectl_apply_are_given_up_too() {
        let mut live = live();
        live["metadata"]["managedFields"][0]["manager"] = json!("kubectl-client-side-apply");
        live["metadata"]["managedFields"][0]["operation"] = json!("Update");
        assert!(gives_up_replicas(&json!({"spec": {}}), &live));
        let patch = migration::patch(&live, true).unwrap();
        assert_eq!(patch[0]["value"][0]["fieldsV1"], json!({"f:spec": {"f:paused": {}}}));
    }

    #[test]
    fn an_autoscaler_names_its_workload() {
        let workload = ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some("shop".into()),
            name: "api".into(),
        };
        let target = |api: &str, kind: &str, name: &str| json!({"spec": {"scaleTargetRef": {"apiVersion": api, "kind": kind, "name": name}}});
        assert!(scales(&target("apps/v1", "Deployment", "api"), &workload));
        assert!(!scales(&target("apps/v1", "StatefulSet", "api"), &workload));
        assert!(!scales(&target("apps/v1", "Deployment", "web"), &workload));
        assert!(!scales(&target("argoproj.io/v1alpha1", "Deployment", "api"), &workload));
    }
}
