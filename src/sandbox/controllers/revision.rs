//! Revisions of StatefulSets and DaemonSets: their pod templates, kept as ControllerRevisions.
//!
//! Source: `pkg/controller/history` of Kubernetes 1.34.

use serde_json::{Value, json};

use super::{
    action::{Decision, View, safe_encode},
    objects,
    tables::{self, Key},
};
use crate::rules::fields::{count, text};

/// The template of a workload as a revision keeps it.
pub fn data(workload: &Value) -> Value {
    let mut template = json!({"$patch": "replace"});
    for (field, value) in workload["spec"]["template"].as_object().into_iter().flatten() {
        template[field] = value.clone();
    }
    objects::sorted(&json!({"spec": {"template": template}}))
}

/// The hash of a revision, as the real one computes it: FNV-1 of the JSON, and of the number of collisions.
///
/// Source: `HashControllerRevision`.
pub fn hash(data: &Value, collisions: i64) -> String {
    let bytes = format!("{data}{collisions}").into_bytes();
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte));
    safe_encode(&hash.to_string())
}

/// The revisions of a workload, the oldest first.
pub fn of(view: &View<'_>, workload: &Value) -> Vec<Value> {
    let found = view.cache.controlled(objects::uid(workload), tables::REVISIONS);
    let mut found: Vec<Value> = found.map(|(_, entry)| entry.object()).collect();
    found.sort_by_key(|revision| (count(revision, "/revision"), objects::name(revision).to_owned()));
    found
}

/// The name of the present template's revision, which is made or moved to the end where it has to be.
pub fn present(
    view: &View<'_>,
    key: &Key,
    workload: &Value,
    label: (&str, &str),
    hash: &str,
    decision: &mut Decision,
) -> String {
    let data = data(workload);
    let name = format!("{}-{hash}", objects::name(workload));
    let known = of(view, workload);
    let next = known.iter().map(|revision| count(revision, "/revision")).max().unwrap_or(0) + 1;
    if let Some(same) = known.iter().find(|revision| revision["data"] == data) {
        if count(same, "/revision") != next - 1 {
            let mut changed = same.clone();
            changed["revision"] = json!(next);
            decision.update(&key.beside(tables::REVISIONS, objects::name(same)), changed);
        }
        return objects::name(same).to_owned();
    }
    let labels = workload.pointer("/spec/template/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    let mut revision = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {"name": name, "namespace": key.namespace(), "labels": labels,
            "ownerReferences": [objects::owner_reference(workload)]},
        "data": data, "revision": next});
    if let Some(annotations) = workload["metadata"].get("annotations") {
        revision["metadata"]["annotations"] = annotations.clone();
    }
    objects::set_text(&mut revision, "labels", label.0, label.1);
    decision.create(tables::REVISIONS, revision);
    name
}

/// Deletes the oldest revisions that no pod has and that are more than the history holds.
pub fn forget(view: &View<'_>, key: &Key, workload: &Value, live: &[&str], decision: &mut Decision) {
    let limit = count(workload, "/spec/revisionHistoryLimit").max(0);
    let idle: Vec<Value> =
        of(view, workload).into_iter().filter(|revision| !live.contains(&objects::name(revision))).collect();
    let surplus = idle.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    for revision in &idle[..surplus] {
        let place = key.beside(tables::REVISIONS, objects::name(revision));
        decision.delete(&place, text(revision, "/metadata/uid"));
    }
}

/// The pod template of a revision.
pub fn template(revision: &Value) -> Value {
    let mut template = revision["data"]["spec"]["template"].clone();
    if let Some(fields) = template.as_object_mut() {
        fields.shift_remove("$patch");
    }
    template
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn the_hash_is_that_of_the_real_controller() {
        let workload = yaml(
            "spec: {template: {metadata: {labels: {a: s}}, spec: {containers: [{image: 'testbed/pause:1', \
             imagePullPolicy: IfNotPresent, name: a, resources: {}, terminationMessagePath: /dev/termination-log, \
             terminationMessagePolicy: File, volumeMounts: [{mountPath: /data, name: data}]}], dnsPolicy: \
             ClusterFirst, restartPolicy: Always, schedulerName: default-scheduler, securityContext: {}, \
             terminationGracePeriodSeconds: 0}}}",
        );
        assert_eq!(hash(&data(&workload), 0), "8b7df66c9");
    }
}
