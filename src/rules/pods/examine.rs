//! A pod as a whole.

use serde_json::Value;

use super::{
    container::{self, Role},
    schedule,
    state::{Allowance, Stage, State, Trouble},
    volume,
};
use crate::rules::fields::{Condition, condition, list, text};

/// Reads what a pod shows now, with the events about it. What came before is for [`super::Memory`].
pub fn examine(pod: &Value, events: &[&Value]) -> State {
    match text(pod, "/status/phase") {
        "Succeeded" => return State::Done,
        "Failed" => return failed(pod, events),
        _ => {}
    }
    if let Some(state) = schedule::read(pod, events) {
        return state;
    }
    let states = containers(pod, events);
    let creating =
        !states.iter().any(|(_, state)| matches!(state, State::Ready(_))) && states.iter().any(|(waits, _)| *waits);
    let worst = states.into_iter().map(|(_, state)| state).reduce(worse).unwrap_or(State::Underway("starting".into()));
    match worst {
        State::Underway(words) if creating => volume::read(events).unwrap_or(State::Underway(words)),
        State::Ready(instances) => gates(pod).unwrap_or(State::Ready(instances)),
        state => state,
    }
}

/// The state of each container, and whether it is still to be created.
fn containers(pod: &Value, events: &[&Value]) -> Vec<(bool, State)> {
    let task = text(pod, "/spec/restartPolicy") != "Always" && !text(pod, "/spec/restartPolicy").is_empty();
    let kinds =
        [("/spec/initContainers", "/status/initContainerStatuses"), ("/spec/containers", "/status/containerStatuses")];
    let mut states = Vec::new();
    for (specs, statuses) in kinds {
        for spec in list(pod, specs) {
            let role = match specs {
                "/spec/initContainers" if text(spec, "/restartPolicy") == "Always" => Role::Main,
                "/spec/initContainers" => Role::Init,
                _ if task => Role::Task,
                _ => Role::Main,
            };
            let status = list(pod, statuses).iter().find(|status| status["name"] == spec["name"]);
            let status = status.unwrap_or(&Value::Null);
            let waits = text(status, "/state/waiting/reason");
            let to_create = status.is_null() || waits == "ContainerCreating" || waits == "PodInitializing";
            states.push((to_create, container::read(role, spec, status, events)));
        }
    }
    states
}

/// The state that says more of why a pod does not run: a trouble of the earliest stage, then what is under way,
/// then what is ready.
fn worse(one: State, other: State) -> State {
    match (one, other) {
        (State::Trouble(one), State::Trouble(other)) => {
            State::Trouble(if other.stage < one.stage { other } else { one })
        }
        (State::Trouble(trouble), _) | (_, State::Trouble(trouble)) => State::Trouble(trouble),
        // The first container that is under way is the one that the others wait for.
        (State::Underway(words), _) | (_, State::Underway(words)) => State::Underway(words),
        (State::Ready(mut instances), State::Ready(more)) => {
            instances.extend(more);
            State::Ready(instances)
        }
        (State::Ready(instances), State::Done) | (State::Done, State::Ready(instances)) => State::Ready(instances),
        (State::Done, State::Done) => State::Done,
    }
}

/// A pod that has failed as a whole: evicted, refused by its node, or one whose task ended badly.
fn failed(pod: &Value, events: &[&Value]) -> State {
    let own = text(pod, "/status/reason");
    let crashed = containers(pod, events).into_iter().find_map(|(_, state)| match state {
        State::Trouble(trouble) if trouble.stage == Stage::Crash => Some(trouble),
        _ => None,
    });
    if let Some(mut trouble) = crashed.filter(|_| own.is_empty()) {
        trouble.reason = if trouble.reason == "CrashLoopBackOff" { "Error".into() } else { trouble.reason };
        return State::Trouble(trouble);
    }
    let reason = if own.is_empty() { "PodFailed" } else { own };
    let words = text(pod, "/status/message").trim();
    let message = match (reason, words) {
        ("Evicted", words) => format!("its node evicted it: {words}"),
        (reason, "") => format!("it failed: {reason}"),
        (_, words) => format!("it failed: {words}"),
    };
    State::Trouble(Trouble {
        stage: Stage::Crash,
        container: None,
        reason: reason.into(),
        message,
        allowance: Allowance::Grace(1),
    })
}

