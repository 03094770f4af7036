//! The status of a Deployment.
//!
//! Source: `progress.go` and `sync.go`, `calculateStatus`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::objects::{self, after, read_time, remove_condition, time, without_zeros},
    set::{Work, available, wanted},
};
use crate::rules::fields::{Condition, condition, count, is_true, list, number};

/// Pods by their state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub replicas: i64,
    pub updated: i64,
    pub ready: i64,
    pub available: i64,
    pub unavailable: i64,
}

impl Work<'_> {
    pub fn counts(&self) -> Counts {
        let sum = |pointer: &str| self.all().map(|set| count(set, pointer)).sum();
        let available: i64 = self.all().map(available).sum();
        Counts {
            replicas: sum("/status/replicas"),
            updated: self.new.as_ref().map_or(0, |new| count(new, "/status/replicas")),
            ready: sum("/status/readyReplicas"),
            available,
            unavailable: (self.all().map(wanted).sum::<i64>() - available).max(0),
        }
    }

    /// After how many seconds without progress it is late, if ever.
    pub fn deadline(&self) -> Option<i64> {
        number(&self.deployment, "/spec/progressDeadlineSeconds").filter(|seconds| *seconds != i64::from(i32::MAX))
    }

    pub fn progressing(&self) -> Option<Condition<'_>> {
        condition(&self.deployment, "Progressing")
    }

    pub fn condition(&self, kind: &str, status: &str, reason: &str, message: &str) -> Value {
        let now = time(self.view.now);
        json!({"type": kind, "status": status, "lastUpdateTime": now, "lastTransitionTime": now,
            "reason": reason, "message": message})
    }

    /// Sets a condition at the end of the list, unless it is as it was but for its message.
    pub fn set_condition(&self, status: &mut Value, mut new: Value) {
        let found = list(status, "/conditions").iter().find(|found| found["type"] == new["type"]).cloned();
        if let Some(found) = found {
            if found["status"] == new["status"] && found["reason"] == new["reason"] {
                return;
            }
            if found["status"] == new["status"] {
                new["lastTransitionTime"] = found["lastTransitionTime"].clone();
            }
        }
        remove_condition(status, new["type"].as_str().unwrap_or_default());
        match status["conditions"].as_array_mut() {
            Some(conditions) => conditions.push(new),
            None => status["conditions"] = json!([new]),
        }
    }

    /// Keeps in a condition that a Deployment with a deadline is paused, or goes on; true where that changed.
    pub fn note_pause(&mut self) -> bool {
        let reason = self.progressing().map_or("", |found| found.reason);
        if self.deadline().is_none() || reason == "ProgressDeadlineExceeded" {
            return false;
        }
        let (reason, message) = match (is_true(&self.deployment, "/spec/paused"), reason == "DeploymentPaused") {
            (true, false) => ("DeploymentPaused", "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return false,
        };
        let mut changed = self.deployment.clone();
        let condition = self.condition("Progressing", "Unknown", reason, message);
        self.set_condition(&mut changed["status"], condition);
        self.decision.status(&self.key, changed);
        true
    }

    /// Brings the status up to date.
    pub fn sync_status(&mut self) {
        let counts = self.counts();
        let mut status = without_zeros(json!({
            "observedGeneration": self.deployment["metadata"]["generation"], "replicas": counts.replicas,
            "updatedReplicas": counts.updated, "readyReplicas": counts.ready, "availableReplicas": counts.available,
            "unavailableReplicas": counts.unavailable,
        }));
        if let Some(collisions) = self.deployment["status"].get("collisionCount") {
            status["collisionCount"] = collisions.clone();
        }
        status["conditions"] = json!(list(&self.deployment, "/status/conditions"));
        let enough = counts.available >= self.wanted() - self.max_unavailable();
        let condition = if enough {
            let message = "Deployment has minimum availability.";
            self.condition("Available", "True", "MinimumReplicasAvailable", message)
        } else {
            let message = "Deployment does not have minimum availability.";
            self.condition("Available", "False", "MinimumReplicasUnavailable", message)
        };
        self.set_condition(&mut status, condition);
        if !objects::is_deleted(&self.deployment) && !is_true(&self.deployment, "/spec/paused") {
            self.judge_progress(&mut status, counts);
        }
        self.note_failure(&mut status);
        if list(&status, "/conditions").is_empty() {
            status.as_object_mut().map(|fields| fields.shift_remove("conditions"));
        }
        if status != self.deployment["status"] {
            let mut changed = self.deployment.clone();
            changed["status"] = status;
            self.decision.status(&self.key, changed);
        }
    }

    fn judge_progress(&mut self, status: &mut Value, counts: Counts) {
        let Some(deadline) = self.deadline() else {
            remove_condition(status, "Progressing");
            return;
        };
        let current = self.progressing();
        let name = self.new_name().map_or_else(
            || format!("Deployment \"{}\"", objects::name(&self.deployment)),
            |name| format!("ReplicaSet \"{name}\""),
        );
        let was_complete = counts.replicas == counts.updated
            && current.is_some_and(|current| current.reason == "NewReplicaSetAvailable");
        if was_complete {
            return;
        }
        if self.is_complete() {
            let message = format!("{name} has successfully progressed.");
            let condition = self.condition("Progressing", "True", "NewReplicaSetAvailable", &message);
            self.set_condition(status, condition);
        } else if self.has_progressed(counts) {
            let message = format!("{name} is progressing.");
            let mut condition = self.condition("Progressing", "True", "ReplicaSetUpdated", &message);
            let found =
                list(&self.deployment, "/status/conditions").iter().find(|found| found["type"] == "Progressing");
            if let Some(found) = found.filter(|found| found["status"] == "True") {
                condition["lastTransitionTime"] = found["lastTransitionTime"].clone();
            }
            remove_condition(status, "Progressing");
            self.set_condition(status, condition);
            self.decision.at(after(self.view.now, deadline + 1));
        } else {
            self.judge_deadline(status, deadline, &name);
        }
    }

    fn judge_deadline(&mut self, status: &mut Value, deadline: i64, name: &str) {
        let found = list(status, "/conditions").iter().find(|found| found["type"] == "Progressing");
        let Some(found) = found.filter(|found| found["reason"] != "NewReplicaSetAvailable") else { return };
        let since = read_time(found, "/lastUpdateTime").unwrap_or(Timestamp::UNIX_EPOCH);
        if found["reason"] == "ProgressDeadlineExceeded" {
            return;
        }
        let late = after(since, deadline);
        if late < self.view.now {
            let message = format!("{name} has timed out progressing.");
            let condition = self.condition("Progressing", "False", "ProgressDeadlineExceeded", &message);
            self.set_condition(status, condition);
        } else {
            self.decision.at(after(late, 1));
        }
    }

    /// Whether more is updated, ready, available or gone than at the last look.
    fn has_progressed(&self, new: Counts) -> bool {
        let old = |pointer: &str| count(&self.deployment, pointer);
        let old_pods = old("/status/replicas") - old("/status/updatedReplicas");
        new.updated > old("/status/updatedReplicas")
            || new.replicas - new.updated < old_pods
            || new.ready > old("/status/readyReplicas")
            || new.available > old("/status/availableReplicas")
    }

    /// Takes over that a ReplicaSet cannot make its pods.
    fn note_failure(&self, status: &mut Value) {
        let failure = |set: &Value| {
            list(set, "/status/conditions").iter().find(|found| found["type"] == "ReplicaFailure").cloned()
        };
        match self.new.iter().chain(&self.old).find_map(failure) {
            Some(mut found) => {
                found["lastUpdateTime"] = found["lastTransitionTime"].clone();
                self.set_condition(status, found);
            }
            None => remove_condition(status, "ReplicaFailure"),
        }
    }
}
