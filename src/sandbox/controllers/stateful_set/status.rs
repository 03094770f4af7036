//! The status of a StatefulSet.

use serde_json::{Value, json};

use super::super::{
    cache::Entry,
    objects::{after, without_zeros},
};
use super::reconcile::{Members, Revisions};
use crate::rules::fields::{count, list, number, text};

/// Whether a pod has been ready for as long as the set asks.
pub fn is_available(set: &Value, entry: &Entry, now: jiff::Timestamp) -> bool {
    let wait = number(set, "/spec/minReadySeconds").unwrap_or(0);
    let ready = entry.pod.as_ref().and_then(|pod| pod.ready);
    ready.is_some_and(|since| wait == 0 || after(since, wait) <= now)
}

/// The set with its status up to date.
///
/// Source: `updateStatefulSet` and `completeRollingUpdate`.
pub fn of(set: &Value, members: &Members<'_>, revisions: &Revisions, now: jiff::Timestamp) -> Value {
    let live = || members.iter().filter(|(_, _, entry)| entry.pod.is_some());
    let of_revision = |name: &str| {
        let running = live().filter(|(_, _, entry)| entry.head.deleted.is_none());
        running
            .filter(|(_, _, entry)| {
                let labels = entry.pod.as_ref().map(|pod| &pod.labels);
                labels.and_then(|labels| labels.get("controller-revision-hash")).is_some_and(|have| &**have == name)
            })
            .count()
    };
    let replicas = live().count();
    let ready = live().filter(|(_, _, entry)| entry.pod.as_ref().is_some_and(|pod| pod.ready.is_some())).count();
    let updated = of_revision(&revisions.update);
    let wanted = usize::try_from(number(set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
    let rolls = text(set, "/spec/updateStrategy/type") == "RollingUpdate";
    let complete = rolls && updated == replicas && replicas == wanted && ready == replicas;
    let current = if complete { &revisions.update } else { &revisions.current };
    let mut status = without_zeros(json!({
        "readyReplicas": ready, "currentReplicas": of_revision(current), "updatedReplicas": updated,
        "observedGeneration": set["metadata"]["generation"],
    }));
    status["replicas"] = json!(replicas);
    status["availableReplicas"] = json!(live().filter(|(_, _, entry)| is_available(set, entry, now)).count());
    status["currentRevision"] = json!(current);
    status["updateRevision"] = json!(revisions.update);
    status["collisionCount"] = json!(count(set, "/status/collisionCount"));
    let conditions = list(set, "/status/conditions");
    if !conditions.is_empty() {
        status["conditions"] = json!(conditions);
    }
    let mut changed = set.clone();
    changed["status"] = status;
    changed
}
