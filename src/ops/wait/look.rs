//! One look at everything that is waited for.

use std::time::Duration;

use serde_json::Value;

use super::{Target, WaitRequest, scene::Scene, watches::has_pods};
use crate::{
    model::{Health, ObjectRef, Status},
    rules::{
        alarms::{has_provider, provisioning_error, waits_for_consumer},
        events::time,
        fields::{number, text},
        pods::{Allowance, Memory, Stage, Trouble, Verdict},
        readiness::{health, is_built_in, settles_at_once},
        rollout::{Clock, PodTrouble, Rollout, Surroundings, judge},
    },
};

/// How long the controller of a custom kind that does not tell which change it has seen gets to react to ours.
const REACTION: Duration = Duration::from_secs(3);
const REACTING: &str = "waiting for its controller to react";

/// What is known of one target.
pub(super) struct View {
    pub object: ObjectRef,
    pub rollout: Rollout,
    /// Why it is not waited for though it is not as its spec asks.
    pub excuse: Option<String>,
    /// What was told last.
    pub told: Option<(Health, Vec<String>)>,
}

/// What is known of all targets, and since when.
pub(super) struct Board {
    pub views: Vec<View>,
    memory: Memory,
    /// Whether the cluster gives addresses to Services, once that was asked.
    pub gives_addresses: Option<bool>,
    /// A Service has waited for an address for so long that it has to be asked.
    pub wonders: bool,
}

impl Board {
    /// The board before any watch: objects that are done already are settled.
    pub fn new(request: &WaitRequest) -> Self {
        let view = |target: &Target| {
            let object = target.reference();
            let health = if settles_at_once(&object) {
                Health::current("exists")
            } else if is_held(&target.object, target.changed) {
                Health::in_progress(REACTING)
            } else {
                health(&target.object)
            };
            let rollout = Rollout { health, pods: Vec::new(), troubles: Vec::new(), until: None };
            View { object, rollout, excuse: None, told: None }
        };
        let views = request.targets.iter().map(view).collect();
        Self { views, memory: Memory::default(), gives_addresses: None, wonders: false }
    }

    /// The targets that are not as they should be.
    pub fn open(&self) -> Vec<usize> {
        self.with(|status| status != Status::Current)
    }

    /// The targets that will not get there.
    pub fn failed(&self) -> Vec<usize> {
        self.with(|status| status == Status::Failed)
    }

    /// The targets that have a trouble with something that comes before a container runs.
    pub fn held_up(&self) -> Vec<usize> {
        let numbered =
            self.views.iter().enumerate().filter(|(_, view)| view.rollout.health.status == Status::InProgress);
        let early = |view: &View| view.rollout.troubles.first().is_some_and(|known| known.trouble.stage < Stage::Crash);
        numbered.filter(|(_, view)| early(view)).map(|(index, _)| index).collect()
    }

    fn with(&self, matches: impl Fn(Status) -> bool) -> Vec<usize> {
        let numbered = self.views.iter().enumerate();
        numbered.filter(|(_, view)| matches(view.rollout.health.status)).map(|(index, _)| index).collect()
    }

    /// Judges the watched targets anew. Returns when to look again though nothing changes, since the wait began.
    pub fn look(&mut self, request: &WaitRequest, watched: &[usize], scene: &Scene, clock: Clock) -> Option<Duration> {
        for index in watched.iter().copied() {
            let Some(target) = request.targets.get(index) else { continue };
            let (rollout, excuse) = self.judge(request, target, scene, clock);
            if let Some(view) = self.views.get_mut(index) {
                (view.rollout, view.excuse) = (rollout, excuse);
            }
        }
        self.views.iter().filter_map(|view| view.rollout.until).min()
    }

    fn judge(
        &mut self,
        request: &WaitRequest,
        target: &Target,
        scene: &Scene,
        clock: Clock,
    ) -> (Rollout, Option<String>) {
        let Some(object) = scene.target(target) else { return (self.missing(request, target, scene, clock), None) };
        if has_pods(target) {
            let replica_sets = scene.replica_sets(object);
            let pods = scene.pods(object, &replica_sets);
            let around = Surroundings { replica_sets, pods, events: &|uid| scene.events(uid) };
            let rollout = judge(object, &around, &mut self.memory, &request.patience, clock);
            return (self.lasting(request, target, rollout, clock), None);
        }
        let mut excuse = None;
        let mut rollout = alone(health(object));
        match (target.resource.group.as_str(), target.resource.kind.as_str(), rollout.health.status) {
            ("", "PersistentVolumeClaim", Status::InProgress) => {
                excuse = self.claim(request, object, scene, clock, &mut rollout);
            }
            ("", "Service", Status::InProgress) => excuse = self.service(request, object, scene, clock, &mut rollout),
            (_, _, Status::Current) if clock.now < REACTION && is_held(object, target.changed) => {
                rollout.health = Health::in_progress(REACTING);
                rollout.until = Some(REACTION);
            }
            _ => {}
        }
        if let Some(words) = &excuse {
            rollout = alone(Health::new(Status::Current, rollout.health.reason, words.clone()));
        }
        (self.lasting(request, target, rollout, clock), excuse)
    }

