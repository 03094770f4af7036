//! One workload with its revisions and its pods.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    index::Index,
    pod::KeptPod,
    scene::{Owner, Scene, words},
    summary::newest_warning,
};
use crate::{
    model::{Health, ObjectRef, PodCounts, PodStatus, SetStatus, Status, Verdict, WorkloadStatus},
    rules::{
        fields::{count, number, text},
        pods::creation,
        readiness::health,
        rollout::newest_replica_set,
        schedule::Schedule,
        usage::total,
    },
};

const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";
/// How many Jobs of a CronJob are shown, the newest.
const JOBS: usize = 3;

/// Whether an object has pods of its own.
pub(super) fn has_pods(object: &Value) -> bool {
    let kind = ObjectRef::of(object);
    matches!(
        (kind.group(), kind.kind.as_str()),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("", "ReplicationController" | "Pod")
            | ("batch", "Job" | "CronJob")
    )
}

/// The labels of a workload's pods.
pub(super) fn labels(workload: &Value) -> &Value {
    match text(workload, "/kind") {
        "Pod" => &workload["metadata"]["labels"],
        "CronJob" => &workload["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"],
        _ => &workload["spec"]["template"]["metadata"]["labels"],
    }
}

/// A workload that was read.
pub(super) fn workload(scene: &Scene, index: &Index<'_>, object: &Value, now: Timestamp) -> WorkloadStatus {
    let sets = Sets { scene, index, now };
    let mut sets = match text(object, "/kind") {
        "Deployment" => sets.of_deployment(object),
        "CronJob" => sets.of_cron_job(object),
        "StatefulSet" => sets.by_hash(object, text(object, "/status/updateRevision"), |_| false),
        "DaemonSet" => {
            let generation = text(object, "/metadata/annotations/deprecated.daemonset.template.generation");
            sets.by_hash(object, "", |pod| pod.generation == generation)
        }
        _ => vec![sets.set(None, String::new(), true, index.pods_of(object))],
    };
    let mut own = health(object);
    own.message = words(&own.message);
    let wanted = wanted(object);
    // None is the newest where none was made yet, or where the ReplicaSets may not be read.
    let newest = sets.iter().position(|set| set.newest).unwrap_or(0);
    if let Some(set) = sets.get_mut(newest) {
        set.counts.wanted = wanted;
    }
    let mut status = assemble(ObjectRef::of(object), sets);
    status.created = text(object, "/metadata/creationTimestamp").to_owned();
    status.pods.wanted = wanted;
    status.next_run = next_run(object, now);
    let refused = refused(scene, index, object, &own, status.pods.total < wanted);
    judge(&mut status, own, refused);
    status.event = newest_warning(scene, &status, text(object, "/metadata/uid"));
    status
}

/// The pods of a controller that is not part of what was read.
pub(super) fn unread(scene: &Scene, owner: &Owner, pods: &[&KeptPod], now: Timestamp) -> WorkloadStatus {
    let index = Index::default();
    let set = Sets { scene, index: &index, now }.set(None, String::new(), true, pods.to_vec());
    let namespace = pods.first().map(|pod| pod.namespace().to_owned());
    let Owner { api_version, kind, name, .. } = owner.clone();
    let mut status = assemble(ObjectRef { api_version, kind, namespace, name }, vec![set]);
    status.pods.wanted = status.pods.total;
    let all_over = status.sets.iter().all(|set| set.pods.iter().all(|pod| pod.over));
    status.created = pods.iter().map(|pod| pod.created()).min().unwrap_or_default().to_owned();
    (status.verdict, status.message) = match worst(&status) {
        Some(pod) if !all_over => (pod.verdict.min(failed_or_degraded(&status)), of_pod(&status, pod)),
        _ => (Verdict::Healthy, super::summary::ready(status.pods)),
    };
    status.event = newest_warning(scene, &status, &owner.uid);
    status
}

/// When a CronJob that is not suspended runs next.
fn next_run(object: &Value, now: Timestamp) -> Option<String> {
    let schedule = Some(text(object, "/spec/schedule")).filter(|schedule| !schedule.is_empty())?;
    let zone = text(object, "/spec/timeZone");
    let zoned = if zone.is_empty() { schedule.to_owned() } else { format!("TZ={zone} {schedule}") };
    let next = Schedule::parse(&zoned).ok()?.next(now)?;
    (text(object, "/kind") == "CronJob" && object["spec"]["suspend"] != true).then(|| next.to_string())
}

