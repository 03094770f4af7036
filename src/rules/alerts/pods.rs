//! What a pod tells the rules.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    model::ObjectRef,
    rules::{
        fields::{condition, count, list, number, text},
        pods::{State, examine, exit_in_words},
    },
};

/// A pod of a workload.
#[derive(Debug, Clone)]
pub struct PodFact {
    pub workload: ObjectRef,
    pub pod: String,
    pub uid: String,
    /// Since when it is not ready though it should be, and why.
    pub unready: Option<(Timestamp, String)>,
    pub containers: Vec<ContainerFact>,
}

/// A container of a pod.
#[derive(Debug, Clone)]
pub struct ContainerFact {
    pub name: String,
    /// How often it has restarted in the pod's life.
    pub restarts: u64,
    /// When and how it ended last.
    pub last_end: Option<(Timestamp, String)>,
}

/// What a pod of a workload tells. A pod that is done or is being deleted is not expected to be ready.
pub fn pod_fact(pod: &Value, workload: &ObjectRef) -> PodFact {
    PodFact {
        workload: workload.clone(),
        pod: text(pod, "/metadata/name").into(),
        uid: text(pod, "/metadata/uid").into(),
        unready: unready(pod),
        containers: ["/status/initContainerStatuses", "/status/containerStatuses"]
            .into_iter()
            .flat_map(|statuses| list(pod, statuses))
            .map(container)
            .collect(),
    }
}

fn unready(pod: &Value) -> Option<(Timestamp, String)> {
    if !text(pod, "/metadata/deletionTimestamp").is_empty() {
        return None;
    }
    let why = match examine(pod, &[]) {
        State::Done | State::Ready(_) => return None,
        State::Underway(words) => words,
        State::Trouble(trouble) => trouble.message,
    };
    let ready = condition(pod, "Ready");
    if ready.is_some_and(|ready| ready.is_true()) {
        return None;
    }
    let conditions = list(pod, "/status/conditions").iter();
    let ready =
        conditions.filter(|condition| condition["type"] == "Ready").map(|ready| text(ready, "/lastTransitionTime"));
    let since = ready.chain([text(pod, "/metadata/creationTimestamp")]).find_map(|time| time.parse().ok())?;
    Some((since, why))
}

fn container(status: &Value) -> ContainerFact {
    let end = [status.pointer("/lastState/terminated"), status.pointer("/state/terminated")];
    let ends = end.into_iter().flatten().filter_map(|end| {
        let time: Timestamp = text(end, "/finishedAt").parse().ok()?;
        Some((time, exit_in_words(count(end, "/exitCode"), text(end, "/reason"), None)))
    });
    ContainerFact {
        name: text(status, "/name").into(),
        restarts: number(status, "/restartCount").and_then(|restarts| restarts.try_into().ok()).unwrap_or(0),
        last_end: ends.max_by_key(|(time, _)| *time),
    }
}
