//! Pods that are deployed themselves. What their containers say of errors is judged in `rules::pods`.

use serde_json::Value;

use crate::{
    model::Health,
    rules::fields::{Condition, condition, text},
};

pub(super) fn health(object: &Value) -> Option<Health> {
    let ready = condition(object, "Ready").as_ref().is_some_and(Condition::is_true);
    Some(match (text(object, "/status/phase"), ready) {
        ("Succeeded", _) => Health::current("succeeded"),
        ("Failed", _) => failed(object),
        ("Running", true) => Health::current("is ready"),
        ("Running", false) => Health::in_progress("runs, and is not ready"),
        ("Pending" | "", _) => Health::in_progress("has not started"),
        (phase, _) => Health::in_progress(format!("its phase is {phase}")),
    })
}

fn failed(object: &Value) -> Health {
    let reason = match text(object, "/status/reason") {
        "" => "PodFailed",
        reason => reason,
    };
    let message = match text(object, "/status/message").trim() {
        "" => "failed".to_owned(),
        message => format!("failed: {message}"),
    };
    Health::failed(reason, message)
}

#[cfg(test)]
mod tests {
    use crate::{model::Status, rules::readiness::tests::judge};

    #[test]
    fn phases_are_read() {
        let of = |status: &str| judge(&format!("{{apiVersion: v1, kind: Pod, status: {{{status}}}}}"));
        assert_eq!(of("").status, Status::InProgress);
        assert_eq!(of("phase: Running, conditions: [{type: Ready, status: 'False'}]").status, Status::InProgress);
        assert_eq!(of("phase: Running, conditions: [{type: Ready, status: 'True'}]").status, Status::Current);
        assert_eq!(
            of("phase: Succeeded, conditions: [{type: Ready, status: 'False', reason: PodCompleted}]").status,
            Status::Current
        );
        assert_eq!(
            of("phase: Failed, conditions: [{type: Ready, status: 'False', reason: PodFailed}]").status,
            Status::Failed
        );
        let evicted =
            of("phase: Failed, reason: Evicted, message: 'Usage of EmptyDir volume \"e\" exceeds the limit \"1Mi\". '");
        assert_eq!(
            (evicted.reason.as_str(), evicted.message.as_str()),
            ("Evicted", "failed: Usage of EmptyDir volume \"e\" exceeds the limit \"1Mi\".")
        );
    }
}
