//! Rolling over from old ReplicaSets to the new one.
//!
//! Source: `rolling.go` of the Deployment controller.

use serde_json::Value;

use super::{
    super::objects,
    set::{Work, available, wanted},
};

impl Work<'_> {
    /// How many pods the new ReplicaSet may have now, where it has `present` of them.
    pub fn new_replicas(&self, present: i64) -> i64 {
        if !self.is_rolling() {
            return self.wanted();
        }
        let total: i64 = self.all().map(wanted).sum();
        let most = self.wanted() + self.bounds().0;
        if total >= most {
            return present;
        }
        present + (most - total).min(self.wanted() - present).max(0)
    }

    /// Scales the new ReplicaSet; true where it changes.
    pub fn grow_new(&mut self) -> bool {
        let Some(new) = self.new.clone() else { return false };
        let present = wanted(&new);
        let replicas = if present > self.wanted() { self.wanted() } else { self.new_replicas(present) };
        if replicas == present {
            return false;
        }
        self.scale(&new, replicas);
        true
    }

    /// Scales the old ReplicaSets down as far as enough pods stay available: first pods that are not; true where one changes.
    pub fn shrink_old(&mut self) -> bool {
        let Some(new) = self.new.clone() else { return false };
        let old: Vec<Value> = self.old.iter().filter(|set| wanted(set) > 0).cloned().collect();
        let total: i64 = self.all().map(wanted).sum();
        let least = self.wanted() - self.max_unavailable();
        let spare = total - least - (wanted(&new) - available(&new));
        if old.is_empty() || spare <= 0 {
            return false;
        }
        let mut sizes: Vec<i64> = old.iter().map(wanted).collect();
        let mut left = spare;
        for (set, size) in old.iter().zip(&mut sizes) {
            let drop = left.min(*size - available(set)).max(0);
            *size -= drop;
            left -= drop;
        }
        let mut left = self.all().map(available).sum::<i64>() - least;
        for size in &mut sizes {
            let drop = left.min(*size).max(0);
            *size -= drop;
            left -= drop;
        }
        let mut changed = false;
        for (set, size) in old.iter().zip(sizes) {
            if size != wanted(set) {
                self.scale(set, size);
                changed = true;
            }
        }
        changed
    }

    /// Whether all pods are those of the new ReplicaSet, and available.
    pub fn is_complete(&self) -> bool {
        let status = self.counts();
        status.updated == self.wanted() && status.replicas == self.wanted() && status.available == self.wanted()
    }

    /// The newest of a group of ReplicaSets by name, for messages.
    pub fn new_name(&self) -> Option<&str> {
        self.new.as_ref().map(objects::name)
    }
}
