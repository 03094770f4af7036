//! DaemonSets.

use serde_json::Value;

use super::health::unseen;
use crate::{
    model::Health,
    rules::fields::{count, counted, number, text},
};

pub(super) fn health(object: &Value) -> Option<Health> {
    Some(unseen(object).unwrap_or_else(|| judge(object)))
}

fn judge(object: &Value) -> Health {
    let Some(wanted) = number(object, "/status/desiredNumberScheduled") else {
        return Health::in_progress("waiting for the controller of DaemonSets");
    };
    let current = count(object, "/status/currentNumberScheduled");
    let updated = count(object, "/status/updatedNumberScheduled");
    let available = count(object, "/status/numberAvailable").min(count(object, "/status/numberReady"));
    let by_hand = text(object, "/spec/updateStrategy/type") == "OnDelete";
    if wanted == 0 {
        return Health::current("no node matches it");
    }
    if current < wanted {
        return Health::in_progress(format!("{current} of {wanted} created"));
    }
    if by_hand && updated < wanted {
        return Health::current(format!(
            "{updated} of {wanted} updated; the others change when they are deleted (OnDelete)"
        ));
    }
    if updated < wanted {
        return Health::in_progress(format!("{updated} of {wanted} updated"));
    }
    if available < wanted {
        return Health::in_progress(format!("{available} of {wanted} available"));
    }
    Health::current(format!("{} available", counted(wanted, "pod")))
}

#[cfg(test)]
mod tests {
    use crate::{model::Status, rules::readiness::tests::said};

    fn daemon_set(strategy: &str, status: &str) -> (Status, String) {
        said(&format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: agent, generation: 1}}\nspec: {{updateStrategy: {{type: {strategy}}}}}\nstatus: {{{status}}}\n"
        ))
    }

    #[test]
    fn every_node_has_a_new_available_pod() {
        let of = |status: &str| daemon_set("RollingUpdate", status);
        assert_eq!(of(""), (Status::InProgress, "waiting for the controller of DaemonSets".into()));
        assert_eq!(
            of(
                "observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, numberReady: 2, numberAvailable: 2"
            ),
            (Status::InProgress, "0 of 2 updated".into())
        );
        assert_eq!(
            of(
                "observedGeneration: 1, desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 0, numberUnavailable: 1"
            ),
            (Status::InProgress, "0 of 1 available".into())
        );
        assert_eq!(
            of(
                "observedGeneration: 1, desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 1, numberAvailable: 1"
            ),
            (Status::Current, "1 pod available".into())
        );
        assert_eq!(of("observedGeneration: 1, desiredNumberScheduled: 0").1, "no node matches it");
    }

    #[test]
    fn on_delete_waits_for_nobody_to_delete() {
        let (status, message) = daemon_set(
            "OnDelete",
            "observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 0, numberReady: 2, numberAvailable: 2",
        );
        assert_eq!((status, message.starts_with("0 of 2 updated;")), (Status::Current, true));
    }
}
