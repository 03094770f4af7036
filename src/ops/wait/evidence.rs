//! Why a rollout failed: the pod's own words, fetched before anything removes them.

use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;

use super::{look::View, scene::Scene};
use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::Result,
    model::{ClusterEvent, Evidence, ObjectRef, Status},
    rules::{
        events::to_report,
        fields::{count, list, text},
        pods::{Stage, Trouble, exit_in_words, hint},
        redact::Redactor,
        rollout::newest_replica_set,
    },
};

/// How many lines of each log are kept.
const LINES: usize = 20;
/// How many events are kept, the newest.
const EVENTS: usize = 25;
/// How many causes are told; the rest follows from them more often than not.
const CASES: usize = 5;
/// How long each question may take: the cause should be on the screen within a second.
const PATIENCE: Duration = Duration::from_secs(2);

/// A target that did not become healthy.
pub(super) struct Case<'w> {
    pub view: &'w View,
    pub workload: &'w Value,
    /// Set when the time was over, not the patience with an error.
    pub timeout: Option<Duration>,
}

/// Collects the evidence for each case, the likeliest cause first. What may not be read, or does not come in time,
/// becomes a note.
pub(super) async fn gather(
    cluster: &Cluster,
    scene: &Scene,
    mut cases: Vec<Case<'_>>,
    redactor: &Redactor,
    notes: &mut Vec<String>,
) -> Vec<Evidence> {
    cases.sort_by_key(|case| case.stage());
    cases.truncate(CASES);
    let gathered = join_all(cases.iter().map(|case| case.gather(cluster, scene, redactor))).await;
    let mut evidence = Vec::new();
    for (found, unread) in gathered {
        evidence.push(found);
        notes.extend(unread.into_iter().filter(|note| !notes.contains(note)).collect::<Vec<_>>());
    }
    evidence
}

impl Case<'_> {
    /// What never started comes before what crashed; what gives no reason comes last.
    fn stage(&self) -> (bool, Option<Stage>) {
        let stage = self.view.rollout.troubles.first().map(|known| known.trouble.stage);
        (stage.is_none(), stage)
    }

    async fn gather(&self, cluster: &Cluster, scene: &Scene, redactor: &Redactor) -> (Evidence, Vec<String>) {
        let replica_sets = scene.replica_sets(self.workload);
        let pods = scene.pods(self.workload, &replica_sets);
        let known = self.view.rollout.troubles.first();
        let pod = match known.and_then(|known| known.pod.as_deref()) {
            Some(name) => pods.iter().copied().find(|pod| text(pod, "/metadata/name") == name),
            // Refused pods do not exist, and without a trouble the one that is waited for is the last that came.
            None if known.is_some() => None,
            None => pods
                .iter()
                .copied()
                .filter(|pod| !is_ready(pod))
                .max_by_key(|pod| text(pod, "/metadata/creationTimestamp")),
        };
        let mut evidence = self.describe(known.map(|known| &known.trouble), pod, redactor);
        let newest = newest_replica_set(self.workload, &replica_sets);
        let mut unread = Vec::new();
        let objects = [pod, newest, Some(self.workload)];
        let (logs, events) =
            tokio::join!(logs(cluster, pod, evidence.container.as_deref(), redactor), events(cluster, scene, &objects));
        match logs {
            Ok((current, previous)) => (evidence.log, evidence.previous_log) = (current, previous),
            Err(error) => unread.push(redactor.line(&format!("a log is missing from the evidence: {error}"))),
        }
        let (events, failed) = events;
        unread.extend(failed.map(|error| redactor.line(&format!("events are missing from the evidence: {error}"))));
        evidence.events = clean(events, redactor);
        (evidence, unread)
    }

    /// What the objects themselves say.
    fn describe(&self, trouble: Option<&Trouble>, pod: Option<&Value>, redactor: &Redactor) -> Evidence {
        let health = &self.view.rollout.health;
        let mut summary = match (trouble, pod) {
            (Some(trouble), Some(pod)) if text(self.workload, "/kind") != "Pod" => {
                format!("pod {}: {}", text(pod, "/metadata/name"), trouble.message)
            }
            (Some(trouble), _) => trouble.message.clone(),
            (None, _) => health.message.clone(),
        };
        if health.status == Status::Failed && trouble.is_some_and(|trouble| trouble.reason != health.reason) {
            summary = format!("{summary} ({})", health.message);
        }
        if let Some(timeout) = self.timeout {
            summary = format!("not ready after {}: {summary}", in_words(timeout));
        }
        let mut reason = trouble.map_or(&health.reason, |trouble| &trouble.reason).clone();
        if reason.is_empty() {
            reason = if self.timeout.is_some() { "Timeout".into() } else { "Failed".into() };
        }
        let mut evidence = Evidence {
            object: self.view.object.clone(),
            summary: redactor.line(&summary),
            reason,
            pod: pod.map(ObjectRef::of).filter(|pod| *pod != self.view.object),
            hints: trouble.and_then(hint).into_iter().collect(),
            ..Evidence::default()
        };
        if let Some(pod) = pod {
            let container = trouble.and_then(|trouble| trouble.container.clone()).or_else(|| unready_container(pod));
            describe_container(&mut evidence, pod, container.as_deref(), redactor);
        }
        evidence
    }
}

