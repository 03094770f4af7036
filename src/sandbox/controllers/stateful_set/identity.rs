//! The pods of a StatefulSet, and their claims.

use serde_json::{Value, json};

use super::super::{
    action::{Decision, Notice, View},
    objects::{self, pod_of, set_text},
    tables::{self, Key},
};
use crate::rules::fields::{list, text};

pub const CONTROLLER: &str = "statefulset-controller";

/// The number at the end of a pod's name, if it is one of the set.
pub fn ordinal(set: &Value, pod: &str) -> Option<i64> {
    pod.strip_prefix(objects::name(set))?.strip_prefix('-')?.parse().ok()
}

/// A pod of the set from the template of a revision.
pub fn pod(set: &Value, ordinal: i64, template: &Value, revision: &str) -> Value {
    let name = format!("{}-{ordinal}", objects::name(set));
    let mut pod = pod_of(set, template);
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["generateName"] = json!(format!("{}-", objects::name(set)));
    for (label, value) in [
        ("statefulset.kubernetes.io/pod-name", name.as_str()),
        ("apps.kubernetes.io/pod-index", &ordinal.to_string()),
        ("controller-revision-hash", revision),
    ] {
        set_text(&mut pod, "labels", label, value);
    }
    pod["spec"]["hostname"] = json!(name);
    let service = text(set, "/spec/serviceName");
    if !service.is_empty() {
        pod["spec"]["subdomain"] = json!(service);
    }
    let claims: Vec<(&str, String)> = claims(set, &name);
    let mut volumes: Vec<Value> = claims
        .iter()
        .map(|(volume, claim)| json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}}))
        .collect();
    let others = list(&pod, "/spec/volumes").iter();
    volumes.extend(others.filter(|volume| !claims.iter().any(|(name, _)| volume["name"] == *name)).cloned());
    if !volumes.is_empty() {
        pod["spec"]["volumes"] = json!(volumes);
    }
    pod
}

/// The volumes of a pod that are claims of its own, with the names of those.
pub fn claims<'s>(set: &'s Value, pod: &str) -> Vec<(&'s str, String)> {
    let templates = list(set, "/spec/volumeClaimTemplates").iter();
    templates.map(|template| (objects::name(template), format!("{}-{pod}", objects::name(template)))).collect()
}

/// Makes a pod, and the claims that are not there yet.
pub fn create(view: &View<'_>, key: &Key, set: &Value, pod: Value, decision: &mut Decision) {
    let (name, set_name) = (objects::name(&pod).to_owned(), objects::name(set));
    for template in list(set, "/spec/volumeClaimTemplates") {
        let claim_name = format!("{}-{name}", objects::name(template));
        if view.cache.has(&key.beside(tables::CLAIMS, &claim_name)) {
            continue;
        }
        let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim_name, "namespace": key.namespace()}, "spec": template["spec"]});
        for field in ["labels", "annotations"] {
            if let Some(value) = template["metadata"].get(field) {
                claim["metadata"][field] = value.clone();
            }
        }
        for (label, value) in set.pointer("/spec/selector/matchLabels").and_then(Value::as_object).into_iter().flatten()
        {
            set_text(&mut claim, "labels", label, value.as_str().unwrap_or_default());
        }
        if text(set, "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted") == "Delete" {
            claim["metadata"]["ownerReferences"] = json!([objects::owner_reference(set)]);
        }
        let refused = format!("create Claim {claim_name} for Pod {name} in StatefulSet {set_name} failed error: ");
        decision.try_create(tables::CLAIMS, claim, Notice::of(set, CONTROLLER, "FailedCreate", refused));
        let message = format!("create Claim {claim_name} Pod {name} in StatefulSet {set_name} success");
        decision.tell(Notice::of(set, CONTROLLER, "SuccessfulCreate", message));
    }
    let refused = format!("create Pod {name} in StatefulSet {set_name} failed error: ");
    decision.try_create(tables::PODS, pod, Notice::of(set, CONTROLLER, "FailedCreate", refused));
    let message = format!("create Pod {name} in StatefulSet {set_name} successful");
    decision.tell(Notice::of(set, CONTROLLER, "SuccessfulCreate", message));
}

/// Deletes a pod of the set; one that is scaled away takes its claims along where the set says so.
pub fn delete(view: &View<'_>, key: &Key, set: &Value, name: &str, condemned: bool, decision: &mut Decision) {
    let place = key.beside(tables::PODS, name);
    let Some(entry) = view.cache.entry(&place) else { return };
    if condemned && text(set, "/spec/persistentVolumeClaimRetentionPolicy/whenScaled") == "Delete" {
        let pod = entry.object();
        for (_, claim) in claims(set, name) {
            let claim = key.beside(tables::CLAIMS, &claim);
            if let Some(mut object) = view.cache.get(&claim) {
                let mut owner = objects::owner_reference(&pod);
                owner["apiVersion"] = json!("v1");
                owner["kind"] = json!("Pod");
                object["metadata"]["ownerReferences"] = json!([owner]);
                decision.update(&claim, object);
            }
        }
    }
    decision.delete(&place, &entry.head.uid);
    let message = format!("delete Pod {name} in StatefulSet {} successful", objects::name(set));
    decision.tell(Notice::of(set, CONTROLLER, "SuccessfulDelete", message));
}