    /// A failure that its controller may still take back counts when it has lasted.
    fn lasting(&mut self, request: &WaitRequest, target: &Target, mut rollout: Rollout, clock: Clock) -> Rollout {
        let is_final =
            rollout.troubles.iter().any(|known| known.fatal) || matches!(target.resource.kind.as_str(), "Job" | "Pod");
        if rollout.health.status != Status::Failed || is_final {
            return rollout;
        }
        let trouble = own(&rollout.health.reason, &rollout.health.message, Allowance::Grace(1));
        let known = self.memory.lasting(&name(target), trouble, &request.patience, clock.now);
        if let Verdict::Transient { until, .. } = known {
            rollout.health.status = Status::InProgress;
            rollout.until = rollout.until.into_iter().chain(until).min();
        }
        rollout
    }

    fn missing(&mut self, request: &WaitRequest, target: &Target, scene: &Scene, clock: Clock) -> Rollout {
        // A Job may remove itself when it is done (ttlSecondsAfterFinished).
        let namespace = text(&target.object, "/metadata/namespace");
        let events = scene.events_about(namespace, "Job", text(&target.object, "/metadata/name"));
        let completed = |event: &&Value| text(event, "/reason") == "Completed" && time(event) >= Some(clock.since);
        if target.resource.kind == "Job" && events.iter().any(completed) {
            return alone(Health::current("complete, and removed"));
        }
        let message = "is not in the cluster any more";
        let trouble = own("NotFound", message, Allowance::Grace(1));
        match self.memory.lasting(&name(target), trouble.clone(), &request.patience, clock.now) {
            Verdict::Transient { until, .. } => {
                Rollout { until, ..alone(Health::new(Status::NotFound, "NotFound", message)) }
            }
            _ => {
                let known = PodTrouble { pod: None, trouble, fatal: true };
                Rollout { troubles: vec![known], ..alone(Health::failed("NotFound", message)) }
            }
        }
    }

    fn claim(
        &mut self,
        request: &WaitRequest,
        claim: &Value,
        scene: &Scene,
        clock: Clock,
        rollout: &mut Rollout,
    ) -> Option<String> {
        let uid = text(claim, "/metadata/uid");
        let events = scene.events(uid);
        if waits_for_consumer(&events) {
            return Some("not bound: it waits for the first pod that uses it, and is not waited for".into());
        }
        let namespace = text(claim, "/metadata/namespace");
        if scene.deaf.contains(namespace) && clock.now >= request.patience.grace {
            return Some("not bound, and its events may not be read to say why; it is not waited for".into());
        }
        let words = provisioning_error(&events)?;
        let trouble = own("ProvisioningFailed", &format!("no volume for it: {words}"), Allowance::Grace(3));
        match self.memory.lasting(uid, trouble, &request.patience, clock.now) {
            Verdict::Fatal(trouble) => {
                rollout.health = Health::failed(trouble.reason.clone(), trouble.message.clone());
                rollout.troubles = vec![PodTrouble { pod: None, trouble, fatal: true }];
            }
            Verdict::Transient { trouble, until } => {
                rollout.health = Health::in_progress(trouble.message);
                rollout.until = until;
            }
            Verdict::Ok | Verdict::Progress { .. } => {}
        }
        None
    }

    fn service(
        &mut self,
        request: &WaitRequest,
        service: &Value,
        scene: &Scene,
        clock: Clock,
        rollout: &mut Rollout,
    ) -> Option<String> {
        if has_provider(service, &scene.events(text(service, "/metadata/uid"))) {
            return None;
        }
        if clock.now < request.patience.grace {
            rollout.until = Some(request.patience.grace);
            return None;
        }
        self.wonders = self.gives_addresses.is_none();
        (self.gives_addresses == Some(false)).then(|| {
            "no address: nothing in this cluster gives addresses to load balancers, so it is not waited for".into()
        })
    }
}

/// Whether nothing about the object has to be waited for, as it was last seen. `changed` says that this deploy has
/// changed it.
pub fn is_settled(object: &Value, changed: bool) -> bool {
    settles_at_once(&ObjectRef::of(object)) || (health(object).status == Status::Current && !is_held(object, changed))
}

/// Whether a custom object looks done only because nobody has looked at it since it was changed.
fn is_held(object: &Value, changed: bool) -> bool {
    changed && !is_built_in(ObjectRef::of(object).group()) && number(object, "/status/observedGeneration").is_none()
}

/// What the memory calls a target itself; its pods are remembered by their uids.
fn name(target: &Target) -> String {
    let object = target.reference();
    format!("{object} {}", object.namespace.as_deref().unwrap_or_default())
}

fn alone(health: Health) -> Rollout {
    Rollout { health, pods: Vec::new(), troubles: Vec::new(), until: None }
}

/// A trouble of an object without pods.
fn own(reason: &str, message: &str, allowance: Allowance) -> Trouble {
    Trouble { stage: Stage::Creation, container: None, reason: reason.into(), message: message.into(), allowance }
}
