//! One container: what its status says.

use serde_json::Value;

use super::{
    exit::exit_in_words,
    image, probe,
    state::{Allowance, Instance, Stage, State, Trouble},
};
use crate::rules::{
    events::newest,
    fields::{count, is_true, text},
};

/// What a container is to its pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Has to end well before the next one starts.
    Init,
    /// Runs as long as the pod does (a main container, or an init container that is always restarted).
    Main,
    /// May end well: a main container of a pod that is not always restarted.
    Task,
}

/// Reads one container from its spec, its status and the pod's events.
pub(super) fn read(role: Role, container: &Value, status: &Value, events: &[&Value]) -> State {
    let name = text(container, "/name");
    if let Some(waiting) = status.pointer("/state/waiting").filter(|state| !state.is_null()) {
        return read_waiting(container, status, waiting, events);
    }
    if let Some(ended) = status.pointer("/state/terminated").filter(|state| !state.is_null()) {
        return match (role, ended["exitCode"] == 0) {
            (Role::Init | Role::Task, true) => State::Done,
            _ => crash(container, status, ended, events),
        };
    }
    if status.pointer("/state/running").is_none_or(Value::is_null) {
        return State::Underway(format!("{name} has not started"));
    }
    if role == Role::Init {
        return State::Underway(format!("the init container {name} runs"));
    }
    if container.get("startupProbe").is_some_and(|probe| !probe.is_null()) && !is_true(status, "/started") {
        return probe::not_started(container, events);
    }
    // A sidecar's readiness counts like that of a main container.
    if !is_true(status, "/ready") {
        return probe::not_ready(container, events);
    }
    State::Ready(vec![Instance {
        container: name.into(),
        restarts: restarts(status),
        probed: container.get("readinessProbe").is_some_and(|probe| !probe.is_null()),
    }])
}

/// How often a container has ended in its life.
pub(super) fn crashes(status: &Value) -> u32 {
    let present = |pointer: &str| status.pointer(pointer).is_some_and(|state| !state.is_null());
    let down = present("/state/terminated") || (present("/state/waiting") && present("/lastState/terminated"));
    restarts(status).saturating_add(u32::from(down))
}

fn restarts(status: &Value) -> u32 {
    u32::try_from(count(status, "/restartCount")).unwrap_or(0)
}

fn read_waiting(container: &Value, status: &Value, waiting: &Value, events: &[&Value]) -> State {
    let name = text(container, "/name");
    if let Some(trouble) = image::trouble(name, text(container, "/image"), waiting, events) {
        return trouble;
    }
    let reason = text(waiting, "/reason");
    let trouble = |stage, message: String, allowance| {
        State::Trouble(Trouble { stage, container: Some(name.into()), reason: reason.into(), message, allowance })
    };
    match reason {
        "CrashLoopBackOff" | "RunContainerError" | "StartError" | "PostStartHookError" | "Error" => {
            let last = status.pointer("/lastState/terminated").unwrap_or(&Value::Null);
            crash(container, status, last, events)
        }
        "CreateContainerConfigError" | "CreateContainerError" | "PreCreateHookError" | "PreStartHookError" => {
            let message = format!("{name} cannot be created: {}", text(waiting, "/message"));
            trouble(Stage::Configuration, message, Allowance::Grace(1))
        }
        "" => State::Underway(format!("{name} has not started")),
        reason => State::Underway(reason.to_owned()),
    }
}

/// A container that ended and should run, from the state in which it ended.
fn crash(container: &Value, status: &Value, ended: &Value, events: &[&Value]) -> State {
    let name = text(container, "/name");
    let reason = text(ended, "/reason");
    let code = count(ended, "/exitCode");
    let limit = Some(text(container, "/resources/limits/memory")).filter(|limit| !limit.is_empty());
    let hook_failed = || {
        newest(events, |event| text(event, "/reason") == "FailedPostStartHook")
            .map(|_| "restarted because its postStart hook fails".to_owned())
    };
    let by_kubelet = || probe::restarted_by(name, events).or_else(hook_failed);
    let (reason, how) = match reason {
        "OOMKilled" => (reason, exit_in_words(code, reason, limit)),
        "StartError" | "ContainerCannotRun" => {
            (reason, format!("cannot start: {}", start_error(text(ended, "/message"))))
        }
        "" => match text(status, "/state/waiting/message") {
            "" => (text(status, "/state/waiting/reason"), "does not start".into()),
            message => (text(status, "/state/waiting/reason"), start_error(message).to_owned()),
        },
        // A process that a probe ended may still have chosen its own exit code.
        _ => match by_kubelet() {
            Some(how) => ("Unhealthy", how),
            None => ("CrashLoopBackOff", exit_in_words(code, reason, limit)),
        },
    };
    let crashes = crashes(status);
    let times = if crashes > 1 { format!(" ({crashes} times)") } else { String::new() };
    State::Trouble(Trouble {
        stage: Stage::Crash,
        container: Some(name.into()),
        reason: reason.into(),
        message: format!("{name} does not keep running{times}: {how}"),
        allowance: Allowance::Crashes(crashes),
    })
}

/// What the runtime said of the command, without the way the words took.
fn start_error(message: &str) -> &str {
    let inner = message.rsplit_once("unable to start container process: ").map_or(message, |(_, inner)| inner);
    inner.strip_suffix(": unknown").unwrap_or(inner).trim()
}
