//! DaemonSets: a pod on every node that takes it.
//!
//! Source: `pkg/controller/daemon` of Kubernetes 1.34.

use serde_json::{Value, json};

use super::{
    action::{Decision, Notice, View},
    amounts,
    cache::Entry,
    objects::{self, after, pod_of, set_text, template_hash, without_zeros},
    revision,
    scheduler::{fits_selectors, tolerates},
    tables::{self, Key},
};
use crate::rules::fields::{count, list, number, text};

const CONTROLLER: &str = "daemonset-controller";

/// What a DaemonSet needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(set) = view.cache.get(key) else { return decision };
    let hash = template_hash(&set["spec"]["template"], None);
    let label = ("controller-revision-hash", hash.as_str());
    let name = revision::present(view, key, &set, label, &hash, &mut decision);
    let hash = name.rsplit('-').next().unwrap_or_default().to_owned();
    let pods: Vec<(&Key, &Entry)> = view.cache.controlled(objects::uid(&set), tables::PODS).collect();
    let nodes: Vec<Value> = view.cache.all(tables::NODES, None).map(|(_, entry)| entry.object()).collect();
    let tolerant = json!({"spec": {
        "tolerations": tolerations(&set["spec"]["template"]),
        "nodeSelector": set.pointer("/spec/template/spec/nodeSelector"),
        "affinity": set.pointer("/spec/template/spec/affinity"),
    }});
    let taken = |node: &Value| {
        let taints = list(node, "/spec/taints").iter();
        let mut hard = taints.filter(|taint| matches!(text(taint, "/effect"), "NoSchedule" | "NoExecute"));
        fits_selectors(node, &tolerant) && hard.all(|taint| tolerates(&tolerant, taint))
    };
    let (wanted, unwanted): (Vec<&Value>, Vec<&Value>) = nodes.iter().partition(|node| taken(node));
    let mut status = Status { wanted: wanted.len(), ..Status::default() };
    let mut old = Vec::new();
    for node in &wanted {
        let on_node: Vec<&(&Key, &Entry)> =
            pods.iter().filter(|(_, pod)| node_of(pod) == objects::name(node)).collect();
        let Some((place, pod)) = on_node.iter().find(|(_, pod)| pod.head.deleted.is_none()) else {
            if on_node.is_empty() && !objects::is_deleted(&set) {
                create(view, &set, objects::name(node), &hash, &mut decision);
            }
            continue;
        };
        let ended = pod.pod.as_ref().is_some_and(|pod| pod.has_ended());
        if ended {
            delete(&set, place, pod, &mut decision);
            continue;
        }
        if !status.count(view, &set, pod, &hash, &mut decision) {
            old.push((*place, *pod));
        }
    }
    for node in unwanted {
        for (place, pod) in pods.iter().filter(|(_, pod)| node_of(pod) == objects::name(node)) {
            status.misscheduled += 1;
            if pod.head.deleted.is_none() {
                delete(&set, place, pod, &mut decision);
            }
        }
    }
    roll(&set, &status, &old, &mut decision);
    status.write(key, &set, &mut decision);
    decision
}

/// The node that a pod is on, or is to be on.
fn node_of(entry: &Entry) -> String {
    let node = entry.pod.as_ref().map_or("", |pod| &pod.node);
    if !node.is_empty() {
        return node.to_owned();
    }
    let terms = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    text(&entry.object(), &format!("{terms}/0/matchFields/0/values/0")).to_owned()
}

/// What the pods of a DaemonSet tolerate beside what its template says.
fn tolerations(template: &Value) -> Vec<Value> {
    let mut found: Vec<Value> = list(template, "/spec/tolerations").to_vec();
    for (key, effect) in [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ] {
        found.push(json!({"effect": effect, "key": format!("node.kubernetes.io/{key}"), "operator": "Exists"}));
    }
    found
}

