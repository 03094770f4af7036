//! The report of `status`: everything that runs, from the workload to the container, and how it does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ClusterEvent, Evidence, Health, ObjectRef, Plan};

/// How something does, as one word. The order is from good to bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As its spec asks.
    #[default]
    Healthy,
    /// On the way, with nothing wrong.
    Progressing,
    /// It serves, and not all of it is as it should be.
    Degraded,
    /// It does not serve, or will not get to where its spec wants it.
    Failed,
}

impl Verdict {
    /// As it is written in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Progressing => "progressing",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }

    /// Whether a person has to look.
    pub fn is_bad(self) -> bool {
        self >= Self::Degraded
    }
}

/// The report of `status`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// The application, where the scope is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The namespaces that were looked at; empty for all.
    pub namespaces: Vec<String>,
    /// When it was looked, RFC 3339.
    pub time: String,
    pub verdict: Verdict,
    /// The verdict in one sentence.
    pub summary: String,
    pub pods: PodCounts,
    pub workloads: Vec<WorkloadStatus>,
    /// What is no workload and belongs to none: Services that select nothing, claims that nobody mounts, custom
    /// resources, and everything else of the application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherStatus>,
    /// Why a wait failed, the likeliest cause first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What differs from the revision that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<RevisionDifference>,
    /// What could not be seen, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How many pods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodCounts {
    /// As many as are wanted at present.
    pub wanted: usize,
    /// As many as there are, leaving out those that have done their work.
    pub total: usize,
    pub ready: usize,
}

/// A workload with everything that belongs to it. A pod that no workload owns is one by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    pub object: ObjectRef,
    pub verdict: Verdict,
    /// Why, in one sentence: of the worst of what belongs to it, else of its rollout.
    pub message: String,
    /// The workload's own words: the state of its rollout. None for an owner that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// The command that shows more, where a person has to look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created: String,
    pub pods: PodCounts,
    /// When a CronJob runs next, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run: Option<String>,
    /// Of all its pods.
    pub usage: Usage,
    /// The newest event that tells of trouble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<ClusterEvent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<AutoscalerStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetStatus>,
    /// Its ReplicaSets, revisions or Jobs, the newest first; old ones without pods are left out.
    pub sets: Vec<SetStatus>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceStatus>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimStatus>,
}

/// The pods of one revision of a workload, or of one Job of a CronJob.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetStatus {
    /// The ReplicaSet or Job; None where the revision has no object with pods of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// The revision's number or hash, as its controller counts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Whether it is of the present template.
    pub newest: bool,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created: String,
    pub counts: PodCounts,
    /// Of a Job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Those that need attention first.
    pub pods: Vec<PodStatus>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodStatus {
    pub name: String,
    pub namespace: String,
    pub verdict: Verdict,
    /// A word, as kubectl has it where it has one: `Ready`, `CrashLoopBackOff`, `Completed`.
    pub state: String,
    /// Why it is not ready, or what is worth knowing of it, in one sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    pub ready: bool,
    /// Whether it has done its work, or has failed as a whole: it serves nothing and never will again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// RFC 3339.
    pub created: String,
    pub restarts: i64,
    /// How the instance ended that ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_end: Option<EndStatus>,
    pub usage: Usage,
    pub containers: Vec<ContainerStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<ClusterEvent>,
}

/// What a container is to its pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerRole {
    #[default]
    Main,
    Init,
    /// An init container that keeps running.
    Sidecar,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatus {
    pub name: String,
    pub role: ContainerRole,
    pub image: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// `running`, `ended`, or the reason for which it waits.
    pub state: String,
    pub ready: bool,
    pub restarts: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_end: Option<EndStatus>,
    pub usage: Usage,
}

/// How an instance of a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndStatus {
    pub exit_code: i64,
    /// The exit code or signal in words.
    pub words: String,
    /// As the kubelet says it: `OOMKilled`.
    pub reason: String,
    /// RFC 3339.
    pub time: String,
}

/// CPU in thousandths of a core, memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    pub cpu: Amount,
    pub memory: Amount,
}

/// What is used, against what is requested and allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Amount {
    /// None where the metrics API is not there or has not measured yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<i64>,
    /// None where nothing is requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<i64>,
    /// None where at least one container has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    pub object: ObjectRef,
    pub verdict: Verdict,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`; `Headless` for one without an address.
    #[serde(rename = "type")]
    pub kind: String,
    /// None where the endpoints may not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<EndpointCounts>,
    /// `http 80→8080/TCP`
    pub ports: Vec<String>,
    /// What a person can open in a browser.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The command that makes it reachable where nothing else does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<String>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointCounts {
    pub ready: usize,
    pub total: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimStatus {
    pub object: ObjectRef,
    pub verdict: Verdict,
    /// `Bound`, `Pending`, `Lost`.
    pub phase: String,
    /// What it has, or asks for while it has none.
    pub capacity: String,
    pub class: String,
    /// What is wrong, or what it waits for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoscalerStatus {
    pub object: ObjectRef,
    pub verdict: Verdict,
    pub minimum: i64,
    pub maximum: i64,
    pub current: i64,
    pub desired: i64,
    /// `cpu 12%/80%`
    pub metrics: Vec<String>,
    /// What is wrong, or that it is at its bound.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetStatus {
    pub object: ObjectRef,
    /// How many pods may be disrupted now.
    pub allowed: i64,
    pub healthy: i64,
    /// How many have to be healthy.
    pub needed: i64,
}

/// An object that is no workload and belongs to none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherStatus {
    pub object: ObjectRef,
    pub verdict: Verdict,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimStatus>,
}

/// How the cluster differs from a revision of the history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionDifference {
    pub revision: u64,
    /// What going back to it would change.
    pub plan: Plan,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitFor {
    /// Everything is as its spec asks.
    #[default]
    Ready,
    /// Jobs have done their work.
    Complete,
    /// Everything is gone.
    Deleted,
}

/// How a status is waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WaitWish {
    pub until: WaitFor,
    /// The longest wait; 5 minutes by default.
    pub timeout: Option<Duration>,
    /// How long an error may last before it counts as a failure.
    pub grace: Option<Duration>,
    /// How often a container may restart.
    pub restart_budget: Option<u32>,
}
