//! What controllers have at hand of every object without reading it again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

/// The metadata that indexes and collection need.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Head {
    pub uid: Box<str>,
    #[serde(rename = "ownerReferences")]
    pub owners: Box<[Owner]>,
    pub finalizers: Box<[Box<str>]>,
    #[serde(rename = "deletionTimestamp")]
    pub deleted: Option<Timestamp>,
    #[serde(rename = "creationTimestamp")]
    pub created: Option<Timestamp>,
}

/// An entry of `metadata.ownerReferences`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Owner {
    pub api_version: Box<str>,
    pub kind: Box<str>,
    pub name: Box<str>,
    pub uid: Box<str>,
    pub controller: bool,
    pub block_owner_deletion: bool,
}

impl Head {
    /// The owner that manages the object.
    pub fn controller(&self) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.controller)
    }
}

/// What most controllers ask of a pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PodFacts {
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// Empty until it is scheduled.
    pub node: Box<str>,
    /// `Pending`, `Running`, `Succeeded`, `Failed`; empty before the kubelet's first word.
    pub phase: Box<str>,
    pub ip: Box<str>,
    /// Since when it is ready.
    pub ready: Option<Timestamp>,
    pub restarts: i64,
    /// It wants other pods far from it.
    pub repels: bool,
    /// What it asks for: thousandths of a CPU, bytes of memory.
    pub cpu: i64,
    pub memory: i64,
}

impl PodFacts {
    /// Whether all of its containers have ended for good.
    pub fn has_ended(&self) -> bool {
        matches!(&*self.phase, "Succeeded" | "Failed")
    }
}

/// An object as far as it is read when it changes.
#[derive(Debug, Deserialize)]
pub struct Partial {
    #[serde(default)]
    pub metadata: Head,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PartialPod {
    metadata: Labels,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Labels {
    labels: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    node_name: Box<str>,
    containers: Vec<Container>,
    init_containers: Vec<Container>,
    affinity: Affinity,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Affinity {
    pod_anti_affinity: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    resources: Resources,
    restart_policy: Box<str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: Box<str>,
    #[serde(rename = "podIP")]
    pod_ip: Box<str>,
    conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    restart_count: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: Box<str>,
    status: Box<str>,
    last_transition_time: Option<Timestamp>,
}

impl PodFacts {
    /// Reads the facts of a pod; those of an object that is none are empty.
    pub fn read(bytes: &[u8]) -> Self {
        let pod: PartialPod = serde_json::from_slice(bytes).unwrap_or_default();
        let ready =
            pod.status.conditions.iter().find(|condition| &*condition.kind == "Ready" && &*condition.status == "True");
        let request = |name: &str, read: fn(&str) -> i64| {
            let of = |container: &Container| container.resources.requests.get(name).map_or(0, |text| read(text));
            let (sidecars, steps): (Vec<&Container>, Vec<&Container>) =
                pod.spec.init_containers.iter().partition(|container| &*container.restart_policy == "Always");
            let sidecars: i64 = sidecars.into_iter().map(of).sum();
            let together = pod.spec.containers.iter().map(of).sum::<i64>() + sidecars;
            together.max(steps.into_iter().map(of).max().unwrap_or(0))
        };
        Self {
            labels: pod.metadata.labels,
            repels: pod.spec.affinity.pod_anti_affinity.is_some(),
            cpu: request("cpu", super::amounts::thousandths),
            memory: request("memory", super::amounts::whole),
            node: pod.spec.node_name,
            phase: pod.status.phase,
            ip: pod.status.pod_ip,
            ready: ready.map(|condition| condition.last_transition_time.unwrap_or_default()),
            restarts: pod.status.container_statuses.iter().map(|status| status.restart_count).sum(),
        }
    }
}
