//! The groups that have little to fill in.

use serde_json::json;

use super::super::edit::{Edit, Fields, Read};

const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) fn rbac(name: &str, object: &mut Fields) {
    match name {
        "RoleRef" => object.or_text("apiGroup", RBAC),
        "Subject" if matches!(object.text(&["kind"]), "User" | "Group") => object.or_text("apiGroup", RBAC),
        _ => {}
    }
}

pub(super) fn networking(name: &str, object: &mut Fields) {
    match name {
        "NetworkPolicyPort" => object.or("protocol", "TCP"),
        "IngressClassParametersReference" => object.or("scope", "Cluster"),
        "NetworkPolicySpec" if object.items(&["policyTypes"]).is_empty() => {
            let egress = !object.items(&["egress"]).is_empty();
            let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
            object.insert("policyTypes".into(), types);
        }
        _ => {}
    }
}

pub(super) fn storage(name: &str, object: &mut Fields) {
    match name {
        "StorageClass" => {
            object.or("reclaimPolicy", "Delete");
            object.or("volumeBindingMode", "Immediate");
        }
        "CSIDriverSpec" => {
            object.or("attachRequired", true);
            object.or("podInfoOnMount", false);
            object.or("storageCapacity", false);
            object.or("fsGroupPolicy", "ReadWriteOnceWithFSType");
            object.or("requiresRepublish", false);
            object.or("seLinuxMount", false);
            object.or("volumeLifecycleModes", json!(["Persistent"]));
        }
        _ => {}
    }
}

pub(super) fn devices(name: &str, object: &mut Fields) {
    if matches!(name, "ExactDeviceRequest" | "DeviceSubRequest") {
        object.or_text("allocationMode", "ExactCount");
        if object.text(&["allocationMode"]) == "ExactCount" {
            object.or("count", 1);
        }
    }
}

pub(super) fn flow(name: &str, object: &mut Fields) {
    match name {
        "FlowSchemaSpec" => object.or("matchingPrecedence", 1000),
        "ExemptPriorityLevelConfiguration" => {
            object.or("nominalConcurrencyShares", 0);
            object.or("lendablePercent", 0);
        }
        "LimitedPriorityLevelConfiguration" => {
            object.or("nominalConcurrencyShares", 30);
            object.or("lendablePercent", 0);
        }
        "QueuingConfiguration" => {
            object.or("handSize", 8);
            object.or("queues", 64);
            object.or("queueLengthLimit", 50);
        }
        _ => {}
    }
}

pub(super) fn definitions(name: &str, object: &mut Fields) {
    match name {
        "CustomResourceDefinitionSpec" => {
            let kind = object.text(&["names", "kind"]).to_owned();
            if let Some(names) = object.within("names") {
                names.or_text("singular", &kind.to_lowercase());
                if !kind.is_empty() {
                    names.or_text("listKind", &format!("{kind}List"));
                }
            }
            object.or("conversion", json!({"strategy": "None"}));
        }
        "CustomResourceDefinition" => {
            let stored = object.items(&["spec", "versions"]).iter().find(|version| version.is_true(&["storage"]));
            let stored = stored.map(|version| version.text(&["name"]).to_owned());
            if let (Some(stored), Some(status)) = (stored, object.within("status"))
                && status.items(&["storedVersions"]).is_empty()
            {
                status.insert("storedVersions".into(), json!([stored]));
            }
        }
        "ServiceReference" => object.or("port", 443),
        _ => {}
    }
}

pub(super) fn others(name: &str, object: &mut Fields) {
    match name {
        // Nothing reads it, and the server forgets it.
        "ObjectMeta" => {
            object.shift_remove("selfLink");
        }
        "PriorityClass" => object.or("preemptionPolicy", "PreemptLowerPriority"),
        "EndpointPort" => {
            object.or("name", "");
            object.or("protocol", "TCP");
        }
        "ServiceReference" => object.or("port", 443),
        "TokenRequestSpec" => object.or("expirationSeconds", 3600),
        _ => {}
    }
}
