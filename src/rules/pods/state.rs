//! What is read from a pod, and what is concluded.

use std::time::Duration;

/// How far a pod has come when something stops it. An earlier stage is nearer to the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The pod is refused and does not exist.
    Creation,
    /// No node takes it.
    Scheduling,
    Volume,
    /// Its network and sandbox.
    Sandbox,
    Image,
    /// What its containers are configured with is missing or not allowed.
    Configuration,
    /// A process ends that should run.
    Crash,
    /// A process runs and does not become ready.
    Probe,
}

/// How long a trouble may last before it counts as final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// So many times the grace time, from when it was first seen.
    Grace(u32),
    /// The grace time, once a container has ended more often than the restart budget allows. Holds how often it has
    /// ended in its life.
    Crashes(u32),
    /// So many seconds, or six times the grace time where that is longer, from when it was first seen.
    Window(u64),
}

/// Something that keeps a pod from running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub stage: Stage,
    pub container: Option<String>,
    /// As Kubernetes names it: `ImagePullBackOff`, `OOMKilled`, `Unschedulable`.
    pub reason: String,
    /// A sentence for people, with the cluster's own words.
    pub message: String,
    pub allowance: Allowance,
}

/// One running instance of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub container: String,
    pub restarts: u32,
    /// Whether a readiness probe vouches for it.
    pub probed: bool,
}

/// What a pod shows now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is done: all containers ended well.
    Done,
    /// All containers run and are ready.
    Ready(Vec<Instance>),
    /// On the way; says what it waits for.
    Underway(String),
    Trouble(Trouble),
}

/// What is concluded from a pod's state and its past. Times count from the begin of the wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    /// On the way; `until` says when to look again though nothing has changed.
    Progress {
        message: String,
        until: Option<Duration>,
    },
    /// An error that may pass; it is final at `until` (None: only more of it makes it final).
    Transient {
        trouble: Trouble,
        until: Option<Duration>,
    },
    /// An error from which the pod does not recover.
    Fatal(Trouble),
}
