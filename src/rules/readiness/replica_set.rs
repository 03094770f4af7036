//! ReplicaSets and ReplicationControllers that are deployed themselves.

use serde_json::Value;

use super::health::unseen;
use crate::{
    model::Health,
    rules::fields::{count, counted, number},
};

pub(super) fn health(object: &Value) -> Option<Health> {
    Some(unseen(object).unwrap_or_else(|| judge(object)))
}

fn judge(object: &Value) -> Health {
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let replicas = count(object, "/status/replicas");
    let available = count(object, "/status/availableReplicas").min(count(object, "/status/readyReplicas"));
    if replicas < wanted {
        return Health::in_progress(format!("{replicas} of {wanted} created"));
    }
    if replicas > wanted {
        return Health::in_progress(format!("{} to go", replicas - wanted));
    }
    if available < wanted {
        return Health::in_progress(format!("{available} of {wanted} available"));
    }
    Health::current(format!("{} available", counted(wanted, "replica")))
}

#[cfg(test)]
mod tests {
    use crate::{model::Status, rules::readiness::tests::said};

    #[test]
    fn replicas_are_created_and_available() {
        let of = |status: &str| {
            said(&format!(
                "{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{generation: 1}}, spec: {{replicas: 2}}, status: {{observedGeneration: 1, {status}}}}}"
            ))
        };
        assert_eq!(
            of("replicas: 2, readyReplicas: 2, availableReplicas: 1"),
            (Status::InProgress, "1 of 2 available".into())
        );
        assert_eq!(
            of("replicas: 2, readyReplicas: 2, availableReplicas: 2"),
            (Status::Current, "2 replicas available".into())
        );
    }
}
