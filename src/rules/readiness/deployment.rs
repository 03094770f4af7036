//! Deployments.

use serde_json::Value;

use super::health::unseen;
use crate::{
    model::{Health, Status},
    rules::fields::{Condition, condition, count, counted, is_true, number},
};

/// The value of `progressDeadlineSeconds` that means none.
const NO_DEADLINE: i64 = i32::MAX as i64;

pub(super) fn health(object: &Value) -> Option<Health> {
    Some(unseen(object).unwrap_or_else(|| judge(object)))
}

fn judge(object: &Value) -> Health {
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let updated = count(object, "/status/updatedReplicas");
    if is_true(object, "/spec/paused") {
        let message = format!("paused with {updated} of {wanted} updated; `kubectl rollout resume` lets it go on");
        return Health::new(Status::Current, "Paused", message);
    }
    let progressing = condition(object, "Progressing");
    if let Some(condition) = progressing
        && condition.reason == "ProgressDeadlineExceeded"
    {
        let deadline = number(object, "/spec/progressDeadlineSeconds").unwrap_or(600);
        let message = format!("made no progress for {deadline} s: {}", gap(object, wanted).unwrap_or_default());
        return Health::failed(condition.reason, message.trim_end_matches(": "));
    }
    match gap(object, wanted).or_else(|| unfinished(object, progressing)) {
        Some(message) => Health::in_progress(message),
        None => Health::current(format!("{} available", counted(wanted, "replica"))),
    }
}

/// What the numbers of the status say is missing.
fn gap(object: &Value, wanted: i64) -> Option<String> {
    let replicas = count(object, "/status/replicas");
    let updated = count(object, "/status/updatedReplicas");
    let ready = count(object, "/status/readyReplicas");
    let available = count(object, "/status/availableReplicas");
    if updated < wanted {
        return Some(format!("{updated} of {wanted} updated"));
    }
    if replicas > wanted {
        return Some(format!("{updated} of {wanted} updated, {} old to go", replicas - wanted));
    }
    (available < updated || ready < wanted || replicas < wanted)
        .then(|| format!("{} of {wanted} available", available.min(ready)))
}

/// What the conditions say, where the numbers are right already.
fn unfinished(object: &Value, progressing: Option<Condition>) -> Option<String> {
    let has_deadline = number(object, "/spec/progressDeadlineSeconds") != Some(NO_DEADLINE);
    if let Some(condition) = progressing
        && has_deadline
        && condition.reason != "NewReplicaSetAvailable"
    {
        return Some(format!("finishing: {}", condition.words()));
    }
    let available = condition(object, "Available").filter(|condition| !condition.is_true())?;
    Some(available.words().to_owned())
}

#[cfg(test)]
mod tests {
    use crate::{
        model::Status,
        rules::readiness::tests::{judge, said},
    };

    fn deployment(spec: &str, status: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api, generation: 2}}\nspec: {{replicas: 2, progressDeadlineSeconds: 600{spec}}}\nstatus: {{observedGeneration: 2, {status}}}\n"
        )
    }

    const DONE: &str = "conditions: [{type: Available, status: 'True', reason: MinimumReplicasAvailable}, {type: Progressing, status: 'True', reason: NewReplicaSetAvailable}]";
    const GOING: &str = "conditions: [{type: Available, status: 'True'}, {type: Progressing, status: 'True', reason: ReplicaSetUpdated, message: ReplicaSet \"api-1\" is progressing.}]";

    #[test]
    fn a_new_one_waits_for_its_controller() {
        let health = judge(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {generation: 1}, spec: {replicas: 1}, status: {}}",
        );
        assert_eq!(
            (health.status, health.message.as_str()),
            (Status::InProgress, "waiting for the controller of Deployments")
        );
    }

    #[test]
    fn numbers_are_read_in_the_order_of_a_rollout() {
        let of = |status: &str| said(&deployment("", &format!("{status}, {GOING}")));
        assert_eq!(
            of("replicas: 2, readyReplicas: 2, availableReplicas: 2"),
            (Status::InProgress, "0 of 2 updated".into())
        );
        assert_eq!(
            of("replicas: 3, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2"),
            (Status::InProgress, "2 of 2 updated, 1 old to go".into())
        );
        assert_eq!(
            of("replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1"),
            (Status::InProgress, "1 of 2 available".into())
        );
        assert_eq!(
            of("replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2"),
            (Status::InProgress, "finishing: ReplicaSet \"api-1\" is progressing.".into())
        );
    }

    #[test]
    fn done_is_said_with_its_replicas() {
        let all = "replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2";
        assert_eq!(said(&deployment("", &format!("{all}, {DONE}"))), (Status::Current, "2 replicas available".into()));
        let no_deadline = deployment("", &format!("{all}, conditions: [{{type: Available, status: 'True'}}]"))
            .replace("progressDeadlineSeconds: 600", "progressDeadlineSeconds: 2147483647");
        assert_eq!(judge(&no_deadline).status, Status::Current);
        let none = deployment("", DONE).replace("replicas: 2", "replicas: 0");
        assert_eq!(said(&none), (Status::Current, "0 replicas available".into()));
    }

    #[test]
    fn a_deadline_is_a_failure() {
        let health = judge(&deployment(
            "",
            "replicas: 2, updatedReplicas: 1, conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]",
        ));
        assert_eq!((health.status, health.reason.as_str()), (Status::Failed, "ProgressDeadlineExceeded"));
        assert_eq!(health.message, "made no progress for 600 s: 1 of 2 updated");
    }

    #[test]
    fn a_paused_one_is_not_waited_for_and_says_so() {
        let health = judge(&deployment(", paused: true", "replicas: 2, updatedReplicas: 1"));
        assert_eq!((health.status, health.reason.as_str()), (Status::Current, "Paused"));
        assert!(health.message.starts_with("paused with 1 of 2 updated"), "{}", health.message);
    }
}
