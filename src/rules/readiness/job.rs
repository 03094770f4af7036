//! Jobs. A deploy waits for their end: what comes after a migration needs it done.

use serde_json::Value;

use crate::{
    model::{Health, Status},
    rules::fields::{Condition, condition, count, counted, is_true, number},
};

pub(super) fn health(object: &Value) -> Option<Health> {
    let succeeded = count(object, "/status/succeeded");
    if condition(object, "Complete").as_ref().is_some_and(Condition::is_true) {
        return Some(Health::current(format!("complete, {} succeeded", counted(succeeded, "pod"))));
    }
    // FailureTarget is set before the pods are removed, while they can still say why.
    for kind in ["Failed", "FailureTarget"] {
        if let Some(failed) = condition(object, kind).filter(Condition::is_true) {
            return Some(Health::failed(failed.reason, format!("failed: {}", failed.words())));
        }
    }
    if is_true(object, "/spec/suspend") {
        return Some(Health::new(Status::Current, "Suspended", "suspended; it is not waited for"));
    }
    Some(Health::in_progress(progress(object, succeeded)))
}

fn progress(object: &Value, succeeded: i64) -> String {
    if object.pointer("/status/startTime").is_none() {
        return "not started".into();
    }
    let wanted = number(object, "/spec/completions").unwrap_or(1);
    let mut message = format!("{succeeded} of {} done", counted(wanted, "completion"));
    for (pointer, words) in [("/status/active", "active"), ("/status/failed", "failed")] {
        let count = count(object, pointer);
        if count > 0 {
            message.push_str(&format!(", {count} {words}"));
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use crate::{
        model::Status,
        rules::readiness::tests::{judge, said},
    };

    fn job(spec: &str, status: &str) -> String {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{generation: 1}}, spec: {{completions: 1, {spec}}}, status: {{{status}}}}}"
        )
    }

    #[test]
    fn a_running_job_is_waited_for() {
        assert_eq!(said(&job("", "")), (Status::InProgress, "not started".into()));
        let running = job("", "active: 1, ready: 1, failed: 2, startTime: 2026-11-21T10:00:35Z");
        assert_eq!(said(&running), (Status::InProgress, "0 of 1 completion done, 1 active, 2 failed".into()));
    }

    #[test]
    fn its_conditions_end_it() {
        let complete = job(
            "",
            "succeeded: 1, startTime: x, conditions: [{type: SuccessCriteriaMet, status: 'True'}, {type: Complete, status: 'True'}]",
        );
        assert_eq!(said(&complete), (Status::Current, "complete, 1 pod succeeded".into()));
        let failing = judge(&job(
            "",
            "failed: 2, startTime: x, conditions: [{type: FailureTarget, status: 'True', reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit}]",
        ));
        assert_eq!((failing.status, failing.reason.as_str()), (Status::Failed, "BackoffLimitExceeded"));
        assert_eq!(failing.message, "failed: Job has reached the specified backoff limit");
    }

    #[test]
    fn a_suspended_job_is_not_waited_for() {
        let suspended =
            judge(&job("suspend: true", "conditions: [{type: Suspended, status: 'True', reason: JobSuspended}]"));
        assert_eq!((suspended.status, suspended.reason.as_str()), (Status::Current, "Suspended"));
    }
}
