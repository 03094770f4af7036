//! Where a simulated container is.

use std::sync::Arc;

use jiff::Timestamp;

use serde_json::{Value, json};

use super::behaviour::Behaviour;
use crate::sandbox::controllers::action::{Notice, Source};

/// A pod as its kubelet runs it.
#[derive(Debug)]
pub struct PodRun {
    /// The pod as events refer to it.
    pub about: Value,
    pub node: Box<str>,
    pub started: Timestamp,
    pub ip: String,
    /// Init containers first, in the order of the pod.
    pub containers: Vec<ContainerRun>,
    /// When the last container ends of a pod that is deleted.
    pub stops: Option<Timestamp>,
    /// Volumes that cannot be mounted were told of, and when they are tried again.
    pub mount: Option<Timestamp>,
    /// An annotation that cannot be read was told of.
    pub told: bool,
}

impl PodRun {
    /// What is told of the containers of a pod that was removed without being asked to stop.
    pub fn killed(&self) -> Vec<Notice> {
        let running = self.containers.iter().filter(|container| container.running().is_some());
        let tell = |container: &ContainerRun| Notice {
            about: container.about(&self.about),
            warning: false,
            reason: "Killing",
            message: format!("Stopping container {}", container.name),
            source: Source::Kubelet(self.node.clone()),
        };
        running.filter(|_| self.stops.is_none()).map(tell).collect()
    }
}

/// A container of a pod.
#[derive(Debug)]
pub struct ContainerRun {
    pub name: String,
    pub step: bool,
    /// An init container that goes on running.
    pub sidecar: bool,
    pub state: State,
    pub restarts: u32,
    /// How often it has ended in a row, for the back-off.
    pub crashes: u32,
    pub pull_failures: u32,
    pub last: Option<Ended>,
    pub behaviour: Arc<Behaviour>,
}

#[derive(Debug)]
pub enum State {
    /// Not begun.
    Waiting,
    Pulling {
        until: Timestamp,
        /// Why the pull before this one failed, which is shown until this one ends.
        before: Option<(&'static str, String)>,
    },
    /// The image is not there. It is tried again at `retry`, and called back-off from `backs_off` on.
    Unpulled {
        reason: &'static str,
        message: String,
        backs_off: Timestamp,
        retry: Timestamp,
    },
    /// A reference of its configuration leads nowhere.
    Misconfigured {
        message: String,
        retry: Timestamp,
    },
    Running(Running),
    Ended(Ended),
    /// Ended, and waiting to be started again.
    BackOff {
        until: Timestamp,
        seconds: i64,
    },
}

/// A container that runs.
#[derive(Debug)]
pub struct Running {
    pub since: Timestamp,
    pub variables: std::collections::HashMap<String, String>,
    pub started: bool,
    pub ready: bool,
    /// A failed probe was told of.
    pub unhealthy: bool,
    /// What it needs was looked at.
    pub checked: bool,
}

/// A container that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub started: Timestamp,
    pub finished: Timestamp,
    pub code: i32,
    pub reason: String,
    pub message: String,
    pub id: String,
}

impl ContainerRun {
    pub fn new(name: &str, step: bool, sidecar: bool, behaviour: Behaviour) -> Self {
        Self {
            name: name.to_owned(),
            step,
            sidecar,
            state: State::Waiting,
            restarts: 0,
            crashes: 0,
            pull_failures: 0,
            last: None,
            behaviour: Arc::new(behaviour),
        }
    }

    /// The container as events of its pod refer to it.
    pub fn about(&self, pod: &Value) -> Value {
        let mut about = pod.clone();
        let field = if self.step { "initContainers" } else { "containers" };
        about["fieldPath"] = json!(format!("spec.{field}{{{}}}", self.name));
        about
    }

    pub fn running(&self) -> Option<&Running> {
        match &self.state {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    /// An init container lets the next begin when it has ended well, or runs beside them.
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Ended(ended) => ended.code == 0 && !self.sidecar,
            State::Running(running) => self.sidecar && running.started,
            _ => false,
        }
    }
}
