//! One look at a Job.

use serde_json::{Value, json};

use super::{
    super::{
        action::{Action, Decision, Notice, View},
        objects::{self, after, read_time, time},
        tables::Key,
    },
    counts::{Pods, read_indexes},
    finish::{self, End},
    pods::{self, CONTROLLER},
};
use crate::rules::fields::{count, is_true, list, number, text};

/// What a Job needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(job) = view.cache.get(key) else { return decision };
    let members = Pods::of(view, &job);
    let indexed = text(&job, "/spec/completionMode") == "Indexed";
    let mut status = job["status"].clone();
    if !status["uncountedTerminatedPods"].is_object() {
        status["uncountedTerminatedPods"] = json!({});
    }
    let released = members.count(&mut status, indexed);
    let finished = finish::is_finished(&job);
    let suspended = is_true(&job, "/spec/suspend");
    if !finished && !suspended && status.get("startTime").is_none() {
        status["startTime"] = time(view.now);
    }
    let end = if finished { None } else { finish::end(view, &job, &status, &members) };
    let deleted = objects::is_deleted(&job);
    match &end {
        Some(end) => conclude(view, &job, &members, &mut status, end, &mut decision),
        None if finished => expire(view, key, &job, &mut decision),
        None if suspended => suspend(view, &job, &members, &mut status, &mut decision),
        None if deleted => {}
        None => {
            resume(view, &job, &mut status, &mut decision);
            grow(view, &job, &status, &members, &mut decision);
        }
    }
    let created = decision.actions.iter().filter(|action| matches!(action, Action::Create { .. })).count();
    let active = if end.is_some() || suspended { 0 } else { members.active().count() + created };
    for (field, number) in [("active", active), ("succeeded", 0), ("failed", 0)] {
        let number = if field == "active" { number as i64 } else { count(&status, &format!("/{field}")) };
        match status.as_object_mut() {
            Some(fields) if number == 0 => drop(fields.shift_remove(field)),
            _ => status[field] = json!(number),
        }
    }
    status["ready"] = json!(if end.is_some() { 0 } else { members.ready() });
    status["terminating"] = json!(members.terminating());
    let mut actions = Vec::new();
    if status != job["status"] {
        let mut changed = job.clone();
        changed["status"] = status;
        let mut first = Decision::none();
        first.status(key, changed);
        actions = first.actions;
    }
    for (place, pod) in released {
        let mut release = Decision::none();
        release.update(&place, pod);
        actions.extend(release.actions);
    }
    actions.append(&mut decision.actions);
    decision.actions = actions;
    decision
}

/// Deletes what still runs, and says how the Job ended when every pod is counted.
fn conclude(view: &View<'_>, job: &Value, members: &Pods<'_>, status: &mut Value, end: &End, decision: &mut Decision) {
    let (aim, kind) = if end.well { ("SuccessCriteriaMet", "Complete") } else { ("FailureTarget", "Failed") };
    finish::add(view, status, aim, end);
    for (place, entry) in members.active() {
        decision.delete(place, &entry.head.uid);
        let message = format!("Deleted pod: {}", place.name());
        decision.tell(Notice::of(job, CONTROLLER, "SuccessfulDelete", message));
    }
    let counted = status["uncountedTerminatedPods"].as_object().is_none_or(|fields| fields.is_empty());
    if !counted || members.active().count() > 0 || members.terminating() > 0 {
        return;
    }
    finish::add(view, status, kind, end);
    if end.well {
        status["completionTime"] = time(view.now);
        decision.tell(Notice::of(job, CONTROLLER, "Completed", "Job completed".into()));
    } else {
        decision.tell(Notice::of(job, CONTROLLER, end.reason, end.message.into()).warning());
    }
}

