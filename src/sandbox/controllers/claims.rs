//! Claims and volumes: provisioned by their class, bound, grown, and removed.
//!
//! Source: `pkg/controller/volume/persistentvolume` of Kubernetes 1.34, and the external provisioner.

use serde_json::{Value, json};

use super::{
    action::{Decision, Notice, View},
    amounts,
    objects::{self, annotation, remove_finalizer, set_text, time},
    scheduler::claim_names,
    tables::{self, Key},
};
use crate::rules::fields::{list, text};

const CONTROLLER: &str = "persistentvolume-controller";
const PROVISIONER: &str = "sandbox.evolve/volumes";
const IN_USE: &str = "kubernetes.io/pvc-protection";
const BOUND_VOLUME: &str = "kubernetes.io/pv-protection";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// What a claim needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(claim) = view.cache.get(key) else { return decision };
    if objects::is_deleted(&claim) {
        release(view, key, claim, &mut decision);
        return decision;
    }
    let volume_name = text(&claim, "/spec/volumeName").to_owned();
    if volume_name.is_empty() {
        match matching(view, key, &claim) {
            Some(volume) => bind(view, key, claim, volume, &mut decision),
            None => provision(view, key, &claim, &mut decision),
        }
        return decision;
    }
    match view.cache.get(&Key::new(tables::VOLUMES, "", &volume_name)) {
        Some(volume) => settle(view, key, claim, volume, &mut decision),
        None if text(&claim, "/status/phase") == "Bound" => {
            let mut changed = claim.clone();
            changed["status"]["phase"] = json!("Lost");
            decision.status(key, changed);
            let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!".into();
            decision.tell(Notice::of(&claim, CONTROLLER, "ClaimLost", message).warning());
        }
        None => {}
    }
    decision
}

/// A deleted claim goes when no pod uses it.
fn release(view: &View<'_>, key: &Key, mut claim: Value, decision: &mut Decision) {
    let used = view.cache.all(tables::PODS, Some(key.namespace())).any(|(_, entry)| {
        let ended = entry.pod.as_ref().is_some_and(|pod| pod.has_ended());
        !ended && claim_names(&entry.object()).iter().any(|name| name == key.name())
    });
    if !used && remove_finalizer(&mut claim, IN_USE) {
        decision.update(key, claim);
    }
}

/// A volume made by hand that fits.
fn matching(view: &View<'_>, key: &Key, claim: &Value) -> Option<Value> {
    let wanted = amounts::whole(text(claim, "/spec/resources/requests/storage"));
    let volumes = view.cache.all(tables::VOLUMES, None).map(|(_, entry)| entry.object());
    let fits = |volume: &Value| {
        let reference = &volume["spec"]["claimRef"];
        if reference.is_object() {
            return reference["name"] == key.name() && reference["namespace"] == key.namespace();
        }
        let modes = list(claim, "/spec/accessModes");
        text(volume, "/spec/storageClassName") == text(claim, "/spec/storageClassName")
            && amounts::whole(text(volume, "/spec/capacity/storage")) >= wanted
            && modes.iter().all(|mode| list(volume, "/spec/accessModes").contains(mode))
            && !objects::is_deleted(volume)
    };
    let mut found: Vec<Value> = volumes.filter(fits).collect();
    found.sort_by_key(|volume| amounts::whole(text(volume, "/spec/capacity/storage")));
    found.into_iter().next()
}

fn provision(view: &View<'_>, key: &Key, claim: &Value, decision: &mut Decision) {
    let tell = |reason, message: String| Notice::of(claim, CONTROLLER, reason, message);
    let mut changed = claim.clone();
    changed["status"]["phase"] = json!("Pending");
    if changed["status"] != claim["status"] {
        decision.status(key, changed);
        return;
    }
    let name = text(claim, "/spec/storageClassName");
    if name.is_empty() {
        let message = "no persistent volumes available for this claim and no storage class is set".into();
        decision.tell(tell("FailedBinding", message));
        return;
    }
    let Some(class) = view.cache.get(&Key::new(tables::CLASSES, "", name)) else {
        let message = format!("storageclass.storage.k8s.io \"{name}\" not found");
        decision.tell(tell("ProvisioningFailed", message).warning());
        return;
    };
    let provisioner = text(&class, "/provisioner");
    let waits = text(&class, "/volumeBindingMode") == "WaitForFirstConsumer";
    if waits && annotation(claim, SELECTED_NODE).is_none() {
        let message = "waiting for first consumer to be created before binding".into();
        decision.tell(tell("WaitForFirstConsumer", message));
        return;
    }
    if provisioner == "kubernetes.io/no-provisioner" {
        return;
    }
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
         system administrator. If volume creation is delayed, please verify that the provisioner is running and \
         correctly registered."
    );
    decision.tell(tell("ExternalProvisioning", message));
    let message = format!("External provisioner is provisioning volume for claim \"{}\"", key.place);
    decision.tell(Notice::of(claim, PROVISIONER, "Provisioning", message));
    let volume = volume(claim, &class);
    let message = format!("Successfully provisioned volume {}", objects::name(&volume));
    decision.create(tables::VOLUMES, volume);
    decision.tell(Notice::of(claim, PROVISIONER, "ProvisioningSucceeded", message));
}

