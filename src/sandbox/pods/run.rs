//! What happens to a pod up to now: each container goes from state to state.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    config,
    logs::LogBook,
    scenario::{self, Scenario},
    state::{Ended, PodRun, State},
};
use crate::{
    rules::fields::{number, text},
    sandbox::controllers::{
        action::{Notice, Source, View, reference},
        objects::{self, after},
    },
};

/// How long an ended container is shown as such before it is started again or called back-off.
const SHOWN: SignedDuration = SignedDuration::from_secs(1);
/// The longest back-off, in seconds.
pub const LONGEST: i64 = 300;
/// How long a volume that cannot be mounted waits for the next try, in seconds.
const REMOUNT: i64 = 60;

/// One look at one pod.
pub struct Step<'a> {
    pub view: &'a View<'a>,
    pub pod: &'a Value,
    pub run: &'a mut PodRun,
    /// Images by node that need no pull.
    pub present: &'a mut HashSet<(String, String)>,
    pub logs: &'a LogBook,
    pub notices: Vec<Notice>,
    /// When something happens next.
    pub next: Option<Timestamp>,
}

impl<'a> Step<'a> {
    pub fn new(
        view: &'a View<'a>,
        pod: &'a Value,
        run: &'a mut PodRun,
        present: &'a mut HashSet<(String, String)>,
        logs: &'a LogBook,
    ) -> Self {
        Self { view, pod, run, present, logs, notices: Vec::new(), next: None }
    }

    pub fn now(&self) -> Timestamp {
        self.view.now
    }

    /// Looks again at that time.
    pub fn wake(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    pub fn tell(&mut self, at: Option<usize>, warning: bool, reason: &'static str, message: String) {
        let mut about = reference(self.pod);
        if let Some(container) = at.and_then(|at| self.run.containers.get(at)) {
            about = container.about(&about);
        }
        let node = text(self.pod, "/spec/nodeName").into();
        self.notices.push(Notice { about, warning, reason, message, source: Source::Kubelet(node) });
    }

    /// Says once that an annotation cannot be read.
    pub fn tell_unread(&mut self, scenario: &Scenario) {
        if self.run.told || !scenario::is_annotated(self.pod) {
            return;
        }
        self.run.told = true;
        let errors =
            scenario::containers(self.pod).find_map(|(container, _)| scenario.behaviour(self.pod, container).err());
        if let Some(error) = errors {
            self.tell(None, true, "InvalidBehaviour", error);
        }
    }

    /// The container of the pod that a run is of.
    pub fn container(&self, at: usize) -> &'a Value {
        scenario::containers(self.pod).nth(at).map_or(&Value::Null, |(container, _)| container)
    }