/// Deletes a finished Job when its time is over.
fn expire(view: &View<'_>, key: &Key, job: &Value, decision: &mut Decision) {
    let Some(seconds) = number(job, "/spec/ttlSecondsAfterFinished").filter(|_| !objects::is_deleted(job)) else {
        return;
    };
    let ended = list(job, "/status/conditions")
        .iter()
        .find(|found| matches!(text(found, "/type"), "Complete" | "Failed") && text(found, "/status") == "True");
    let Some(at) = ended.and_then(|found| read_time(found, "/lastTransitionTime")) else { return };
    if after(at, seconds) > view.now {
        decision.at(after(at, seconds));
        return;
    }
    decision.actions.push(Action::Delete {
        key: key.clone(),
        uid: objects::uid(job).into(),
        grace: None,
        propagation: Some("Foreground"),
    });
}

const SUSPENDED: End = End { well: true, reason: "JobSuspended", message: "Job suspended" };

fn suspend(view: &View<'_>, job: &Value, members: &Pods<'_>, status: &mut Value, decision: &mut Decision) {
    for (place, entry) in members.active() {
        decision.delete(place, &entry.head.uid);
    }
    let is_told = list(status, "/conditions").iter().any(|it| it["type"] == "Suspended" && it["status"] == "True");
    if !is_told {
        objects::remove_condition(status, "Suspended");
        finish::add(view, status, "Suspended", &SUSPENDED);
        decision.tell(Notice::of(job, CONTROLLER, "Suspended", SUSPENDED.message.into()));
    }
    if let Some(fields) = status.as_object_mut() {
        fields.shift_remove("startTime");
    }
}

fn resume(view: &View<'_>, job: &Value, status: &mut Value, decision: &mut Decision) {
    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
    for found in conditions.into_iter().flatten() {
        if found["type"] == "Suspended" && found["status"] == "True" {
            found["status"] = json!("False");
            found["reason"] = json!("JobResumed");
            found["message"] = json!("Job resumed");
            found["lastTransitionTime"] = time(view.now);
            decision.tell(Notice::of(job, CONTROLLER, "Resumed", "Job resumed".into()));
        }
    }
}

/// Makes the pods that are missing, after a pause that doubles with each failure.
fn grow(view: &View<'_>, job: &Value, status: &Value, members: &Pods<'_>, decision: &mut Decision) {
    if let Some((start, deadline)) = read_time(status, "/startTime").zip(number(job, "/spec/activeDeadlineSeconds")) {
        decision.at(after(start, deadline));
    }
    let active = members.active().count() as i64;
    let parallel = number(job, "/spec/parallelism").unwrap_or(1);
    let uncounted = list(status, "/uncountedTerminatedPods/succeeded").len() as i64;
    let succeeded = count(status, "/succeeded") + uncounted;
    let left = number(job, "/spec/completions")
        .map_or_else(|| if succeeded > 0 { 0 } else { parallel }, |completions| completions - succeeded);
    let missing = (parallel.min(left) - active).max(0);
    let failed = count(status, "/failed") + list(status, "/uncountedTerminatedPods/failed").len() as i64;
    if missing > 0 && failed > 0 {
        let last = members.all.iter().filter_map(|(_, entry)| last_end(&entry.object())).max();
        let pause = 10i64.saturating_mul(1 << (failed - 1).clamp(0, 6)).min(600);
        if let Some(next) = last.map(|last| after(last, pause)).filter(|next| *next > view.now) {
            decision.at(next);
            return;
        }
    }
    if text(job, "/spec/completionMode") != "Indexed" {
        (0..missing.min(500)).for_each(|_| pods::create(view, job, None, decision));
        return;
    }
    let mut taken = members.active_indexes();
    taken.extend(read_indexes(text(status, "/completedIndexes")));
    let completions = number(job, "/spec/completions").unwrap_or(0);
    let free = (0..completions).filter(|index| !taken.contains(index));
    for index in free.take(usize::try_from(missing.min(500)).unwrap_or(0)) {
        pods::create(view, job, Some(index), decision);
    }
}

fn last_end(pod: &Value) -> Option<jiff::Timestamp> {
    let statuses = list(pod, "/status/containerStatuses").iter();
    statuses.filter_map(|status| read_time(status, "/state/terminated/finishedAt")).max()
}