fn describe_container(evidence: &mut Evidence, pod: &Value, container: Option<&str>, redactor: &Redactor) {
    let Some(name) = container else { return };
    let named =
        |places: [&str; 2]| places.into_iter().flat_map(|place| list(pod, place)).find(|entry| entry["name"] == *name);
    evidence.container = Some(name.to_owned());
    let spec = named(["/spec/containers", "/spec/initContainers"]).unwrap_or(&Value::Null);
    evidence.image = Some(text(spec, "/image").to_owned()).filter(|image| !image.is_empty());
    let Some(status) = named(["/status/containerStatuses", "/status/initContainerStatuses"]) else { return };
    evidence.restarts = i32::try_from(count(status, "/restartCount")).unwrap_or(i32::MAX);
    let ended = ["/state/terminated", "/lastState/terminated"].into_iter().find_map(|place| status.pointer(place));
    let Some(ended) = ended.filter(|ended| !ended.is_null()) else { return };
    let code = count(ended, "/exitCode");
    let limit = Some(text(spec, "/resources/limits/memory")).filter(|limit| !limit.is_empty());
    evidence.exit_code = i32::try_from(code).ok();
    evidence.exit = Some(exit_in_words(code, text(ended, "/reason"), limit));
    let message = redactor.text(text(ended, "/message")).trim().to_owned();
    evidence.termination_message = Some(message).filter(|message| !message.is_empty());
}

/// The last lines of the present instance and of the one before it. While a container waits to be started again,
/// the log is that of the last instance, which is the one before.
async fn logs(
    cluster: &Cluster,
    pod: Option<&Value>,
    container: Option<&str>,
    redactor: &Redactor,
) -> Result<(Vec<String>, Vec<String>)> {
    let (Some(pod), Some(container)) = (pod, container) else { return Ok(Default::default()) };
    let statuses = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let status = statuses.into_iter().flat_map(|place| list(pod, place)).find(|status| status["name"] == *container);
    let has = |place: &str| status.and_then(|status| status.pointer(place)).is_some_and(|state| !state.is_null());
    let tail = async |previous: bool, wanted: bool| -> Result<Vec<String>> {
        if !wanted {
            return Ok(Vec::new());
        }
        let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
        let log = in_time(cluster.log_tail(namespace, name, container, previous, LINES)).await?;
        // A node answers with this in the place of a log that it has removed.
        let removed = log.starts_with("unable to retrieve container logs for ");
        Ok(if removed { Vec::new() } else { redactor.lines(&log) })
    };
    let current = has("/state/running") || has("/state/terminated");
    let previous = has("/lastState/terminated");
    let (current, previous) = tokio::join!(tail(false, current), tail(true, previous));
    // One of them is worth more than the error of the other.
    match (current, previous) {
        (Ok(current), Ok(previous)) => Ok((current, previous)),
        (Ok(lines), Err(_)) if !lines.is_empty() => Ok((lines, Vec::new())),
        (Err(_), Ok(lines)) if !lines.is_empty() => Ok((Vec::new(), lines)),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// The events of the objects and of the pod's claims. The watch has seen those that tell of trouble; all of the first
/// object's are asked for.
async fn events(
    cluster: &Cluster,
    scene: &Scene,
    objects: &[Option<&Value>],
) -> (Vec<ClusterEvent>, Option<crate::error::Error>) {
    let mut events: Vec<Value> = Vec::new();
    let mut failed = None;
    let objects: Vec<&Value> = objects.iter().copied().flatten().collect();
    if let Some(first) = objects.first() {
        let fields = format!("involvedObject.uid={}", text(first, "/metadata/uid"));
        let query = ListQuery { fields: Some(fields), ..ListQuery::default() };
        let namespace = Some(text(first, "/metadata/namespace")).filter(|namespace| !namespace.is_empty());
        failed = in_time(cluster.list(&Resource::events(), namespace, &query, |event| events.push(event))).await.err();
        for volume in list(first, "/spec/volumes") {
            let claim = text(volume, "/persistentVolumeClaim/claimName");
            let about = scene.events_about(namespace.unwrap_or_default(), "PersistentVolumeClaim", claim);
            events.extend(about.into_iter().cloned());
        }
    }
    for object in objects {
        events.extend(scene.events(text(object, "/metadata/uid")).into_iter().cloned());
    }
    events.sort_by_key(|event| text(event, "/metadata/uid").to_owned());
    events.dedup_by(|one, other| text(one, "/metadata/uid") == text(other, "/metadata/uid"));
    events.sort_by_key(crate::rules::events::time);
    (events.iter().map(to_report).collect(), failed)
}

fn clean(mut events: Vec<ClusterEvent>, redactor: &Redactor) -> Vec<ClusterEvent> {
    events.drain(..events.len().saturating_sub(EVENTS));
    for event in &mut events {
        event.message = redactor.line(&event.message);
    }
    events
}

async fn in_time<T>(question: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || crate::error::Error::failed(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, question).await.unwrap_or_else(|_| Err(late()))
}

fn is_ready(pod: &Value) -> bool {
    list(pod, "/status/conditions")
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// The first container that is not ready; init containers are done before others begin.
fn unready_container(pod: &Value) -> Option<String> {
    let statuses = list(pod, "/status/initContainerStatuses").iter().chain(list(pod, "/status/containerStatuses"));
    let mut unready =
        statuses.filter(|status| status["ready"] != true && status["state"]["terminated"]["exitCode"] != 0);
    unready.next().map(|status| text(status, "/name").to_owned())
}

/// `5m`, `90s`.
fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds if seconds > 0 => format!("{seconds} s"),
        _ => format!("{} ms", time.as_millis()),
    }
}