fn create(view: &View<'_>, set: &Value, node: &str, hash: &str, decision: &mut Decision) {
    let base = format!("{}-", objects::name(set));
    let name = view.suffixes.name(&base);
    let template = &set["spec"]["template"];
    let mut pod = pod_of(set, template);
    pod["metadata"]["generateName"] = json!(base);
    pod["metadata"]["name"] = json!(name);
    set_text(&mut pod, "labels", "controller-revision-hash", hash);
    let generation = objects::annotation(set, "deprecated.daemonset.template.generation").unwrap_or("1");
    set_text(&mut pod, "labels", "pod-template-generation", generation);
    pod["spec"]["tolerations"] = json!(tolerations(template));
    pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = json!({
        "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]});
    decision.try_create(tables::PODS, pod, Notice::of(set, CONTROLLER, "FailedCreate", "Error creating: ".into()));
    decision.tell(Notice::of(set, CONTROLLER, "SuccessfulCreate", format!("Created pod: {name}")));
}

fn delete(set: &Value, place: &Key, pod: &Entry, decision: &mut Decision) {
    decision.delete(place, &pod.head.uid);
    decision.tell(Notice::of(set, CONTROLLER, "SuccessfulDelete", format!("Deleted pod: {}", place.name())));
}

/// Deletes pods of old templates, as many as may be missing.
fn roll(set: &Value, status: &Status, old: &[(&Key, &Entry)], decision: &mut Decision) {
    if text(set, "/spec/updateStrategy/type") == "OnDelete" || objects::is_deleted(set) {
        return;
    }
    let total = i64::try_from(status.wanted).unwrap_or(0);
    let value = set.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable");
    let allowed = value.map_or(1, |value| amounts::share(value, total, true)).max(1);
    let missing = total - i64::try_from(status.available).unwrap_or(0);
    let is_ready = |pod: &Entry| pod.pod.as_ref().is_some_and(|pod| pod.ready.is_some());
    let mut left = allowed - missing;
    for (place, pod) in old {
        if is_ready(pod) {
            if left <= 0 {
                continue;
            }
            left -= 1;
        }
        delete(set, place, pod, decision);
    }
}

#[derive(Debug, Default)]
struct Status {
    wanted: usize,
    present: usize,
    ready: usize,
    available: usize,
    updated: usize,
    misscheduled: usize,
}

impl Status {
    /// Counts a pod; true where it is of the present template.
    fn count(&mut self, view: &View<'_>, set: &Value, entry: &Entry, hash: &str, decision: &mut Decision) -> bool {
        let Some(pod) = entry.pod.as_ref() else { return true };
        self.present += 1;
        let wait = number(set, "/spec/minReadySeconds").unwrap_or(0);
        if let Some(since) = pod.ready {
            self.ready += 1;
            if wait == 0 || after(since, wait) <= view.now {
                self.available += 1;
            } else {
                decision.at(after(since, wait));
            }
        }
        let new = pod.labels.get("controller-revision-hash").is_some_and(|have| &**have == hash);
        self.updated += usize::from(new);
        new
    }

    fn write(&self, key: &Key, set: &Value, decision: &mut Decision) {
        let mut status = without_zeros(json!({
            "observedGeneration": set["metadata"]["generation"], "updatedNumberScheduled": self.updated,
            "numberAvailable": self.available, "numberUnavailable": self.wanted.saturating_sub(self.available),
        }));
        for (field, count) in [
            ("currentNumberScheduled", self.present),
            ("numberMisscheduled", self.misscheduled),
            ("desiredNumberScheduled", self.wanted),
            ("numberReady", self.ready),
        ] {
            status[field] = json!(count);
        }
        if count(set, "/status/collisionCount") > 0 {
            status["collisionCount"] = set["status"]["collisionCount"].clone();
        }
        if status != set["status"] {
            let mut changed = set.clone();
            changed["status"] = status;
            decision.status(key, changed);
        }
    }
}
