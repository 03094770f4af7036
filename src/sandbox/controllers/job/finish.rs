//! Whether a Job is at its end.

use serde_json::{Value, json};

use super::super::{
    action::View,
    objects::{after, read_time, time},
};
use super::counts::Pods;
use crate::rules::fields::{condition, count, list, number, text};

/// How a Job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub well: bool,
    pub reason: &'static str,
    pub message: &'static str,
}

const COMPLETE: End =
    End { well: true, reason: "CompletionsReached", message: "Reached expected number of succeeded pods" };
const LIMIT: End =
    End { well: false, reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
const LATE: End =
    End { well: false, reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };

/// Whether a Job has ended already.
pub fn is_finished(job: &Value) -> bool {
    ["Complete", "Failed"].iter().any(|kind| condition(job, kind).is_some_and(|found| found.is_true()))
}

/// The end that was decided on, while its last pods go.
fn decided(status: &Value) -> Option<End> {
    let aim = list(status, "/conditions")
        .iter()
        .find(|found| matches!(text(found, "/type"), "FailureTarget" | "SuccessCriteriaMet"))?;
    [COMPLETE, LIMIT, LATE].into_iter().find(|end| end.reason == text(aim, "/reason"))
}

/// How the Job ends, if it does now. The counts are those of the status, with what is not counted yet.
pub fn end(view: &View<'_>, job: &Value, status: &Value, pods: &Pods<'_>) -> Option<End> {
    if let Some(end) = decided(status) {
        return Some(end);
    }
    let uncounted = |field: &str| list(status, &format!("/uncountedTerminatedPods/{field}")).len() as i64;
    let succeeded = count(status, "/succeeded") + uncounted("succeeded");
    let failed = count(status, "/failed") + uncounted("failed");
    let limit = number(job, "/spec/backoffLimit").unwrap_or(6);
    let active = pods.active().count();
    let restarts: i64 = pods.all.iter().filter_map(|(_, entry)| entry.pod.as_ref()).map(|pod| pod.restarts).sum();
    let in_place = text(job, "/spec/template/spec/restartPolicy") == "OnFailure";
    if let Some(deadline) = number(job, "/spec/activeDeadlineSeconds")
        && let Some(start) = read_time(status, "/startTime")
        && after(start, deadline) <= view.now
    {
        return Some(LATE);
    }
    if failed > limit || (in_place && restarts > 0 && restarts >= limit) {
        return Some(LIMIT);
    }
    match number(job, "/spec/completions") {
        Some(completions) if succeeded >= completions && active == 0 => Some(COMPLETE),
        None if succeeded > 0 && active == 0 => Some(COMPLETE),
        _ => None,
    }
}

/// Adds a condition to a status, unless it is there.
pub fn add(view: &View<'_>, status: &mut Value, kind: &str, end: &End) {
    if list(status, "/conditions").iter().any(|found| found["type"] == kind) {
        return;
    }
    let now = time(view.now);
    let condition = json!({"type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now,
        "reason": end.reason, "message": end.message});
    match status["conditions"].as_array_mut() {
        Some(conditions) => conditions.push(condition),
        None => status["conditions"] = json!([condition]),
    }
}
