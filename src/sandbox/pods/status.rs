//! The status of a simulated pod, as its kubelet writes it.
//!
//! Source: `pkg/kubelet/status/generate.go` and `kubelet_pods.go` of Kubernetes 1.34.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    command, image,
    logs::{LogBook, Script},
    run::back_off,
    scenario,
    state::{ContainerRun, Ended, PodRun, Running, State},
};
use crate::{
    rules::fields::{is_true, list, number, text},
    sandbox::controllers::{
        action::View,
        objects::{self, read_time, time},
        tables::{self, Key},
    },
};

/// The status of a pod as it stands.
pub fn of(view: &View<'_>, pod: &Value, run: &PodRun) -> Value {
    let mut status = pod["status"].clone();
    let phase = phase(pod, run);
    status["phase"] = json!(phase);
    if let Some(generation) = pod["metadata"].get("generation") {
        status["observedGeneration"] = generation.clone();
    }
    let conditions = conditions(view, pod, run, phase);
    status["conditions"] = json!(conditions);
    let node = view.cache.get(&Key::new(tables::NODES, "", text(pod, "/spec/nodeName"))).unwrap_or_default();
    let host = node_address(&node);
    if !host.is_empty() {
        status["hostIP"] = json!(host);
        status["hostIPs"] = json!([{"ip": host}]);
    }
    status["startTime"] = time(run.started);
    if run.mount.is_none() {
        status["podIP"] = json!(run.ip);
        status["podIPs"] = json!([{"ip": run.ip}]);
    }
    let mut steps = Vec::new();
    let mut others = Vec::new();
    for (run_of, (container, step)) in run.containers.iter().zip(scenario::containers(pod)) {
        if step { &mut steps } else { &mut others }.push(container_status(pod, container, run_of));
    }
    others.sort_by_key(|status| text(status, "/name").to_owned());
    for (field, found) in [("initContainerStatuses", steps), ("containerStatuses", others)] {
        if !found.is_empty() {
            status[field] = json!(found);
        }
    }
    status
}

/// The address of a node.
pub fn node_address(node: &Value) -> &str {
    let addresses = list(node, "/status/addresses");
    addresses.iter().find(|address| address["type"] == "InternalIP").map_or("", |found| text(found, "/address"))
}

/// Source: `getPhase`.
fn phase(pod: &Value, run: &PodRun) -> &'static str {
    if objects::is_deleted(pod) {
        let before = text(pod, "/status/phase");
        if let Some(kept) = ["Pending", "Succeeded", "Failed"].into_iter().find(|phase| *phase == before) {
            return kept;
        }
    }
    let policy = text(pod, "/spec/restartPolicy");
    let steps = || run.containers.iter().filter(|container| container.step);
    let broken = |container: &ContainerRun| {
        policy == "Never" && !container.sidecar && matches!(&container.state, State::Ended(ended) if ended.code != 0)
    };
    if steps().any(broken) {
        return "Failed";
    }
    if steps().any(|container| !container.is_done()) {
        return "Pending";
    }
    let (mut waiting, mut running, mut well, mut badly) = (0, 0, 0, 0);
    for container in run.containers.iter().filter(|container| !container.step) {
        match &container.state {
            State::Running(_) => running += 1,
            State::Ended(ended) if ended.code == 0 => well += 1,
            State::Ended(_) => badly += 1,
            _ if container.last.is_some() => badly += 1,
            _ => waiting += 1,
        }
    }
    match (waiting, running, badly, policy) {
        (1.., ..) => "Pending",
        (_, 1.., ..) | (.., "Always") => "Running",
        (_, _, 0, _) if well > 0 => "Succeeded",
        (.., "Never") => "Failed",
        _ => "Running",
    }
}

