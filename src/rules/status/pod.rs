//! One pod: what is kept of it, and how it does.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    read,
    scene::{Owner, words},
};
use crate::{
    model::{Amount, ContainerRole, ContainerStatus, EndStatus, PodStatus, Usage, Verdict},
    rules::{
        pods::{Allowance, State, Trouble, examine, exit_in_words},
        usage::{bytes, cores, total},
    },
};

/// Seconds for which an error may last before it counts, as a deploy has it by default.
const GRACE: i64 = 10;
/// Seconds for which a restart is worth a word though the pod is ready again.
const RECENT: i64 = 3600;
/// Seconds beyond its grace period for which a pod may be leaving.
const LEAVING: i64 = 60;

/// What is kept of a pod.
#[derive(Debug, Clone)]
pub struct KeptPod {
    pub uid: String,
    pub owner: Option<Owner>,
    /// The labels by which StatefulSets and DaemonSets tell their revisions apart.
    pub revision: String,
    pub generation: String,
    /// The claims that it mounts.
    pub claims: Vec<String>,
    /// The address of its node.
    pub host: String,
    leaves: String,
    facts: PodStatus,
    state: State,
    /// The pod itself, where it is not well: events may say more.
    whole: Option<Box<str>>,
}

/// Keeps what a status needs of a pod, from its JSON. `details` says whether there is room to keep a pod whole that is
/// not well.
///
/// # Errors
/// The JSON is not that of a pod.
pub fn keep(json: &str, details: bool) -> Result<KeptPod, serde_json::Error> {
    match serde_json::from_str(json) {
        Ok(pod) => Ok(kept(&pod, json, details)),
        // A field that is null is as good as absent, which the fast way does not know.
        Err(_) => {
            let mut value: Value = serde_json::from_str(json)?;
            drop_nulls(&mut value);
            Ok(kept(&read::Pod::deserialize(&value)?, json, details))
        }
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn kept(pod: &read::Pod<'_>, json: &str, details: bool) -> KeptPod {
    let state = if is_plainly_ready(pod) { State::Ready(Vec::new()) } else { examined(json, &[]) };
    let is_well = matches!(state, State::Ready(_) | State::Done);
    let owner = pod.metadata.owner_references.iter().find(|owner| owner.controller);
    let claims =
        pod.spec.volumes.iter().filter_map(|volume| match volume.persistent_volume_claim.claim_name.as_ref() {
            "" => volume.ephemeral.is_some().then(|| format!("{}-{}", pod.metadata.name, volume.name)),
            name => Some(name.to_owned()),
        });
    KeptPod {
        uid: pod.metadata.uid.to_string(),
        owner: owner.map(|owner| Owner {
            api_version: owner.api_version.to_string(),
            kind: owner.kind.to_string(),
            name: owner.name.to_string(),
            uid: owner.uid.to_string(),
        }),
        revision: pod.metadata.labels.revision.to_string(),
        generation: pod.metadata.labels.generation.to_string(),
        claims: claims.collect(),
        host: pod.status.host_ip.to_string(),
        leaves: pod.metadata.deletion_timestamp.to_string(),
        facts: facts(pod),
        whole: (details && !is_well).then(|| json.into()),
        state,
    }
}

/// What most pods are, seen without building the object that the full examination reads.
fn is_plainly_ready(pod: &read::Pod<'_>) -> bool {
    let status = &pod.status;
    status.phase == "Running"
        && status.container_statuses.len() == pod.spec.containers.len()
        && status.container_statuses.iter().all(|container| container.ready)
        && status.conditions.iter().any(|condition| condition.kind == "Ready" && condition.status == "True")
}

fn examined(json: &str, events: &[&Value]) -> State {
    match serde_json::from_str::<Value>(json) {
        Ok(pod) => examine(&pod, events),
        Err(error) => State::Underway(format!("cannot be read: {error}")),
    }
}

fn facts(pod: &read::Pod<'_>) -> PodStatus {
    let status = &pod.status;
    let mut containers = Vec::with_capacity(pod.spec.containers.len());
    for spec in &pod.spec.init_containers {
        let role = if spec.restart_policy == "Always" { ContainerRole::Sidecar } else { ContainerRole::Init };
        containers.push(container(role, spec, &status.init_container_statuses));
    }
    for spec in &pod.spec.containers {
        containers.push(container(ContainerRole::Main, spec, &status.container_statuses));
    }
    let counted = || containers.iter().filter(|container| container.role != ContainerRole::Init);
    PodStatus {
        name: pod.metadata.name.to_string(),
        namespace: pod.metadata.namespace.to_string(),
        node: pod.spec.node_name.to_string(),
        created: pod.metadata.creation_timestamp.to_string(),
        over: matches!(status.phase.as_ref(), "Succeeded" | "Failed"),
        restarts: containers.iter().map(|container| container.restarts).sum(),
        last_end: counted().filter_map(|container| container.last_end.clone()).max_by(|a, b| a.time.cmp(&b.time)),
        usage: total(counted().map(|container| container.usage)),
        containers,
        ..PodStatus::default()
    }
}

fn container(
    role: ContainerRole,
    spec: &read::Container<'_>,
    statuses: &[read::ContainerState<'_>],
) -> ContainerStatus {
    let resources = &spec.resources;
    let usage = Usage {
        cpu: Amount { used: None, requested: cores(&resources.requests.cpu), limit: cores(&resources.limits.cpu) },
        memory: Amount {
            used: None,
            requested: bytes(&resources.requests.memory),
            limit: bytes(&resources.limits.memory),
        },
    };
    let named = ContainerStatus {
        name: spec.name.to_string(),
        role,
        image: spec.image.to_string(),
        state: "waiting".into(),
        usage,
        ..ContainerStatus::default()
    };
    let Some(status) = statuses.iter().find(|status| status.name == spec.name) else { return named };
    let state = match &status.state {
        read::State { running: Some(_), .. } => "running",
        read::State { terminated: Some(_), .. } => "ended",
        read::State { waiting: Some(waiting), .. } if !waiting.reason.is_empty() => &waiting.reason,
        _ => "waiting",
    };
    let ended = status.state.terminated.as_ref().or(status.last_state.terminated.as_ref());
    // An init container that did its work has not ended in a way that anyone asks for.
    let ended = ended.filter(|ended| role != ContainerRole::Init || ended.exit_code != 0);
    let digest = status.image_id.rsplit_once('@').map_or(status.image_id.as_ref(), |(_, digest)| digest);
    ContainerStatus {
        digest: digest.starts_with("sha256:").then(|| digest.to_owned()),
        state: state.to_owned(),
        ready: status.ready,
        restarts: status.restart_count,
        last_end: ended.map(|ended| EndStatus {
            exit_code: ended.exit_code,
            words: in_words(ended, &resources.limits.memory),
            reason: ended.reason.to_string(),
            time: ended.finished_at.to_string(),
        }),
        ..named
    }
}

fn in_words(ended: &read::Terminated<'_>, limit: &str) -> String {
    match (ended.exit_code, ended.reason.as_ref()) {
        (0, _) => "exit code 0: it ended by itself".into(),
        (code, reason) => exit_in_words(code, reason, Some(limit).filter(|limit| !limit.is_empty())),
    }
}

impl KeptPod {
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    pub fn namespace(&self) -> &str {
        &self.facts.namespace
    }

    pub(super) fn created(&self) -> &str {
        &self.facts.created
    }

    /// Whether all of it is kept.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// How the pod does at this time, by what it shows and by the events about it.
    pub fn judge(&self, events: &[&Value], used: &[(String, Usage)], now: Timestamp) -> PodStatus {
        let mut status = self.facts.clone();
        add_use(&mut status, used);
        let anew = self.whole.as_deref().filter(|_| !events.is_empty()).map(|json| examined(json, events));
        let age = since(&status.created, now);
        match anew.as_ref().unwrap_or(&self.state) {
            _ if !self.leaves.is_empty() => self.leaving(&mut status, now),
            State::Ready(_) => {
                (status.state, status.ready) = ("Ready".into(), true);
                status.message = restarted(&status, now).unwrap_or_default();
            }
            State::Done => status.state = "Completed".into(),
            State::Underway(said) => {
                status.verdict = Verdict::Progressing;
                let waits = status.containers.iter().map(|container| container.state.as_str());
                let waits = waits.into_iter().find(|state| !matches!(*state, "running" | "ended" | "waiting"));
                status.state = waits.unwrap_or(if status.node.is_empty() { "Pending" } else { "Starting" }).to_owned();
                status.message = words(said);
            }
            State::Trouble(trouble) => {
                status.verdict =
                    if status.over || counts(trouble, age) { Verdict::Failed } else { Verdict::Progressing };
                status.state.clone_from(&trouble.reason);
                status.message = words(&trouble.message);
            }
        }
        status
    }

    fn leaving(&self, status: &mut PodStatus, now: Timestamp) {
        status.state = "Terminating".into();
        status.verdict = Verdict::Progressing;
        let late = since(&self.leaves, now);
        if late > LEAVING {
            status.verdict = Verdict::Degraded;
            status.message =
                format!("should have gone {late} s ago: a finalizer holds it, or its node does not answer");
        }
    }
}

/// Whether a trouble has lasted long enough for a pod of this age (in seconds) to be more than a beginning.
fn counts(trouble: &Trouble, age: i64) -> bool {
    match trouble.allowance {
        Allowance::Grace(times) => age >= GRACE * i64::from(times),
        Allowance::Crashes(crashes) => crashes > 1,
        Allowance::Window(seconds) => age >= i64::try_from(seconds).unwrap_or(i64::MAX).max(6 * GRACE),
    }
}

/// What is worth knowing of a pod that is ready and has not been so for long.
fn restarted(status: &PodStatus, now: Timestamp) -> Option<String> {
    let end = status.last_end.as_ref().filter(|_| status.restarts > 0)?;
    let ago = since(&end.time, now);
    (ago <= RECENT).then(|| format!("restarted {} ago: {}", super::summary::span(ago), end.words))
}

fn add_use(status: &mut PodStatus, used: &[(String, Usage)]) {
    for (name, usage) in used {
        if let Some(container) = status.containers.iter_mut().find(|container| container.name == *name) {
            container.usage.cpu.used = usage.cpu.used;
            container.usage.memory.used = usage.memory.used;
        }
    }
    if !used.is_empty() {
        let all = total(used.iter().map(|(_, usage)| *usage));
        (status.usage.cpu.used, status.usage.memory.used) = (all.cpu.used, all.memory.used);
    }
}

/// Seconds from a time to now; 0 where there is none.
pub(super) fn since(time: &str, now: Timestamp) -> i64 {
    let Ok(time) = time.parse::<Timestamp>() else { return 0 };
    (now.as_second() - time.as_second()).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn now() -> Timestamp {
        "2026-11-21T10:10:00Z".parse().unwrap()
    }

    fn pod(status: &str) -> PodStatus {
        let text = format!(
            "{{metadata: {{name: api-1, namespace: shop, uid: u, creationTimestamp: 2026-11-21T10:00:00Z}}, spec: {{nodeName: n1, restartPolicy: Always, containers: [{{name: main, image: 'api:1', resources: {{limits: {{memory: 16Mi}}}}}}]}}, status: {{{status}}}}}"
        );
        keep(&yaml(&text).to_string(), true).unwrap().judge(&[], &[], now())
    }

    const READY: &str = "phase: Running, conditions: [{type: Ready, status: 'True'}]";

    #[test]
    fn a_ready_pod_is_well_and_tells_its_last_restart() {
        let status = pod(&format!(
            "{READY}, containerStatuses: [{{name: main, ready: true, restartCount: 2, imageID: 'docker.io/api@sha256:abc', state: {{running: {{}}}}, lastState: {{terminated: {{exitCode: 137, reason: OOMKilled, finishedAt: 2026-11-21T10:05:00Z}}}}}}]"
        ));
        assert_eq!((status.verdict, status.state.as_str(), status.ready), (Verdict::Healthy, "Ready", true));
        assert_eq!(
            status.message,
            "restarted 5m ago: out of memory: killed (SIGKILL, exit code 137) above its limit of 16Mi"
        );
        assert_eq!(status.containers[0].digest.as_deref(), Some("sha256:abc"));
        assert_eq!((status.restarts, status.usage.memory.limit), (2, Some(16 << 20)));
    }

    #[test]
    fn a_crash_loop_is_a_failure_and_a_first_crash_is_not() {
        let crash = |count: u32| {
            pod(&format!(
                "phase: Running, containerStatuses: [{{name: main, restartCount: {count}, state: {{waiting: {{reason: CrashLoopBackOff}}}}, lastState: {{terminated: {{exitCode: 1, reason: Error}}}}}}]"
            ))
        };
        assert_eq!((crash(4).verdict, crash(4).state.as_str()), (Verdict::Failed, "CrashLoopBackOff"));
        assert!(crash(4).message.contains("exit code 1"), "{}", crash(4).message);
        assert_eq!(crash(0).verdict, Verdict::Progressing);
    }

    #[test]
    fn what_is_null_is_absent() {
        let json = r#"{"metadata": {"name": "a", "creationTimestamp": null, "labels": null}, "spec": {"nodeName": null, "containers": null}, "status": {"phase": "Pending"}}"#;
        let status = keep(json, true).unwrap().judge(&[], &[], now());
        assert_eq!((status.name.as_str(), status.verdict), ("a", Verdict::Progressing));
        assert!(keep("7", true).is_err());
    }

    #[test]
    fn events_tell_more_of_what_is_not_well() {
        let text = "{metadata: {name: a, creationTimestamp: 2026-11-21T10:00:00Z}, spec: {nodeName: n1, containers: [{name: main, image: x}]}, status: {phase: Pending, containerStatuses: [{name: main, state: {waiting: {reason: ContainerCreating}}}]}}";
        let kept = keep(&yaml(text).to_string(), true).unwrap();
        assert_eq!(kept.judge(&[], &[], now()).state, "ContainerCreating");
        let event = yaml(
            "{reason: FailedMount, message: 'MountVolume.SetUp failed for volume \"v\" : secret \"s\" not found', lastTimestamp: 2026-11-21T10:00:00Z}",
        );
        let judged = kept.judge(&[&event], &[], now());
        assert_eq!(judged.verdict, Verdict::Failed, "{judged:?}");
        assert!(judged.message.contains("secret \"s\" not found"), "{}", judged.message);
    }

    #[test]
    fn a_pod_that_leaves_too_long_is_told() {
        let leaving = |time: &str| {
            let text = format!("{{metadata: {{name: a, deletionTimestamp: '{time}'}}}}");
            keep(&yaml(&text).to_string(), true).unwrap().judge(&[], &[], now())
        };
        assert_eq!(leaving("2026-11-21T10:09:50Z").verdict, Verdict::Progressing);
        assert_eq!(leaving("2026-11-21T10:00:00Z").verdict, Verdict::Degraded);
    }
}