/// How many pods there should be now.
fn wanted(object: &Value) -> usize {
    let number = match text(object, "/kind") {
        "Pod" => Some(i64::from(!matches!(text(object, "/status/phase"), "Succeeded" | "Failed"))),
        "DaemonSet" => Some(count(object, "/status/desiredNumberScheduled")),
        "Job" | "CronJob" => Some(count(object, "/status/active")),
        _ => number(object, "/spec/replicas").or(Some(1)),
    };
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

fn assemble(object: ObjectRef, sets: Vec<SetStatus>) -> WorkloadStatus {
    let mut pods = PodCounts::default();
    for set in &sets {
        pods.total += set.counts.total;
        pods.ready += set.counts.ready;
    }
    let alive = sets.iter().flat_map(|set| &set.pods).filter(|pod| !pod.over);
    let usage = total(alive.map(|pod| pod.usage));
    WorkloadStatus { object, pods, usage, sets, ..WorkloadStatus::default() }
}

/// Why the API server refuses the pods, where it does.
fn refused(scene: &Scene, index: &Index<'_>, object: &Value, own: &Health, missing: bool) -> Option<String> {
    if !missing || own.status != Status::InProgress {
        return None;
    }
    let sets = index.sets_of(object);
    let newest = newest_replica_set(object, sets);
    let owners: Vec<&Value> = [object].into_iter().chain(newest).collect();
    let events: Vec<&Value> = owners.iter().flat_map(|owner| scene.events_of(text(owner, "/metadata/uid"))).collect();
    creation(&owners, &events, Timestamp::MIN, false).map(|trouble| words(&trouble.message))
}

/// The verdict: its own words, then those of its pods.
fn judge(status: &mut WorkloadStatus, own: Health, refused: Option<String>) {
    let is_job = matches!(status.object.kind.as_str(), "Job" | "CronJob");
    let by_itself = match own.status {
        Status::Current => Verdict::Healthy,
        Status::Failed => Verdict::Failed,
        Status::InProgress | Status::Terminating | Status::NotFound => Verdict::Progressing,
    };
    let worst = worst(status).filter(|pod| !(pod.over && own.status == Status::Current));
    let (verdict, message) = match (worst, refused) {
        (_, Some(refused)) => (failed_or_degraded(status), refused),
        // A Job makes new pods for those that fail, until it has failed itself.
        (Some(pod), _) if is_job => (by_itself, of_pod(status, pod)),
        (Some(pod), _) => {
            let of_pods = if pod.verdict.is_bad() { failed_or_degraded(status) } else { pod.verdict };
            // One that leaves, or comes to replace another, says less than the rollout does.
            let is_worse = of_pods > by_itself || (of_pods.is_bad() && by_itself.is_bad());
            let words = if is_worse { of_pod(status, pod) } else { own.message.clone() };
            (of_pods.max(by_itself), words)
        }
        (None, None) => (by_itself, own.message.clone()),
    };
    status.verdict = verdict;
    status.message = message;
    status.health = Some(own);
}

/// With at least one ready pod it serves.
fn failed_or_degraded(status: &WorkloadStatus) -> Verdict {
    if status.pods.ready > 0 { Verdict::Degraded } else { Verdict::Failed }
}

/// The pod that needs attention most, if one does. One that only leaves needs none.
fn worst(status: &WorkloadStatus) -> Option<&PodStatus> {
    let pods = status.sets.iter().flat_map(|set| &set.pods);
    let needs = |pod: &&PodStatus| match pod.verdict {
        Verdict::Healthy => false,
        Verdict::Progressing => pod.state != "Terminating",
        Verdict::Degraded | Verdict::Failed => true,
    };
    pods.filter(needs).max_by_key(|pod| (pod.verdict, !pod.over, pod.restarts))
}

fn of_pod(status: &WorkloadStatus, pod: &PodStatus) -> String {
    let said = if pod.message.is_empty() { &pod.state } else { &pod.message };
    if status.object.kind == "Pod" { said.clone() } else { format!("pod {}: {said}", pod.name) }
}

/// Sorts the pods of a workload by revision.
struct Sets<'s> {
    scene: &'s Scene,
    index: &'s Index<'s>,
    now: Timestamp,
}