fn conditions(view: &View<'_>, pod: &Value, run: &PodRun, phase: &str) -> Vec<Value> {
    let names =
        |found: Vec<&ContainerRun>| found.iter().map(|container| container.name.as_str()).collect::<Vec<_>>().join(" ");
    let unready: Vec<&ContainerRun> = run
        .containers
        .iter()
        .filter(|container| (!container.step || container.sidecar) && !is_ready(container))
        .collect();
    let undone: Vec<&ContainerRun> =
        run.containers.iter().filter(|container| container.step && !container.is_done()).collect();
    let ended = match phase {
        "Succeeded" => Some("PodCompleted"),
        "Failed" => Some("PodFailed"),
        _ => None,
    };
    let ready = match ended {
        Some(reason) => ("False", reason, String::new()),
        None if unready.is_empty() => ("True", "", String::new()),
        None => {
            let message = format!("containers with unready status: [{}]", names(unready));
            ("False", "ContainersNotReady", message)
        }
    };
    let initialized = if phase == "Succeeded" {
        ("True", "PodCompleted", String::new())
    } else if undone.is_empty() {
        ("True", "", String::new())
    } else {
        let message = format!("containers with incomplete status: [{}]", names(undone));
        ("False", "ContainersNotInitialized", message)
    };
    let has_sandbox = ended.is_none() && run.mount.is_none();
    let sandbox = (if has_sandbox { "True" } else { "False" }, "", String::new());
    [
        ("PodReadyToStartContainers", sandbox),
        ("Initialized", initialized),
        ("Ready", ready.clone()),
        ("ContainersReady", ready),
        ("PodScheduled", ("True", "", String::new())),
    ]
    .into_iter()
    .map(|(kind, (status, reason, message))| condition(view, pod, kind, status, reason, message))
    .collect()
}

fn condition(view: &View<'_>, pod: &Value, kind: &str, status: &str, reason: &str, message: String) -> Value {
    let before = list(pod, "/status/conditions").iter().find(|found| found["type"] == kind);
    let kept = before.filter(|found| found["status"] == status).map(|found| found["lastTransitionTime"].clone());
    let mut condition = json!({"lastProbeTime": null, "lastTransitionTime": kept.unwrap_or_else(|| time(view.now))});
    if !message.is_empty() {
        condition["message"] = json!(message);
    }
    if let Some(generation) = pod["metadata"].get("generation") {
        condition["observedGeneration"] = generation.clone();
    }
    if !reason.is_empty() {
        condition["reason"] = json!(reason);
    }
    condition["status"] = json!(status);
    condition["type"] = json!(kind);
    condition
}

fn is_ready(container: &ContainerRun) -> bool {
    container.running().is_some_and(|running| running.ready)
}

