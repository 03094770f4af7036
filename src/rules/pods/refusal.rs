//! Pods that do not exist because the API server refuses them: quota, pod security, admission.

use jiff::Timestamp;
use serde_json::Value;

use super::state::{Allowance, Stage, Trouble};
use crate::rules::{
    events::{newest, time},
    fields::{Condition, condition, text},
};

/// Words of refusals that end when something else does: old pods leave the quota, a webhook starts.
const PASSING: [&str; 4] = ["failed calling webhook", "connection refused", "i/o timeout", "context deadline exceeded"];

/// Why the pods of a workload cannot be created, read from its own and its ReplicaSet's conditions (`owners`) and
/// from events about them that are newer than `since`. `others_leave` says that old pods of it are still there.
pub fn creation(owners: &[&Value], events: &[&Value], since: Timestamp, others_leave: bool) -> Option<Trouble> {
    let refused = |owner: &Value| {
        condition(owner, "ReplicaFailure").filter(Condition::is_true).map(|condition| condition.message.to_owned())
    };
    let from_event = || {
        let event = newest(events, |event| {
            text(event, "/reason") == "FailedCreate" && time(event).is_some_and(|time| time >= since)
        })?;
        Some(text(event, "/message").to_owned())
    };
    let words = owners.iter().find_map(|owner| refused(owner)).or_else(from_event)?;
    let passing = PASSING.iter().any(|sign| words.contains(sign)) || (others_leave && words.contains("exceeded quota"));
    Some(Trouble {
        stage: Stage::Creation,
        container: None,
        reason: "FailedCreate".into(),
        message: format!("its pods are refused: {}", cause(&words)),
        allowance: Allowance::Grace(if passing { 3 } else { 1 }),
    })
}

/// What the API server said, without the name of a pod that does not exist.
fn cause(words: &str) -> &str {
    words.split_once("is forbidden: ").map_or(words, |(_, cause)| cause).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn since() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_condition_of_the_replica_set_tells() {
        let replica_set = yaml(
            "{status: {conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: 'pods \"d-7b464895c5-wcq52\" is forbidden: failed quota: q: must specify cpu for: busybox'}]}}",
        );
        let refused = creation(&[&replica_set], &[], since(), false).unwrap();
        assert_eq!(refused.message, "its pods are refused: failed quota: q: must specify cpu for: busybox");
        assert_eq!((refused.reason.as_str(), refused.allowance), ("FailedCreate", Allowance::Grace(1)));
    }

    #[test]
    fn an_event_tells_unless_it_is_old() {
        let event = |time: &str| {
            yaml(&format!(
                "{{reason: FailedCreate, lastTimestamp: {time}, message: 'Error creating: pods \"a-\" is forbidden: error looking up service account x/absent: serviceaccount \"absent\" not found'}}"
            ))
        };
        let refused = creation(&[], &[&event("2026-11-21T10:00:40Z")], since(), false).unwrap();
        assert_eq!(
            refused.message,
            "its pods are refused: error looking up service account x/absent: serviceaccount \"absent\" not found"
        );
        assert_eq!(creation(&[], &[&event("2026-11-21T09:00:40Z")], since(), false), None);
    }

    #[test]
    fn a_quota_may_have_room_when_old_pods_leave() {
        let event = yaml(
            "{reason: FailedCreate, lastTimestamp: 2026-11-21T10:00:40Z, message: 'pods \"a\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'}",
        );
        let allowance = |others| creation(&[], &[&event], since(), others).unwrap().allowance;
        assert_eq!((allowance(false), allowance(true)), (Allowance::Grace(1), Allowance::Grace(3)));
    }
}
