//! Claims and volumes.

use serde_json::Value;

use crate::{model::Health, rules::fields::text};

pub(super) fn claim(object: &Value) -> Option<Health> {
    Some(match text(object, "/status/phase") {
        "Bound" => Health::current("bound"),
        "Lost" => Health::failed("Lost", "has lost its volume"),
        _ => Health::in_progress("not bound to a volume"),
    })
}

pub(super) fn volume(object: &Value) -> Option<Health> {
    Some(match text(object, "/status/phase") {
        "Failed" => {
            let message = format!("failed: {}", text(object, "/status/message"));
            Health::failed("Failed", message.trim_end_matches(": "))
        }
        "" | "Pending" => Health::in_progress("not available"),
        phase => Health::current(phase.to_ascii_lowercase()),
    })
}

#[cfg(test)]
mod tests {
    use crate::{model::Status, rules::readiness::tests::judge};

    #[test]
    fn a_claim_is_current_when_bound() {
        let of = |kind: &str, phase: &str| {
            judge(&format!("{{apiVersion: v1, kind: {kind}, status: {{phase: {phase}}}}}")).status
        };
        assert_eq!(of("PersistentVolumeClaim", "Pending"), Status::InProgress);
        assert_eq!(of("PersistentVolumeClaim", "Bound"), Status::Current);
        assert_eq!(of("PersistentVolumeClaim", "Lost"), Status::Failed);
        assert_eq!(of("PersistentVolume", "Available"), Status::Current);
        assert_eq!(of("PersistentVolume", "Failed"), Status::Failed);
    }
}
