//! One look at a Deployment.

use serde_json::Value;

use super::{
    super::{
        action::{Decision, View},
        objects::{self, annotation},
        tables::{self, Key},
    },
    set::{DESIRED, Work, wanted},
};
use crate::rules::fields::is_true;

/// What a Deployment needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let Some(deployment) = view.cache.get(key) else { return Decision::none() };
    let mut work = Work::read(view, key, deployment);
    if objects::is_deleted(&work.deployment) {
        work.sync_status();
        return work.decision;
    }
    if work.note_pause() {
        return work.decision;
    }
    let paused = is_true(&work.deployment, "/spec/paused");
    if work.revise(!paused && work.may_create()) {
        return work.decision;
    }
    if paused || work.was_scaled() {
        if !work.scale_proportionally() {
            work.sync_status();
        }
    } else if work.is_rolling() {
        work.roll();
    } else {
        work.recreate();
    }
    work.decision
}

impl Work<'_> {
    /// Whether the number of wanted pods differs from that of the last scaling.
    fn was_scaled(&self) -> bool {
        self.all().filter(|set| wanted(set) > 0).any(|set| {
            annotation(set, DESIRED).and_then(|text| text.parse().ok()).is_some_and(|last: i64| last != self.wanted())
        })
    }

    /// With the strategy Recreate, the new ReplicaSet is made when the pods of the old ones are gone.
    fn may_create(&self) -> bool {
        self.is_rolling() || (self.old.iter().all(|set| wanted(set) == 0) && !self.old_pods_run())
    }

    fn old_pods_run(&self) -> bool {
        self.old.iter().any(|set| {
            let pods = self.view.cache.controlled(objects::uid(set), tables::PODS);
            pods.filter_map(|(_, entry)| entry.pod.as_ref()).any(|pod| !pod.has_ended())
        })
    }

    fn recreate(&mut self) {
        let old: Vec<Value> = self.old.iter().filter(|set| wanted(set) > 0).cloned().collect();
        if !old.is_empty() {
            for set in &old {
                self.scale(set, 0);
            }
            return;
        }
        if let Some(new) = self.new.clone()
            && wanted(&new) != self.wanted()
            && !self.old_pods_run()
        {
            self.scale(&new, self.wanted());
            return;
        }
        self.finish();
    }

    fn roll(&mut self) {
        if !self.grow_new() && !self.shrink_old() {
            self.finish();
        }
    }

    /// Nothing is to be scaled: the status, and what the history no longer holds.
    fn finish(&mut self) {
        self.sync_status();
        if self.is_complete() {
            self.forget_old();
        }
    }
}
