//! Pods.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::edit::Read,
    words::{age, age_of, or_none},
};
use crate::sandbox::resource::Resource;

pub(super) fn cells(resource: &Resource, pod: &Value, now: Timestamp) -> Option<Vec<Value>> {
    if resource.kind != "Pod" {
        return None;
    }
    let state = State::of(pod);
    let restarts = match (state.restarts, state.last_restart.as_str()) {
        (0, _) | (_, "") => state.restarts.to_string(),
        (restarts, last) => format!("{restarts} ({} ago)", age(last, now)),
    };
    let address = pod.items(&["status", "podIPs"]).first().map_or("", |address| address.text(&["ip"]));
    Some(vec![
        json!(pod.text(&["metadata", "name"])),
        json!(format!("{}/{}", state.ready, state.total)),
        json!(state.reason),
        json!(restarts),
        json!(age_of(pod, &["metadata", "creationTimestamp"], now)),
        json!(or_none(address)),
        json!(or_none(pod.text(&["spec", "nodeName"]))),
        json!(or_none(pod.text(&["status", "nominatedNodeName"]))),
        json!(gates(pod)),
    ])
}

/// A pod that has ended says so of its whole row.
pub(super) fn conditions(resource: &Resource, pod: &Value) -> Vec<Value> {
    let said = match pod.text(&["status", "phase"]) {
        _ if resource.kind != "Pod" || !resource.group.is_empty() => return Vec::new(),
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return Vec::new(),
    };
    let phase = pod.text(&["status", "phase"]);
    vec![json!({"type": "Completed", "status": "True", "reason": phase, "message": said})]
}

fn gates(pod: &Value) -> String {
    let gates = pod.items(&["spec", "readinessGates"]);
    if gates.is_empty() {
        return "<none>".into();
    }
    let open = gates.iter().filter(|gate| has_condition(pod, gate.text(&["conditionType"]))).count();
    format!("{open}/{}", gates.len())
}

/// Whether a condition is the case.
fn has_condition(pod: &Value, wanted: &str) -> bool {
    pod.items(&["status", "conditions"])
        .iter()
        .find(|condition| condition.text(&["type"]) == wanted)
        .is_some_and(|condition| condition.text(&["status"]) == "True")
}

/// What the columns READY, STATUS and RESTARTS sum up.
#[derive(Default)]
struct State {
    total: usize,
    ready: usize,
    reason: String,
    restarts: i64,
    last_restart: String,
}

impl State {
    fn of(pod: &Value) -> Self {
        let phase = pod.text(&["status", "phase"]);
        let mut state = Self { reason: phase.into(), ..Self::default() };
        if !pod.text(&["status", "reason"]).is_empty() {
            state.reason = pod.text(&["status", "reason"]).into();
        }
        let gated = |condition: &&Value| {
            condition.text(&["type"]) == "PodScheduled" && condition.text(&["reason"]) == "SchedulingGated"
        };
        if pod.items(&["status", "conditions"]).iter().any(|condition| gated(&condition)) {
            state.reason = "SchedulingGated".into();
        }
        let sidecars = pod.items(&["spec", "initContainers"]).iter().filter(|it| is_sidecar(it)).count();
        state.total = pod.items(&["spec", "containers"]).len() + sidecars;
        let initializing = state.read_init_containers(pod);
        if !initializing || has_condition(pod, "Initialized") {
            state.read_containers(pod);
        }
        if pod.has(&["metadata", "deletionTimestamp"]) {
            if pod.text(&["status", "reason"]) == "NodeLost" {
                state.reason = "Unknown".into();
            } else if !matches!(phase, "Failed" | "Succeeded") {
                state.reason = "Terminating".into();
            }
        }
        state
    }

    /// Counts the restarts of a container.
    fn count(&mut self, status: &Value) {
        self.restarts += status.number(&["restartCount"]).unwrap_or_default();
        let ended = status.text(&["lastState", "terminated", "finishedAt"]);
        if ended > self.last_restart.as_str() {
            self.last_restart = ended.into();
        }
    }

    /// Whether an init container is still at work.
    fn read_init_containers(&mut self, pod: &Value) -> bool {
        let containers = pod.items(&["spec", "initContainers"]);
        let (mut initializing, mut of_sidecars) = (false, Self::default());
        for (position, status) in pod.items(&["status", "initContainerStatuses"]).iter().enumerate() {
            let container = containers.iter().find(|it| it.text(&["name"]) == status.text(&["name"]));
            let sidecar = container.is_some_and(is_sidecar);
            self.count(status);
            if sidecar {
                of_sidecars.count(status);
            }
            let terminated = status.at(&["state", "terminated"]).filter(|state| !state.is_null());
            let waiting = status.text(&["state", "waiting", "reason"]);
            if terminated.is_some_and(|state| state.number(&["exitCode"]).unwrap_or_default() == 0) {
                continue;
            }
            if sidecar && status.is_true(&["started"]) {
                self.ready += usize::from(status.is_true(&["ready"]));
                continue;
            }
            self.reason = match terminated {
                Some(state) => format!("Init:{}", end(state)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{position}/{}", containers.len()),
            };
            initializing = true;
            break;
        }
        if !initializing || has_condition(pod, "Initialized") {
            (self.restarts, self.last_restart) = (of_sidecars.restarts, of_sidecars.last_restart);
        }
        initializing
    }

    fn read_containers(&mut self, pod: &Value) {
        let mut running = false;
        for status in pod.items(&["status", "containerStatuses"]).iter().rev() {
            self.count(status);
            let waiting = status.text(&["state", "waiting", "reason"]);
            if !waiting.is_empty() {
                self.reason = waiting.into();
            } else if let Some(state) = status.at(&["state", "terminated"]).filter(|state| !state.is_null()) {
                self.reason = end(state);
            } else if status.is_true(&["ready"]) && status.has(&["state", "running"]) {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && running {
            self.reason = if has_condition(pod, "Ready") { "Running" } else { "NotReady" }.into();
        }
    }
}

/// How a container ended: its reason, or else its signal or exit code.
fn end(terminated: &Value) -> String {
    let number = |key: &str| terminated.number(&[key]).unwrap_or_default();
    match (terminated.text(&["reason"]), number("signal")) {
        ("", 0) => format!("ExitCode:{}", number("exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.into(),
    }
}

fn is_sidecar(container: &Value) -> bool {
    container.text(&["restartPolicy"]) == "Always"
}
