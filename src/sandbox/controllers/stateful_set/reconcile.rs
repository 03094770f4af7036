//! One look at a StatefulSet.

use serde_json::Value;

use super::{
    super::{
        action::{Decision, Notice, View},
        cache::Entry,
        objects, revision,
        tables::{self, Key},
    },
    identity::{self, CONTROLLER},
    status,
};
use crate::rules::fields::{count, number, text};

/// The pods of a set: number, place, entry; in the order of their numbers.
pub type Members<'c> = [(i64, &'c Key, &'c Entry)];

/// The names of the revision that pods come from, and of the one that they go to.
pub struct Revisions {
    pub current: String,
    pub update: String,
}

/// What a StatefulSet needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(set) = view.cache.get(key) else { return decision };
    let hash = revision::hash(&revision::data(&set), count(&set, "/status/collisionCount"));
    let label = ("controller.kubernetes.io/hash", hash.as_str());
    let update = revision::present(view, key, &set, label, &hash, &mut decision);
    let current = match text(&set, "/status/currentRevision") {
        "" => update.clone(),
        current => current.to_owned(),
    };
    let revisions = Revisions { current, update };
    let mut members: Vec<(i64, &Key, &Entry)> = view
        .cache
        .controlled(objects::uid(&set), tables::PODS)
        .filter_map(|(place, entry)| Some((identity::ordinal(&set, place.name())?, place, entry)))
        .collect();
    members.sort_by_key(|(ordinal, ..)| *ordinal);
    let changed = status::of(&set, &members, &revisions, view.now);
    if changed["status"] != set["status"] {
        decision.status(key, changed);
    }
    if !objects::is_deleted(&set) {
        Look { view, key, set: &set, members: &members, revisions: &revisions }.act(&mut decision);
        let live: Vec<&str> = [revisions.current.as_str(), revisions.update.as_str()].into();
        revision::forget(view, key, &set, &live, &mut decision);
    }
    decision
}

struct Look<'a> {
    view: &'a View<'a>,
    key: &'a Key,
    set: &'a Value,
    members: &'a Members<'a>,
    revisions: &'a Revisions,
}

impl Look<'_> {
    fn act(&self, decision: &mut Decision) {
        let start = number(self.set, "/spec/ordinals/start").unwrap_or(0);
        let wanted = start..start + number(self.set, "/spec/replicas").unwrap_or(1);
        let in_order = text(self.set, "/spec/podManagementPolicy") != "Parallel";
        for ordinal in wanted.clone() {
            if !self.keep(ordinal, in_order, decision) && in_order {
                return;
            }
        }
        let condemned = || self.members.iter().rev().filter(|(ordinal, ..)| !wanted.contains(ordinal));
        let first_unhealthy = condemned().rev().find(|(_, _, entry)| !self.is_healthy(entry)).map(|(it, ..)| *it);
        for (ordinal, place, entry) in condemned() {
            if entry.head.deleted.is_some() {
                if in_order {
                    return;
                }
                continue;
            }
            if in_order && !self.is_healthy(entry) && first_unhealthy != Some(*ordinal) {
                return;
            }
            identity::delete(self.view, self.key, self.set, place.name(), true, decision);
            if in_order {
                return;
            }
        }
        if text(self.set, "/spec/updateStrategy/type") != "OnDelete" {
            self.update(&wanted, start, decision);
        }
    }

    /// Sees to one pod; false where those behind it have to wait.
    fn keep(&self, ordinal: i64, in_order: bool, decision: &mut Decision) -> bool {
        let Some((_, place, entry)) = self.members.iter().find(|(found, ..)| *found == ordinal) else {
            let pod = self.new_pod(ordinal);
            // Another's pod may have the name.
            if !self.view.cache.has(&self.key.beside(tables::PODS, objects::name(&pod))) {
                identity::create(self.view, self.key, self.set, pod, decision);
            }
            return false;
        };
        let ended = entry.pod.as_ref().is_some_and(|pod| pod.has_ended());
        if ended && entry.head.deleted.is_none() {
            let message = format!(
                "StatefulSet {}/{} is recreating failed Pod {}",
                self.key.namespace(),
                self.key.name(),
                place.name()
            );
            decision.tell(Notice::of(self.set, CONTROLLER, "RecreatingFailedPod", message).warning());
            identity::delete(self.view, self.key, self.set, place.name(), false, decision);
            return false;
        }
        if entry.head.deleted.is_some() || !in_order {
            return entry.head.deleted.is_none();
        }
        let available = status::is_available(self.set, entry, self.view.now);
        if let Some(since) = entry.pod.as_ref().and_then(|pod| pod.ready).filter(|_| !available) {
            decision.at(objects::after(since, number(self.set, "/spec/minReadySeconds").unwrap_or(0)));
        }
        available
    }

    /// A pod runs and is ready.
    fn is_healthy(&self, entry: &Entry) -> bool {
        entry.head.deleted.is_none() && status::is_available(self.set, entry, self.view.now)
    }

    fn partition(&self) -> i64 {
        number(self.set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0)
    }

    /// Pods below the partition are of the current revision, the others of the new one.
    fn new_pod(&self, ordinal: i64) -> Value {
        let start = number(self.set, "/spec/ordinals/start").unwrap_or(0);
        let rolls = text(self.set, "/spec/updateStrategy/type") != "OnDelete";
        let of_current = rolls && ordinal < start + self.partition() && self.revisions.current != self.revisions.update;
        if of_current {
            let found = self.view.cache.get(&self.key.beside(tables::REVISIONS, &self.revisions.current));
            if let Some(found) = found {
                return identity::pod(self.set, ordinal, &revision::template(&found), &self.revisions.current);
            }
        }
        identity::pod(self.set, ordinal, &self.set["spec"]["template"], &self.revisions.update)
    }

    /// Replaces one pod of an old revision, from the last on, when those behind it are healthy.
    fn update(&self, wanted: &std::ops::Range<i64>, start: i64, decision: &mut Decision) {
        let from = (start + self.partition()).max(wanted.start);
        for (ordinal, place, entry) in self.members.iter().rev() {
            if *ordinal < from || !wanted.contains(ordinal) {
                continue;
            }
            let labels = entry.pod.as_ref().map(|pod| &pod.labels);
            let revision = labels.and_then(|labels| labels.get("controller-revision-hash"));
            let is_new = revision.is_some_and(|have| **have == *self.revisions.update);
            if !is_new && entry.head.deleted.is_none() {
                identity::delete(self.view, self.key, self.set, place.name(), false, decision);
                return;
            }
            if !self.is_healthy(entry) {
                return;
            }
        }
    }
}
