//! The containers of a pod whose logs can be read.

use serde_json::Value;

use crate::{
    model::ContainerKind,
    rules::fields::{list, number, text},
};

/// What a container does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// It has not started, and waits; whether it had an instance before.
    Waiting,
    Running,
    /// It ended with this code, and the pod may start it again.
    Ended(i64),
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub name: String,
    pub kind: ContainerKind,
    pub run: Run,
    /// How often it was started again: the number of its present instance.
    pub restarts: u32,
    /// Whether an instance before the present one has left a log.
    pub has_previous: bool,
    /// Why it waits, as the kubelet says.
    pub reason: String,
    /// Whether it will run no more.
    pub is_over: bool,
}

impl Container {
    /// Whether there is a log of the present instance, or, while it waits to be started again, of the last.
    pub fn has_log(&self) -> bool {
        self.run != Run::Waiting || self.has_previous
    }
}

/// The containers of a pod, in the order in which they start.
pub fn containers(pod: &Value) -> Vec<Container> {
    let phase = text(pod, "/status/phase");
    let ended = matches!(phase, "Succeeded" | "Failed");
    let kinds = [
        (ContainerKind::Init, "/spec/initContainers", "/status/initContainerStatuses"),
        (ContainerKind::Container, "/spec/containers", "/status/containerStatuses"),
        (ContainerKind::Ephemeral, "/spec/ephemeralContainers", "/status/ephemeralContainerStatuses"),
    ];
    let of = |(kind, specs, statuses): (ContainerKind, &'static str, &'static str)| {
        list(pod, specs).iter().map(move |spec| {
            let name = text(spec, "/name");
            let status = list(pod, statuses).iter().find(|status| text(status, "/name") == name);
            read(kind, name, spec, status.unwrap_or(&Value::Null), ended)
        })
    };
    kinds.into_iter().flat_map(of).collect()
}

fn read(kind: ContainerKind, name: &str, spec: &Value, status: &Value, pod_ended: bool) -> Container {
    let is = |place: &str| status.pointer(place).is_some_and(Value::is_object);
    let code = number(status, "/state/terminated/exitCode");
    let run = match code {
        Some(code) => Run::Ended(code),
        None if is("/state/running") => Run::Running,
        None => Run::Waiting,
    };
    // An init container that goes well, unless it is a sidecar, and a debugging container are not started again.
    let once = match kind {
        ContainerKind::Init => text(spec, "/restartPolicy") != "Always" && code == Some(0),
        ContainerKind::Ephemeral => true,
        ContainerKind::Container => false,
    };
    Container {
        name: name.to_owned(),
        kind,
        run,
        restarts: number(status, "/restartCount").and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        has_previous: is("/lastState/terminated"),
        reason: text(status, "/state/waiting/reason").to_owned(),
        is_over: pod_ended || (once && matches!(run, Run::Ended(_))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn init_and_debugging_containers_are_containers_too() {
        let pod = yaml(
            "{spec: {initContainers: [{name: migrate}], containers: [{name: api}, {name: new}], ephemeralContainers: [{name: debug}]},
              status: {phase: Running, initContainerStatuses: [{name: migrate, state: {terminated: {exitCode: 0}}}],
              containerStatuses: [{name: api, restartCount: 2, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}}],
              ephemeralContainerStatuses: [{name: debug, state: {running: {}}}]}}",
        );
        let found = containers(&pod);
        let seen: Vec<_> =
            found.iter().map(|one| (one.name.as_str(), one.kind, one.run, one.has_log(), one.is_over)).collect();
        use ContainerKind::{Container, Ephemeral, Init};
        assert_eq!(
            seen,
            [
                ("migrate", Init, Run::Ended(0), true, true),
                ("api", Container, Run::Waiting, true, false),
                ("new", Container, Run::Waiting, false, false),
                ("debug", Ephemeral, Run::Running, true, false),
            ]
        );
        assert_eq!((found[1].restarts, found[1].reason.as_str()), (2, "CrashLoopBackOff"));
    }
}
