//! A Deployment with its ReplicaSets, as a look at it needs them.

use serde_json::Value;

use super::super::action::Action;
use super::super::{
    action::{Decision, MANAGER, Notice, View},
    amounts,
    objects::{self, annotation, set_text},
    tables::{self, Key},
};
use crate::rules::fields::{count, number, text};

pub const REVISION: &str = "deployment.kubernetes.io/revision";
pub const HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";

/// The Deployment under the hands of its controller.
pub struct Work<'c> {
    pub view: &'c View<'c>,
    pub key: Key,
    pub deployment: Value,
    /// The ReplicaSet of the present template, if there is one.
    pub new: Option<Value>,
    /// The others, the oldest first.
    pub old: Vec<Value>,
    pub decision: Decision,
}

impl<'c> Work<'c> {
    pub fn read(view: &'c View<'c>, key: &Key, deployment: Value) -> Self {
        let mut sets: Vec<Value> = view
            .cache
            .controlled(objects::uid(&deployment), tables::REPLICA_SETS)
            .map(|(_, entry)| entry.object())
            .collect();
        sets.sort_by_key(|set| (objects::read_time(set, "/metadata/creationTimestamp"), objects::name(set).to_owned()));
        let template = &deployment["spec"]["template"];
        let at = sets.iter().position(|set| objects::same_template(&set["spec"]["template"], template));
        let new = at.map(|at| sets.remove(at));
        Self { view, key: key.clone(), deployment, new, old: sets, decision: Decision::none() }
    }

    pub fn all(&self) -> impl Iterator<Item = &Value> {
        self.old.iter().chain(&self.new)
    }

    pub fn wanted(&self) -> i64 {
        wanted(&self.deployment)
    }

    pub fn is_rolling(&self) -> bool {
        text(&self.deployment, "/spec/strategy/type") != "Recreate"
    }

    /// How many pods may be there beyond the wanted ones, and how many may be missing.
    ///
    /// Source: `ResolveFenceposts`.
    pub fn bounds(&self) -> (i64, i64) {
        if !self.is_rolling() {
            return (0, 0);
        }
        let of = |pointer: &str, round_up| {
            self.deployment.pointer(pointer).map_or(0, |value| amounts::share(value, self.wanted(), round_up))
        };
        let surge = of("/spec/strategy/rollingUpdate/maxSurge", true);
        let unavailable = of("/spec/strategy/rollingUpdate/maxUnavailable", false);
        (surge, if surge == 0 && unavailable == 0 { 1 } else { unavailable })
    }

    /// How many pods may be missing: never more than there are to be.
    pub fn max_unavailable(&self) -> i64 {
        if !self.is_rolling() || self.wanted() == 0 { 0 } else { self.bounds().1.min(self.wanted()) }
    }

    /// Gives a ReplicaSet its number of pods, and says so in an event.
    pub fn scale(&mut self, set: &Value, replicas: i64) {
        let before = wanted(set);
        let mut changed = set.clone();
        changed["spec"]["replicas"] = replicas.into();
        self.annotate_counts(&mut changed);
        if changed == *set {
            return;
        }
        let key = self.key.beside(tables::REPLICA_SETS, objects::name(set));
        self.decision.actions.push(Action::Update { key, subresource: "", object: changed, manager: MANAGER });
        if before != replicas {
            self.tell_scaled(objects::name(set), before, replicas);
        }
    }

    pub fn tell_scaled(&mut self, name: &str, before: i64, replicas: i64) {
        let way = if replicas > before { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {name} from {before} to {replicas}");
        self.decision.tell(Notice::of(&self.deployment, "deployment-controller", "ScalingReplicaSet", message));
    }

    /// Keeps on a ReplicaSet how many pods the Deployment wanted and allowed when it was last scaled.
    pub fn annotate_counts(&self, set: &mut Value) {
        let most = self.wanted() + self.bounds().0;
        set_text(set, "annotations", DESIRED, &self.wanted().to_string());
        set_text(set, "annotations", MAXIMUM, &most.to_string());
    }
}

/// `spec.replicas`; one where there is none.
pub fn wanted(object: &Value) -> i64 {
    number(object, "/spec/replicas").unwrap_or(1)
}

pub fn available(set: &Value) -> i64 {
    count(set, "/status/availableReplicas")
}

/// The revision of a ReplicaSet or Deployment; 0 where it has none.
pub fn revision(object: &Value) -> i64 {
    annotation(object, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}