    pub fn uid(&self) -> &'a str {
        objects::uid(self.pod)
    }

    /// Lets everything happen that is due.
    pub fn advance(&mut self) {
        if objects::is_deleted(self.pod) {
            self.stop();
            return;
        }
        if !self.mounted() {
            return;
        }
        // Each state is left at most once at a time, so this ends; the bound is for safety.
        for _ in 0..64 {
            let open = self.open();
            let moved = (0..open).map(|at| self.advance_one(at)).filter(|moved| *moved).count() > 0;
            if !moved && open == self.open() {
                return;
            }
        }
    }

    /// How many containers may have begun: an init container waits for those before it, the others for all of them.
    fn open(&self) -> usize {
        let containers = &self.run.containers;
        let steps = containers.iter().take_while(|container| container.step).count();
        match containers[..steps].iter().position(|container| !container.is_done()) {
            // Those before it go on where they are sidecars.
            Some(at) => at + 1,
            None => containers.len(),
        }
    }

    fn advance_one(&mut self, at: usize) -> bool {
        match &self.run.containers[at].state {
            State::Waiting => self.begin(at),
            State::Pulling { until, .. } if *until <= self.now() => self.pulled(at),
            State::Unpulled { .. } => self.unpulled(at),
            State::Misconfigured { retry, .. } if *retry <= self.now() => self.start(at),
            State::Running(_) => self.running(at),
            State::Ended(_) => self.restart(at),
            State::BackOff { until, .. } if *until <= self.now() => self.start_again(at),
            State::Pulling { until: then, .. }
            | State::Misconfigured { retry: then, .. }
            | State::BackOff { until: then, .. } => {
                let then = *then;
                self.wake(then);
                false
            }
        }
    }

    /// Whether a container that ended with a code is started again.
    fn restarts(&self, at: usize, code: i32) -> bool {
        let container = &self.run.containers[at];
        if container.sidecar {
            return true;
        }
        match text(self.pod, "/spec/restartPolicy") {
            "Never" => false,
            "OnFailure" => code != 0,
            _ => code != 0 || !container.step,
        }
    }

    fn restart(&mut self, at: usize) -> bool {
        let State::Ended(ended) = &self.run.containers[at].state else { return false };
        let ended = ended.clone();
        if !self.restarts(at, ended.code) {
            return false;
        }
        let shown = ended.finished.checked_add(SHOWN).unwrap_or(ended.finished);
        if shown > self.now() {
            self.wake(shown);
            return false;
        }
        let container = &mut self.run.containers[at];
        let finished = ended.finished;
        container.last = Some(ended);
        if container.crashes == 0 {
            return self.start_again(at);
        }
        let seconds = back_off(container.crashes);
        container.state = State::BackOff { until: after(finished, seconds), seconds };
        let name = container.name.clone();
        let pod = self.pod_name();
        self.tell(Some(at), true, "BackOff", format!("Back-off restarting failed container {name} in pod {pod}"));
        true
    }

    fn start_again(&mut self, at: usize) -> bool {
        let container = &mut self.run.containers[at];
        container.crashes += 1;
        container.restarts += 1;
        self.begin(at)
    }

    /// The pod as messages of back-off name it.
    pub fn pod_name(&self) -> String {
        format!("{}_{}({})", objects::name(self.pod), objects::namespace(self.pod), self.uid())
    }

    /// A container ends.
    pub fn end(&mut self, at: usize, finished: Timestamp, code: i32, reason: &str, logs: &[String], message: String) {
        let id = self.container_id(at);
        let uid = self.uid();
        let container = &mut self.run.containers[at];
        let State::Running(running) = &container.state else { return };
        // Ten minutes without a crash, and the back-off begins anew.
        if finished.duration_since(running.since) >= SignedDuration::from_mins(10) {
            container.crashes = 0;
        }
        self.logs.end(uid, &container.name, finished, logs);
        let started = running.since;
        container.state = State::Ended(Ended { started, finished, code, reason: reason.into(), message, id });
    }

    pub fn container_id(&self, at: usize) -> String {
        let container = &self.run.containers[at];
        super::status::container_id(self.uid(), &container.name, container.restarts)
    }

    /// Whether the volumes are there; says so once where they are not.
    fn mounted(&mut self) -> bool {
        let begun = self.run.containers.iter().any(|container| !matches!(container.state, State::Waiting));
        if begun {
            return true;
        }
        let Some((volume, why)) = config::unmountable(self.view.cache, objects::namespace(self.pod), self.pod) else {
            self.run.mount = None;
            return true;
        };
        if self.run.mount.is_none_or(|retry| retry <= self.now()) {
            self.run.mount = Some(after(self.now(), REMOUNT));
            let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}");
            self.tell(None, true, "FailedMount", message);
        }
        if let Some(retry) = self.run.mount {
            self.wake(retry);
        }
        false
    }

    /// A deleted pod: its containers are told to stop, and end when they do or when their grace is over.
    fn stop(&mut self) {
        let grace = number(self.pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(30);
        let running: Vec<usize> =
            (0..self.run.containers.len()).filter(|at| self.run.containers[*at].running().is_some()).collect();
        if self.run.stops.is_none() {
            let longest = running.iter().map(|at| stop_time(&self.run.containers[*at].behaviour)).max();
            let longest = longest.unwrap_or_default().min(SignedDuration::from_secs(grace));
            let deleted = objects::read_time(self.pod, "/metadata/deletionTimestamp").unwrap_or(self.now());
            let asked = deleted.checked_sub(SignedDuration::from_secs(grace)).unwrap_or(deleted).max(self.run.started);
            let stops = self.now().max(asked).checked_add(longest).unwrap_or(deleted);
            self.run.stops = Some(stops);
            for at in &running {
                let name = self.run.containers[*at].name.clone();
                self.tell(Some(*at), false, "Killing", format!("Stopping container {name}"));
            }
        }
        let Some(stops) = self.run.stops else { return };
        if stops > self.now() {
            self.wake(stops);
            return;
        }
        for at in running {
            let killed = stop_time(&self.run.containers[at].behaviour) > SignedDuration::from_secs(grace);
            let (code, reason) = if killed { (137, "Error") } else { (0, "Completed") };
            self.end(at, stops, code, reason, &[], String::new());
        }
    }

    /// Whether a deleted pod has ended, so that it can be removed.
    pub fn is_gone(&self) -> bool {
        objects::is_deleted(self.pod) && self.run.containers.iter().all(|container| container.running().is_none())
    }

    /// Whether a change of a Service, Secret or ConfigMap may change something for this pod.
    pub fn depends(&self) -> bool {
        self.run.mount.is_some()
            || self.run.containers.iter().any(|container| {
                !container.behaviour.needs.is_empty() || matches!(container.state, State::Misconfigured { .. })
            })
    }
}

/// How long a container takes to stop when it is asked to.
fn stop_time(behaviour: &super::Behaviour) -> SignedDuration {
    let stop = behaviour.stop.map_or(std::time::Duration::from_millis(200), |stop| stop.0);
    SignedDuration::try_from(stop).unwrap_or(SignedDuration::MAX)
}

/// The back-off after so many ends in a row, in seconds: 10, 20, 40, up to five minutes.
pub fn back_off(crashes: u32) -> i64 {
    (10i64 << crashes.saturating_sub(1).min(10)).min(LONGEST)
}