/// All containers are ready, and something outside the pod has to agree.
fn gates(pod: &Value) -> Option<State> {
    if condition(pod, "Ready").as_ref().is_some_and(Condition::is_true) {
        return None;
    }
    let open = list(pod, "/spec/readinessGates")
        .iter()
        .map(|gate| text(gate, "/conditionType"))
        .find(|gate| !condition(pod, gate).as_ref().is_some_and(Condition::is_true));
    Some(State::Underway(match open {
        Some(gate) => format!("waits for the readiness gate {gate}"),
        None => "about to be ready".into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::{super::state::Instance, *};
    use crate::rules::fields::yaml;

    /// A scheduled pod with one container; `status` is that of its container.
    fn pod(spec: &str, status: &str) -> Value {
        yaml(&format!(
            "spec: {{nodeName: node1, restartPolicy: Always, containers: [{{name: main, image: 'busybox:1.36'{spec}}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: 'False'}}], containerStatuses: [{{name: main, {status}}}]}}\n"
        ))
    }

    fn trouble(pod: &Value) -> Trouble {
        match examine(pod, &[]) {
            State::Trouble(trouble) => trouble,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_missing_key_is_named() {
        let of = |message: &str| {
            let mut pod = pod(
                "",
                "ready: false, restartCount: 0, lastState: {}, state: {waiting: {reason: CreateContainerConfigError}}",
            );
            pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"] = message.into();
            trouble(&pod)
        };
        let key = of("couldn't find key nokey in Secret wait-states/here");
        assert_eq!(key.message, "main cannot be created: couldn't find key nokey in Secret wait-states/here");
        assert_eq!((key.stage, key.allowance), (Stage::Configuration, Allowance::Grace(1)));
        assert!(of("configmap \"absent\" not found").message.ends_with("configmap \"absent\" not found"));
        assert!(of("container has runAsNonRoot and image will run as root").message.contains("runAsNonRoot"));
    }

    #[test]
    fn a_crash_loop_says_how_it_ends() {
        let back_off = "restartCount: 1, state: {waiting: {reason: CrashLoopBackOff, message: back-off 10s}}, lastState: {terminated: {exitCode: 127, reason: Error}}";
        let read = trouble(&pod("", back_off));
        assert_eq!(read.message, "main does not keep running (2 times): exit code 127: command not found");
        assert_eq!((read.reason.as_str(), read.allowance), ("CrashLoopBackOff", Allowance::Crashes(2)));
        let first =
            trouble(&pod("", "restartCount: 0, state: {terminated: {exitCode: 1, reason: Error}}, lastState: {}"));
        assert_eq!(first.allowance, Allowance::Crashes(1));
        let completed =
            trouble(&pod("", "restartCount: 0, state: {terminated: {exitCode: 0, reason: Completed}}, lastState: {}"));
        assert!(completed.message.ends_with("it ended, though it should keep running"), "{}", completed.message);
    }

    #[test]
    fn memory_is_told_with_its_limit() {
        let read = trouble(&pod(
            ", resources: {limits: {memory: 16Mi}}",
            "restartCount: 2, state: {terminated: {exitCode: 137, reason: OOMKilled}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}",
        ));
        assert_eq!(read.reason, "OOMKilled");
        assert!(read.message.ends_with("above its limit of 16Mi"), "{}", read.message);
    }

    #[test]
    fn a_command_that_cannot_start_is_named() {
        let mut pod = pod(
            "",
            "restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 128, reason: StartError}}",
        );
        pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["message"] =
            "failed to create containerd task: OCI runtime create failed: unable to start container process: exec: \"/nosuch\": stat /nosuch: no such file or directory: unknown".into();
        let read = trouble(&pod);
        assert_eq!(read.reason, "StartError");
        assert!(
            read.message.ends_with("cannot start: exec: \"/nosuch\": stat /nosuch: no such file or directory"),
            "{}",
            read.message
        );
    }

    #[test]
    fn init_containers_and_sidecars_count() {
        let of = |init: &str, status: &str| {
            yaml(&format!(
                "spec: {{nodeName: node1, restartPolicy: Always, initContainers: [{{name: first{init}}}], containers: [{{name: main}}]}}\nstatus: {{phase: Pending, initContainerStatuses: [{{name: first, {status}}}], containerStatuses: [{{name: main, restartCount: 0, state: {{waiting: {{reason: PodInitializing}}}}}}]}}\n"
            ))
        };
        let crash = "restartCount: 1, state: {terminated: {exitCode: 3, reason: Error}}";
        assert_eq!(trouble(&of("", crash)).container.as_deref(), Some("first"));
        assert_eq!(trouble(&of(", restartPolicy: Always", crash)).container.as_deref(), Some("first"));
        assert_eq!(
            examine(&of("", "restartCount: 0, state: {running: {}}"), &[]),
            State::Underway("the init container first runs".into())
        );
        let done = examine(&of("", "restartCount: 0, state: {terminated: {exitCode: 0, reason: Completed}}"), &[]);
        assert_eq!(done, State::Underway("PodInitializing".into()));
    }

    #[test]
    fn what_is_ready_names_its_instances() {
        let mut ready =
            pod(", readinessProbe: {exec: {}}", "ready: true, started: true, restartCount: 2, state: {running: {}}");
        ready["status"]["conditions"][0]["status"] = "True".into();
        let instance = Instance { container: "main".into(), restarts: 2, probed: true };
        assert_eq!(examine(&ready, &[]), State::Ready(vec![instance]));
        ready["status"]["conditions"][0]["status"] = "False".into();
        ready["spec"]["readinessGates"] = serde_json::json!([{"conditionType": "target-health"}]);
        assert_eq!(examine(&ready, &[]), State::Underway("waits for the readiness gate target-health".into()));
    }

    #[test]
    fn a_failed_pod_tells_its_own_reason_or_its_containers() {
        let mut evicted = pod("", "restartCount: 0, state: {terminated: {exitCode: 137, reason: Error}}");
        evicted["status"]["phase"] = "Failed".into();
        let ended = trouble(&evicted);
        assert_eq!((ended.reason.as_str(), ended.container.as_deref()), ("Error", Some("main")));
        evicted["status"]["reason"] = "Evicted".into();
        evicted["status"]["message"] = "Usage of EmptyDir volume \"e\" exceeds the limit \"1Mi\". ".into();
        let evicted = trouble(&evicted);
        assert_eq!((evicted.reason.as_str(), evicted.container), ("Evicted", None));
        assert_eq!(evicted.message, "its node evicted it: Usage of EmptyDir volume \"e\" exceeds the limit \"1Mi\".");
    }

    #[test]
    fn a_pod_that_creates_its_containers_is_held_by_its_volumes() {
        let creating = pod("", "restartCount: 0, state: {waiting: {reason: ContainerCreating}}");
        assert_eq!(examine(&creating, &[]), State::Underway("ContainerCreating".into()));
        let event = yaml(
            "{reason: FailedMount, message: 'MountVolume.SetUp failed for volume \"v\" : secret \"s\" not found', lastTimestamp: 2026-11-21T10:00:00Z}",
        );
        assert!(matches!(examine(&creating, &[&event]), State::Trouble(trouble) if trouble.stage == Stage::Volume));
        let running = pod("", "ready: false, started: true, restartCount: 0, state: {running: {}}");
        assert!(matches!(examine(&running, &[&event]), State::Underway(_)));
    }
}
