//! StatefulSets.

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
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let replicas = count(object, "/status/replicas");
    let updated = count(object, "/status/updatedReplicas");
    let ready = count(object, "/status/readyReplicas");
    // Servers before 1.22 do not count available replicas.
    let available = number(object, "/status/availableReplicas").unwrap_or(ready).min(ready);
    let by_hand = text(object, "/spec/updateStrategy/type") == "OnDelete";
    if by_hand && updated < replicas && replicas >= wanted {
        return Health::current(format!(
            "{updated} of {wanted} updated; the others change when they are deleted (OnDelete)"
        ));
    }
    let partition = count(object, "/spec/updateStrategy/rollingUpdate/partition").clamp(0, wanted);
    let to_update = if by_hand { 0 } else { wanted - partition };
    if replicas < wanted {
        return Health::in_progress(format!("{replicas} of {wanted} created"));
    }
    if updated < to_update {
        return Health::in_progress(format!("{updated} of {to_update} updated"));
    }
    if replicas > wanted {
        return Health::in_progress(format!("{} to go", replicas - wanted));
    }
    if available < wanted {
        return Health::in_progress(format!("{available} of {wanted} available"));
    }
    match partition {
        0 => Health::current(format!("{} available", counted(wanted, "replica"))),
        _ => {
            Health::current(format!("{} available, {partition} kept old by the partition", counted(wanted, "replica")))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{model::Status, rules::readiness::tests::said};

    fn stateful_set(strategy: &str, status: &str) -> (Status, String) {
        said(&format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db, generation: 1}}\nspec: {{replicas: 3, updateStrategy: {strategy}}}\nstatus: {{observedGeneration: 1, {status}}}\n"
        ))
    }

    const ROLLING: &str = "{type: RollingUpdate, rollingUpdate: {partition: 0}}";

    #[test]
    fn every_replica_is_updated_and_available() {
        let of = |status: &str| stateful_set(ROLLING, status);
        assert_eq!(of("replicas: 1"), (Status::InProgress, "1 of 3 created".into()));
        assert_eq!(
            of("replicas: 3, readyReplicas: 2, updatedReplicas: 1, currentRevision: db-1, updateRevision: db-2"),
            (Status::InProgress, "1 of 3 updated".into())
        );
        assert_eq!(
            of("replicas: 3, readyReplicas: 3, availableReplicas: 2, updatedReplicas: 3"),
            (Status::InProgress, "2 of 3 available".into())
        );
        assert_eq!(
            of("replicas: 3, readyReplicas: 3, availableReplicas: 3, updatedReplicas: 3"),
            (Status::Current, "3 replicas available".into())
        );
        assert_eq!(of("replicas: 4, readyReplicas: 4, updatedReplicas: 4"), (Status::InProgress, "1 to go".into()));
    }

    #[test]
    fn a_partition_keeps_the_lower_ones_old() {
        let of = |status: &str| stateful_set("{type: RollingUpdate, rollingUpdate: {partition: 2}}", status);
        assert_eq!(
            of("replicas: 3, readyReplicas: 3, updatedReplicas: 0"),
            (Status::InProgress, "0 of 1 updated".into())
        );
        assert_eq!(
            of("replicas: 3, readyReplicas: 3, updatedReplicas: 1"),
            (Status::Current, "3 replicas available, 2 kept old by the partition".into())
        );
    }

    #[test]
    fn on_delete_waits_for_nobody_to_delete() {
        let of = |status: &str| stateful_set("{type: OnDelete}", status);
        assert_eq!(
            of("replicas: 3, readyReplicas: 3, updatedReplicas: 1").1,
            "1 of 3 updated; the others change when they are deleted (OnDelete)"
        );
        assert_eq!(of("replicas: 3, readyReplicas: 1, updatedReplicas: 3").0, Status::InProgress);
        assert_eq!(of("replicas: 3, readyReplicas: 3, updatedReplicas: 3").0, Status::Current);
    }
}
