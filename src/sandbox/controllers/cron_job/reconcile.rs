//! One look at a CronJob.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    super::{
        action::{Decision, Notice, View},
        objects::{self, owner_reference, time},
        tables::{self, Key},
    },
    due::{Due, next_look},
    history::{self, Child},
};
use crate::rules::{
    fields::{is_true, list, number, text},
    schedule::Schedule,
};

pub const CONTROLLER: &str = "cronjob-controller";
/// The time of the schedule that a Job was made for.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// What a CronJob needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(cron_job) = view.cache.get(key) else { return decision };
    let mut status = cron_job["status"].clone();
    let children = history::children(view, &cron_job);
    history::take_in(&cron_job, &children, &mut status, &mut decision);
    history::clean_up(&cron_job, &children, &mut decision);
    if !objects::is_deleted(&cron_job) && !is_true(&cron_job, "/spec/suspend") {
        schedule(view, key, &cron_job, &children, &mut status, &mut decision);
    }
    if status != cron_job["status"] {
        let mut changed = cron_job.clone();
        changed["status"] = status;
        decision.status(key, changed);
    }
    decision
}

/// Makes a Job where the time has come.
fn schedule(
    view: &View<'_>,
    key: &Key,
    cron_job: &Value,
    children: &[Child],
    status: &mut Value,
    decision: &mut Decision,
) {
    let mut complain = |reason: &'static str, message: String| {
        decision.tell(Notice::of(cron_job, CONTROLLER, reason, message).warning());
    };
    let written = text(cron_job, "/spec/schedule");
    let zone = text(cron_job, "/spec/timeZone");
    if !zone.is_empty() && TimeZone::get(zone).is_err() {
        return complain("UnknownTimeZone", format!("invalid timeZone: {zone:?}: unknown time zone {zone}"));
    }
    let zoned = if zone.is_empty() { written.to_owned() } else { format!("TZ={zone} {written}") };
    let schedule = match Schedule::parse(&zoned) {
        Ok(schedule) => schedule,
        Err(why) => return complain("UnparseableSchedule", format!("unparseable schedule: {written:?} : {why}")),
    };
    let due = match Due::of(cron_job, &schedule, view.now, true) {
        Ok(due) => due,
        Err(why) => return complain("InvalidSchedule", format!("invalid schedule: {written} : {why}")),
    };
    if let Some(at) = next_look(cron_job, &schedule, view.now) {
        decision.at(at);
    }
    let Some(at) = due.time else { return };
    if due.is_far_behind() {
        let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        decision.tell(Notice::of(cron_job, CONTROLLER, "TooManyMissedTimes", message.into()).warning());
    }
    if !is_in_time(view, cron_job, at, decision) || objects::read_time(cron_job, "/status/lastScheduleTime") == Some(at)
    {
        return;
    }
    match text(cron_job, "/spec/concurrencyPolicy") {
        "Forbid" if !list(status, "/active").is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            decision.tell(Notice::of(cron_job, CONTROLLER, "JobAlreadyActive", message.into()));
            return;
        }
        "Replace" => history::replace(cron_job, children, status, decision),
        _ => {}
    }
    let name = format!("{}-{}", objects::name(cron_job), at.as_second() / 60);
    match view.cache.entry(&key.beside(tables::JOBS, &name)) {
        None => create(cron_job, &name, at, zone, decision),
        // Made before a stop of the sandbox; somebody else's of that name is left alone.
        Some(found) if found.head.controller().is_some_and(|owner| *owner.uid == *objects::uid(cron_job)) => {}
        Some(_) => return,
    }
    status["lastScheduleTime"] = time(at);
}

/// Whether a Job of that time may still begin; says so where it may not.
fn is_in_time(view: &View<'_>, cron_job: &Value, at: Timestamp, decision: &mut Decision) -> bool {
    let deadline = number(cron_job, "/spec/startingDeadlineSeconds");
    let late = deadline.is_some_and(|seconds| objects::after(at, seconds) < view.now);
    if late {
        let missed = at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
        let message = format!("Missed scheduled time to start a job: {missed}");
        decision.tell(Notice::of(cron_job, CONTROLLER, "MissSchedule", message).warning());
    }
    !late
}

fn create(cron_job: &Value, name: &str, at: Timestamp, zone: &str, decision: &mut Decision) {
    let template = &cron_job["spec"]["jobTemplate"];
    let mut metadata = Map::new();
    metadata.insert("name".into(), json!(name));
    metadata.insert("namespace".into(), cron_job["metadata"]["namespace"].clone());
    if let Some(labels) = template["metadata"].get("labels").filter(|labels| !labels.is_null()) {
        metadata.insert("labels".into(), labels.clone());
    }
    let mut annotations = template["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    let local = at.to_zoned(TimeZone::get(zone).unwrap_or(TimeZone::UTC));
    let offset = if local.offset().is_zero() { "Z".into() } else { local.strftime("%:z").to_string() };
    annotations.insert(SCHEDULED.into(), json!(format!("{}{offset}", local.strftime("%Y-%m-%dT%H:%M:%S"))));
    metadata.insert("annotations".into(), json!(annotations));
    metadata.insert("ownerReferences".into(), json!([owner_reference(cron_job)]));
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]});
    let refused = Notice::of(cron_job, CONTROLLER, "FailedCreate", "Error creating job: ".into());
    decision.try_create(tables::JOBS, job, refused);
    decision.tell(Notice::of(cron_job, CONTROLLER, "SuccessfulCreate", format!("Created job {name}")));
}
