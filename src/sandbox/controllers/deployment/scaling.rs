//! Scaling a Deployment whose pods are of several ReplicaSets.
//!
//! Source: `sync.go`, `scale`.

use serde_json::Value;

use super::set::DESIRED;
use super::{
    super::objects::{self, annotation},
    set::{MAXIMUM, Work, available, revision, wanted},
};

impl Work<'_> {
    /// Spreads the wanted number over the ReplicaSets as they stand to each other; true where one changes.
    pub fn scale_proportionally(&mut self) -> bool {
        let before = self.decision.actions.len();
        let active: Vec<Value> = self.all().filter(|set| wanted(set) > 0).cloned().collect();
        let only = match active.as_slice() {
            [] => self.new.clone().or_else(|| self.old.iter().max_by_key(|set| revision(set)).cloned()),
            [one] => Some(one.clone()),
            _ => None,
        };
        if let Some(only) = only {
            let noted = annotation(&only, DESIRED).is_none_or(|text| text == self.wanted().to_string());
            if wanted(&only) != self.wanted() || !noted {
                self.scale(&only, self.wanted());
            }
            return self.decision.actions.len() > before;
        }
        if active.is_empty() {
            return false;
        }
        if self.is_saturated() {
            for set in self.old.clone().iter().filter(|set| wanted(set) > 0) {
                self.scale(set, 0);
            }
        } else if self.is_rolling() {
            self.spread(active);
        }
        self.decision.actions.len() > before
    }

    /// Whether the new ReplicaSet alone has all the pods, available.
    fn is_saturated(&self) -> bool {
        self.new.as_ref().is_some_and(|new| {
            let desired = annotation(new, DESIRED).and_then(|text| text.parse().ok());
            wanted(new) == self.wanted() && desired == Some(self.wanted()) && available(new) == self.wanted()
        })
    }

    fn spread(&mut self, mut active: Vec<Value>) {
        let allowed = if self.wanted() > 0 { self.wanted() + self.bounds().0 } else { 0 };
        let total: i64 = active.iter().map(wanted).sum();
        let change = allowed - total;
        // The larger first; of the same size the newer where pods are added, the older where they are taken.
        active.sort_by_key(|set| objects::read_time(set, "/metadata/creationTimestamp"));
        if change > 0 {
            active.reverse();
        }
        active.sort_by_key(|set| std::cmp::Reverse(wanted(set)));
        let mut sizes: Vec<i64> = active.iter().map(wanted).collect();
        let mut given = 0;
        for (set, size) in active.iter().zip(&mut sizes) {
            let part = self.proportion(set, change, given);
            *size += part;
            given += part;
        }
        if let Some(first) = sizes.first_mut() {
            *first = (*first + change - given).max(0);
        }
        for (set, size) in active.iter().zip(sizes) {
            self.scale(set, size);
        }
    }

    /// The part of a change that falls on one ReplicaSet.
    ///
    /// Source: `GetReplicaSetProportion`.
    fn proportion(&self, set: &Value, change: i64, given: i64) -> i64 {
        if wanted(set) == 0 || change == 0 || change == given {
            return 0;
        }
        let most = annotation(set, MAXIMUM).and_then(|text| text.parse().ok()).filter(|most: &i64| *most > 0);
        let most = most.unwrap_or(self.wanted());
        let target = (2 * wanted(set) * (self.wanted() + self.bounds().0) + most).div_euclid(2 * most);
        let part = target - wanted(set);
        let left = change - given;
        if change > 0 { part.min(left) } else { part.max(left) }
    }
}