/// A new volume for a claim.
fn volume(claim: &Value, class: &Value) -> Value {
    let name = format!("pvc-{}", objects::uid(claim));
    let mut volume = json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": name, "finalizers": [BOUND_VOLUME],
            "annotations": {"pv.kubernetes.io/provisioned-by": class["provisioner"]}},
        "spec": {"accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim.pointer("/spec/resources/requests/storage")},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim["metadata"]["name"],
                "namespace": claim["metadata"]["namespace"], "uid": claim["metadata"]["uid"],
                "resourceVersion": claim["metadata"]["resourceVersion"]},
            "hostPath": {"path": format!("/var/lib/sandbox/{name}")},
            "persistentVolumeReclaimPolicy": class.get("reclaimPolicy").cloned().unwrap_or_else(|| json!("Delete")),
            "storageClassName": class["metadata"]["name"], "volumeMode": "Filesystem"}});
    if let Some(mode) = claim.pointer("/spec/volumeMode") {
        volume["spec"]["volumeMode"] = mode.clone();
    }
    if let Some(node) = annotation(claim, SELECTED_NODE) {
        volume["spec"]["nodeAffinity"] = json!({"required": {"nodeSelectorTerms": [{"matchExpressions":
            [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]}});
    }
    volume
}

/// Ties a claim and a volume to each other.
fn bind(view: &View<'_>, key: &Key, mut claim: Value, mut volume: Value, decision: &mut Decision) {
    let place = Key::new(tables::VOLUMES, "", objects::name(&volume));
    if volume.pointer("/spec/claimRef/uid") != Some(&claim["metadata"]["uid"]) {
        volume["spec"]["claimRef"] = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "name": key.name(), "namespace": key.namespace(), "uid": claim["metadata"]["uid"],
            "resourceVersion": claim["metadata"]["resourceVersion"]});
        decision.update(&place, volume.clone());
    }
    let _ = view;
    let class = text(&claim, "/spec/storageClassName").to_owned();
    let provisioner = annotation(&volume, "pv.kubernetes.io/provisioned-by").map(str::to_owned);
    for (name, value) in [("pv.kubernetes.io/bind-completed", "yes"), ("pv.kubernetes.io/bound-by-controller", "yes")] {
        set_text(&mut claim, "annotations", name, value);
    }
    if let Some(provisioner) = provisioner.filter(|_| !class.is_empty()) {
        for name in ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"] {
            set_text(&mut claim, "annotations", name, &provisioner);
        }
    }
    claim["spec"]["volumeName"] = json!(objects::name(&volume));
    decision.update(key, claim);
}

/// The states of a bound pair, and the size that the claim may have grown to.
fn settle(view: &View<'_>, key: &Key, claim: Value, volume: Value, decision: &mut Decision) {
    let place = Key::new(tables::VOLUMES, "", objects::name(&volume));
    let wanted = text(&claim, "/spec/resources/requests/storage");
    let has = text(&volume, "/spec/capacity/storage");
    let grows = amounts::whole(wanted) > amounts::whole(has);
    let mut grown = volume.clone();
    if grows {
        grown["spec"]["capacity"]["storage"] = json!(wanted);
        decision.update(&place, grown.clone());
    } else if text(&volume, "/status/phase") != "Bound" {
        let mut changed = volume.clone();
        changed["status"]["phase"] = json!("Bound");
        changed["status"]["lastPhaseTransitionTime"] = time(view.now);
        decision.status(&place, changed);
    }
    let mut changed = claim.clone();
    changed["status"] = json!({"accessModes": volume["spec"]["accessModes"],
        "capacity": grown["spec"]["capacity"], "phase": "Bound"});
    if changed["status"] != claim["status"] {
        decision.status(key, changed);
        if grows && text(&claim, "/status/phase") == "Bound" {
            let message = "waiting for an external controller to expand this PVC".to_owned();
            decision.tell(Notice::of(&claim, "volume_expand", "ExternalExpanding", message));
        }
    }
}

/// What a volume needs done: a state, or its end after that of its claim.
pub fn reconcile_volume(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(mut volume) = view.cache.get(key) else { return decision };
    let claim = view.cache.by_uid(text(&volume, "/spec/claimRef/uid")).filter(|claim| claim.table == tables::CLAIMS);
    if objects::is_deleted(&volume) {
        if claim.is_none() && remove_finalizer(&mut volume, BOUND_VOLUME) {
            decision.update(key, volume);
        }
        return decision;
    }
    let reserved = volume.pointer("/spec/claimRef/uid").is_some();
    let phase = match (reserved, claim.is_some()) {
        (_, true) => return decision,
        (false, _) => "Available",
        (true, false) => "Released",
    };
    if text(&volume, "/status/phase") != phase {
        let mut changed = volume.clone();
        changed["status"]["phase"] = json!(phase);
        changed["status"]["lastPhaseTransitionTime"] = time(view.now);
        decision.status(key, changed);
    } else if reserved && text(&volume, "/spec/persistentVolumeReclaimPolicy") == "Delete" {
        decision.delete(key, objects::uid(&volume));
    }
    decision
}
