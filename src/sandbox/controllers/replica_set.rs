//! ReplicaSets: as many pods as wanted, the least useful ones removed first.
//!
//! Source: `pkg/controller/replicaset` and `ActivePodsWithRanks` of `pkg/controller` of Kubernetes 1.34.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    action::{Action, Decision, MANAGER, Notice, View},
    cache::Entry,
    facts::PodFacts,
    objects::{self, after, pod_of, remove_condition, set_condition, time, without_zeros},
    tables::{self, Key},
};
use crate::rules::fields::{list, number};

const CONTROLLER: &str = "replicaset-controller";
/// How many pods are made or removed at a time.
const BURST: usize = 500;

/// What a ReplicaSet needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let Some(set) = view.cache.get(key) else { return Decision::none() };
    let mut decision = Decision::none();
    let pods: Vec<(&Key, &Entry)> = view.cache.controlled(objects::uid(&set), tables::PODS).collect();
    let mut active: Vec<(&Key, &Entry, &PodFacts)> = pods
        .iter()
        .filter_map(|(key, entry)| Some((*key, *entry, entry.pod.as_deref()?)))
        .filter(|(_, entry, pod)| !pod.has_ended() && entry.head.deleted.is_none())
        .collect();
    let wanted = usize::try_from(number(&set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
    let present = active.len();
    if !objects::is_deleted(&set) {
        if present < wanted {
            create(view, &set, (wanted - present).min(BURST), &mut decision);
        } else if present > wanted {
            active.sort_by_key(|(_, entry, pod)| usefulness(entry, pod));
            for (key, entry, _) in active.iter().take((present - wanted).min(BURST)) {
                decision.delete(key, &entry.head.uid);
                let message = format!("Deleted pod: {}", key.name());
                decision.tell(Notice::of(&set, CONTROLLER, "SuccessfulDelete", message));
            }
        }
    }
    sync_status(view, key, &set, &active, &mut decision);
    decision
}

fn create(view: &View<'_>, set: &Value, count: usize, decision: &mut Decision) {
    let base = format!("{}-", objects::name(set));
    for _ in 0..count {
        let name = view.suffixes.name(&base);
        let mut pod = pod_of(set, &set["spec"]["template"]);
        pod["metadata"]["generateName"] = json!(base);
        pod["metadata"]["name"] = json!(name);
        let refused = Notice::of(set, CONTROLLER, "FailedCreate", "Error creating: ".into());
        decision.try_create(tables::PODS, pod, refused);
        decision.tell(Notice::of(set, CONTROLLER, "SuccessfulCreate", format!("Created pod: {name}")));
    }
}

/// How much a pod is worth keeping: the least is removed first.
type Usefulness = (bool, u8, bool, Reverse<Option<Timestamp>>, Reverse<i64>, Reverse<Option<Timestamp>>);

fn usefulness(entry: &Entry, pod: &PodFacts) -> Usefulness {
    let phase = match &*pod.phase {
        "" | "Pending" => 0,
        "Unknown" => 1,
        _ => 2,
    };
    let scheduled = !pod.node.is_empty();
    let recent = Reverse(pod.ready);
    (scheduled, phase, pod.ready.is_some(), recent, Reverse(pod.restarts), Reverse(entry.head.created))
}

type Active<'c> = [(&'c Key, &'c Entry, &'c PodFacts)];

fn sync_status(view: &View<'_>, key: &Key, set: &Value, active: &Active<'_>, decision: &mut Decision) {
    let wait = number(set, "/spec/minReadySeconds").unwrap_or(0);
    let labels = set.pointer("/spec/template/metadata/labels").and_then(Value::as_object);
    let labelled = |pod: &PodFacts| {
        labels
            .into_iter()
            .flatten()
            .all(|(key, value)| pod.labels.get(key.as_str()).map(|have| &**have) == value.as_str())
    };
    let ready: Vec<Timestamp> = active.iter().filter_map(|(_, _, pod)| pod.ready).collect();
    let available = ready.iter().filter(|since| wait == 0 || after(**since, wait) <= view.now).count();
    if let Some(next) = ready.iter().map(|since| after(*since, wait)).filter(|at| wait > 0 && *at > view.now).min() {
        decision.at(next);
    }
    let mut status = without_zeros(json!({
        "fullyLabeledReplicas": active.iter().filter(|(_, _, pod)| labelled(pod)).count(),
        "readyReplicas": ready.len(), "availableReplicas": available,
        "observedGeneration": set["metadata"]["generation"],
    }));
    status["replicas"] = json!(active.len());
    let conditions = list(set, "/status/conditions");
    if !conditions.is_empty() {
        status["conditions"] = json!(conditions);
    }
    if active.len() as i64 >= number(set, "/spec/replicas").unwrap_or(1) {
        remove_condition(&mut status, "ReplicaFailure");
        if list(&status, "/conditions").is_empty() {
            status.as_object_mut().map(|fields| fields.shift_remove("conditions"));
        }
    }
    if status != set["status"] {
        let mut changed = set.clone();
        changed["status"] = status;
        // First the status: it says what was there when the pods were counted.
        let update = Action::Update { key: key.clone(), subresource: "status", object: changed, manager: MANAGER };
        decision.actions.insert(0, update);
    }
}

/// The ReplicaSet with the condition that its pods cannot be made.
pub fn with_failure(set: &Value, now: Timestamp, message: &str) -> Option<Value> {
    let mut changed = set.clone();
    let condition = json!({"type": "ReplicaFailure", "status": "True", "lastTransitionTime": time(now),
        "reason": "FailedCreate", "message": message});
    set_condition(&mut changed["status"], condition);
    (changed != *set).then_some(changed)
}