impl Sets<'_> {
    fn of_deployment(&self, deployment: &Value) -> Vec<SetStatus> {
        let mut known: Vec<&Value> = self.index.sets_of(deployment).to_vec();
        known.sort_by_key(|set| Reverse(text(set, REVISION).parse::<u64>().unwrap_or(0)));
        let newest = newest_replica_set(deployment, &known).map(|set| text(set, "/metadata/uid"));
        let mut sets = Vec::new();
        for set in known {
            let pods = self.index.pods_of(set);
            let is_newest = Some(text(set, "/metadata/uid")) == newest;
            if !is_newest && pods.is_empty() && count(set, "/spec/replicas") == 0 {
                continue;
            }
            let mut made = self.set(Some(ObjectRef::of(set)), text(set, REVISION).into(), is_newest, pods);
            made.created = text(set, "/metadata/creationTimestamp").to_owned();
            made.counts.wanted = usize::try_from(count(set, "/spec/replicas")).unwrap_or(0);
            sets.push(made);
        }
        let orphans = self.index.pods_by_name(deployment);
        if !orphans.is_empty() {
            sets.push(self.set(None, String::new(), sets.is_empty(), orphans));
        }
        sets
    }

    fn of_cron_job(&self, cron_job: &Value) -> Vec<SetStatus> {
        let mut jobs: Vec<&Value> = self.index.jobs_of(cron_job).to_vec();
        jobs.sort_by_key(|job| Reverse(text(job, "/metadata/creationTimestamp").to_owned()));
        jobs.truncate(JOBS);
        let set = |(place, job): (usize, &Value)| {
            let mut set = self.set(Some(ObjectRef::of(job)), String::new(), place == 0, self.index.pods_of(job));
            set.created = text(job, "/metadata/creationTimestamp").to_owned();
            set.health = Some(health(job));
            set
        };
        jobs.into_iter().enumerate().map(set).collect()
    }

    /// By the label that StatefulSets and DaemonSets put on their pods.
    fn by_hash(&self, workload: &Value, newest: &str, is_new: impl Fn(&KeptPod) -> bool) -> Vec<SetStatus> {
        let mut hashes: BTreeMap<&str, Vec<&KeptPod>> = BTreeMap::new();
        for pod in self.index.pods_of(workload) {
            hashes.entry(pod.revision.as_str()).or_default().push(pod);
        }
        let only = hashes.len() == 1;
        let mut sets: Vec<SetStatus> = hashes
            .into_iter()
            .map(|(hash, pods)| {
                let newest = only || hash == newest || pods.iter().any(|pod| is_new(pod));
                let name = text(workload, "/metadata/name");
                let short = hash.strip_prefix(&format!("{name}-")).unwrap_or(hash);
                self.set(None, short.to_owned(), newest, pods)
            })
            .collect();
        sets.sort_by_key(|set| !set.newest);
        sets
    }

    fn set(&self, object: Option<ObjectRef>, revision: String, newest: bool, pods: Vec<&KeptPod>) -> SetStatus {
        let mut pods: Vec<PodStatus> = pods.into_iter().map(|pod| self.scene.judged(pod, self.now)).collect();
        pods.sort_by(|one, other| {
            (Reverse(one.verdict), one.over)
                .cmp(&(Reverse(other.verdict), other.over))
                .then_with(|| one.name.cmp(&other.name))
        });
        for pod in pods.iter_mut().filter(|pod| pod.verdict != Verdict::Healthy) {
            let uid = self.scene.pods.get(&(pod.namespace.clone(), pod.name.clone())).map(|kept| kept.uid.as_str());
            pod.event = uid.and_then(|uid| super::summary::newest_event(self.scene, uid));
        }
        let counts = PodCounts {
            wanted: 0,
            total: pods.iter().filter(|pod| !pod.over).count(),
            ready: pods.iter().filter(|pod| pod.ready).count(),
        };
        SetStatus { object, revision, newest, counts, pods, ..SetStatus::default() }
    }
}