/// What stands for a container's process.
pub fn container_id(uid: &str, name: &str, restarts: u32) -> String {
    format!("sandbox://{}", hex(format!("{uid}/{name}/{restarts}").as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn container_status(pod: &Value, container: &Value, run: &ContainerRun) -> Value {
    let name = text(container, "/name");
    let image = text(container, "/image");
    let id = container_id(objects::uid(pod), name, run.restarts);
    let running = matches!(run.state, State::Running(_));
    let begun = running || matches!(run.state, State::Ended(_)) || run.last.is_some();
    let requests = container.pointer("/resources/requests");
    let mut status = json!({});
    if let Some(requests) = requests.filter(|_| begun) {
        status["allocatedResources"] = requests.clone();
    }
    if begun {
        let last = run.last.as_ref().map_or(&id, |last| &last.id);
        status["containerID"] = json!(if running || matches!(run.state, State::Ended(_)) { &id } else { last });
        let full = image::full(image).unwrap_or_default();
        let base = full.split('@').next().unwrap_or_default();
        let base = base.rfind(':').filter(|at| !base[*at..].contains('/')).map_or(base, |at| &base[..at]);
        status["imageID"] = json!(format!("{base}@sha256:{}", hex(full.as_bytes())));
        status["image"] = json!(full);
    } else {
        status["image"] = json!(image);
        status["imageID"] = json!("");
    }
    status["lastState"] = run.last.as_ref().map_or_else(|| json!({}), |last| json!({"terminated": terminated(last)}));
    status["name"] = json!(name);
    status["ready"] = json!(if run.step && !run.sidecar { run.is_done() } else { is_ready(run) });
    if begun {
        status["resources"] = container.get("resources").cloned().unwrap_or_else(|| json!({}));
    }
    status["restartCount"] = json!(run.restarts);
    status["started"] = json!(run.running().is_some_and(|running| running.started));
    status["state"] = state(pod, run);
    let mounts: Vec<Value> = list(container, "/volumeMounts").iter().map(mount).collect();
    if !mounts.is_empty() {
        status["volumeMounts"] = json!(mounts);
    }
    status
}

fn mount(mount: &Value) -> Value {
    let mut found = json!({"mountPath": mount["mountPath"], "name": mount["name"]});
    if is_true(mount, "/readOnly") {
        found["readOnly"] = json!(true);
        found["recursiveReadOnly"] = json!("Disabled");
    }
    found
}

fn terminated(ended: &Ended) -> Value {
    let mut found = json!({"containerID": ended.id, "exitCode": ended.code, "finishedAt": time(ended.finished)});
    if !ended.message.is_empty() {
        found["message"] = json!(ended.message);
    }
    found["reason"] = json!(ended.reason);
    found["startedAt"] = time(ended.started);
    found
}

fn state(pod: &Value, run: &ContainerRun) -> Value {
    let waiting = |reason: &str, message: &str| {
        let mut found = json!({"reason": reason});
        if !message.is_empty() {
            found["message"] = json!(message);
        }
        json!({"waiting": found})
    };
    match &run.state {
        State::Running(running) => json!({"running": {"startedAt": time(running.since)}}),
        State::Ended(ended) => json!({"terminated": terminated(ended)}),
        State::Unpulled { reason, message, .. } | State::Pulling { before: Some((reason, message)), .. } => {
            waiting(reason, message)
        }
        State::Misconfigured { message, .. } => waiting("CreateContainerConfigError", message),
        State::BackOff { seconds, .. } => {
            let pod = format!("{}_{}({})", objects::name(pod), objects::namespace(pod), objects::uid(pod));
            let wait =
                if *seconds >= 60 { format!("{}m{}s", seconds / 60, seconds % 60) } else { format!("{seconds}s") };
            let message = format!("back-off {wait} restarting failed container={} pod={pod}", run.name);
            waiting("CrashLoopBackOff", &message)
        }
        State::Waiting | State::Pulling { .. } => {
            let has_steps = !list(pod, "/spec/initContainers").is_empty();
            waiting(if has_steps { "PodInitializing" } else { "ContainerCreating" }, "")
        }
    }
}

/// Puts a container into the state that the pod's status tells of.
pub fn restore(run: &mut ContainerRun, pod: &Value, container: &Value, logs: &LogBook) {
    let name = text(container, "/name");
    let field = if run.step { "/status/initContainerStatuses" } else { "/status/containerStatuses" };
    let Some(status) = list(pod, field).iter().find(|status| status["name"] == name) else { return };
    run.restarts = u32::try_from(number(status, "/restartCount").unwrap_or(0)).unwrap_or(0);
    run.crashes = run.restarts;
    run.last = status.pointer("/lastState/terminated").and_then(ended);
    let told = run.behaviour.logs.clone();
    let lines =
        if told.is_empty() { command::course(container, &HashMap::new()).map(|found| found.lines) } else { None };
    let script = Arc::new(Script { lines: lines.unwrap_or(told) });
    if let Some(since) = read_time(status, "/state/running/startedAt") {
        logs.begin(objects::uid(pod), name, since, &script);
        run.state = State::Running(Running {
            since,
            variables: HashMap::new(),
            started: is_true(status, "/started"),
            ready: is_true(status, "/ready"),
            unhealthy: true,
            checked: true,
        });
    } else if let Some(ended) = status.pointer("/state/terminated").and_then(ended) {
        run.state = State::Ended(ended);
    } else if text(status, "/state/waiting/reason") == "CrashLoopBackOff"
        && let Some(last) = &run.last
    {
        let seconds = back_off(run.crashes);
        run.state = State::BackOff { until: objects::after(last.finished, seconds), seconds };
    }
}

fn ended(found: &Value) -> Option<Ended> {
    Some(Ended {
        started: read_time(found, "/startedAt")?,
        finished: read_time(found, "/finishedAt")?,
        code: i32::try_from(number(found, "/exitCode").unwrap_or(0)).unwrap_or(1),
        reason: text(found, "/reason").to_owned(),
        message: text(found, "/message").to_owned(),
        id: text(found, "/containerID").to_owned(),
    })
}
