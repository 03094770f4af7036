//! The Jobs of a CronJob: those that run, and how many of the others are kept.

use serde_json::{Value, json};

use super::{
    super::{
        action::{Action, Decision, Notice, View, reference},
        objects::{self, read_time},
        tables::{self, Key},
    },
    reconcile::CONTROLLER,
};
use crate::rules::fields::{condition, list, number, text};

/// A Job, and how it ended.
pub struct Child {
    pub key: Key,
    pub object: Value,
    /// `Complete` or `Failed`; None while it runs.
    pub end: Option<&'static str>,
}

/// The Jobs that a CronJob made.
pub fn children(view: &View<'_>, cron_job: &Value) -> Vec<Child> {
    let owned = view.cache.controlled(objects::uid(cron_job), tables::JOBS);
    let child = |(key, entry): (&Key, &super::super::cache::Entry)| {
        let object = entry.object();
        let is = |kind: &&str| condition(&object, kind).is_some_and(|found| found.is_true());
        let end = ["Complete", "Failed"].into_iter().find(is);
        Child { key: key.clone(), object, end }
    };
    owned.map(child).collect()
}

/// Takes into the status which Jobs run now, and which have ended well.
pub fn take_in(cron_job: &Value, children: &[Child], status: &mut Value, decision: &mut Decision) {
    let mut active = list(status, "/active").to_vec();
    for child in children {
        let uid = &child.object["metadata"]["uid"];
        let listed = active.iter().any(|job| job["uid"] == *uid);
        match child.end {
            None if !listed && !objects::is_deleted(&child.object) => active.push(reference(&child.object)),
            Some(end) if listed => {
                active.retain(|job| job["uid"] != *uid);
                let message = format!("Saw completed job: {}, condition: {end}", objects::name(&child.object));
                decision.tell(Notice::of(cron_job, CONTROLLER, "SawCompletedJob", message));
            }
            _ => {}
        }
        let ended = read_time(&child.object, "/status/completionTime").filter(|_| child.end == Some("Complete"));
        if ended > read_time(status, "/lastSuccessfulTime") {
            status["lastSuccessfulTime"] = child.object["status"]["completionTime"].clone();
        }
    }
    active.retain(|job| {
        let is_there = children.iter().any(|child| child.object["metadata"]["uid"] == job["uid"]);
        if !is_there {
            let message = format!("Active job went missing: {}", text(job, "/name"));
            decision.tell(Notice::of(cron_job, CONTROLLER, "MissingJob", message));
        }
        is_there
    });
    write_active(status, active);
}

/// Writes the list of Jobs that run; an empty one is left out.
fn write_active(status: &mut Value, active: Vec<Value>) {
    match status.as_object_mut() {
        Some(fields) if active.is_empty() => drop(fields.shift_remove("active")),
        _ => status["active"] = json!(active),
    }
}

/// Deletes the oldest of the Jobs that ended, beyond those that are kept.
pub fn clean_up(cron_job: &Value, children: &[Child], decision: &mut Decision) {
    for (end, limit) in [("Complete", "/spec/successfulJobsHistoryLimit"), ("Failed", "/spec/failedJobsHistoryLimit")] {
        let Some(limit) = number(cron_job, limit).and_then(|limit| usize::try_from(limit).ok()) else { continue };
        let mut ended: Vec<&Child> =
            children.iter().filter(|child| child.end == Some(end) && !objects::is_deleted(&child.object)).collect();
        ended.sort_by_key(|child| {
            (read_time(&child.object, "/status/startTime"), objects::name(&child.object).to_owned())
        });
        for child in ended.iter().take(ended.len().saturating_sub(limit)) {
            delete(cron_job, child, decision);
        }
    }
}

/// Deletes a Job with its pods.
pub fn delete(cron_job: &Value, child: &Child, decision: &mut Decision) {
    decision.actions.push(Action::Delete {
        key: child.key.clone(),
        uid: objects::uid(&child.object).into(),
        grace: None,
        propagation: Some("Background"),
    });
    let message = format!("Deleted job {}", child.key.name());
    decision.tell(Notice::of(cron_job, CONTROLLER, "SuccessfulDelete", message));
}

/// Deletes the Jobs that still run, and takes them out of the status.
pub fn replace(cron_job: &Value, children: &[Child], status: &mut Value, decision: &mut Decision) {
    for child in children.iter().filter(|child| child.end.is_none() && !objects::is_deleted(&child.object)) {
        delete(cron_job, child, decision);
    }
    write_active(status, Vec::new());
}
