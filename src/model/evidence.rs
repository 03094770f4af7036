//! Why a rollout failed, in the words of the pod, the container and the cluster.

use serde::{Deserialize, Serialize};

use crate::model::ObjectRef;

/// Everything known about one failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The workload or other object of the set that did not become healthy.
    pub object: ObjectRef,
    /// One sentence: the cause.
    pub summary: String,
    /// The reason as Kubernetes names it: `ImagePullBackOff`, `CrashLoopBackOff`, `OOMKilled`, `Unschedulable`.
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<ObjectRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The exit code or signal in words: `killed by SIGKILL: out of memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
    #[serde(default)]
    pub restarts: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_message: Option<String>,
    /// The last lines of the running instance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// The last lines of the instance before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous_log: Vec<String>,
    /// Of the pod, its ReplicaSet, its workload and its claims, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ClusterEvent>,
    /// What to do next, where it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

/// An Event of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterEvent {
    /// When it was last seen, RFC 3339.
    pub time: String,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: String,
    pub reason: String,
    pub object: String,
    pub message: String,
    pub count: i32,
}
