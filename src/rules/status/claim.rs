//! Claims as a status shows them.

use serde_json::Value;

use super::scene::{Scene, words};
use crate::{
    model::{ClaimStatus, ObjectRef, Status, Verdict},
    rules::{
        alarms::{provisioning_error, waits_for_consumer},
        fields::text,
        readiness::health,
    },
};

pub(super) fn claim(scene: &Scene, claim: &Value) -> ClaimStatus {
    let events = scene.events_of(text(claim, "/metadata/uid"));
    let own = health(claim);
    let (verdict, message) = match own.status {
        Status::Current => (Verdict::Healthy, String::new()),
        Status::Failed => (Verdict::Failed, own.message),
        Status::Terminating => (Verdict::Progressing, own.message),
        _ if waits_for_consumer(&events) => (Verdict::Healthy, "waits for the first pod that uses it".into()),
        _ => match provisioning_error(&events) {
            Some(error) => (Verdict::Failed, format!("no volume for it: {error}")),
            None => (Verdict::Progressing, own.message),
        },
    };
    let capacity = [text(claim, "/status/capacity/storage"), text(claim, "/spec/resources/requests/storage")];
    ClaimStatus {
        object: ObjectRef::of(claim),
        verdict,
        phase: text(claim, "/status/phase").to_owned(),
        capacity: capacity.into_iter().find(|amount| !amount.is_empty()).unwrap_or_default().to_owned(),
        class: text(claim, "/spec/storageClassName").to_owned(),
        message: words(&message),
    }
}

/// A claim that a pod mounts and that is not there, or could not be read.
pub(super) fn missing(namespace: &str, name: &str) -> ClaimStatus {
    let object = ObjectRef {
        api_version: "v1".into(),
        kind: "PersistentVolumeClaim".into(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    };
    ClaimStatus { object, verdict: Verdict::Failed, message: "is not there".into(), ..ClaimStatus::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{fields::yaml, status::Subject};

    #[test]
    fn a_claim_says_why_it_has_no_volume() {
        let of = |phase: &str, reason: &str| {
            let mut scene = Scene::default();
            let event = format!(
                "{{metadata: {{name: e}}, involvedObject: {{uid: u}}, reason: {reason}, message: no room, lastTimestamp: 2026-11-21T10:00:00Z}}"
            );
            scene.seen(Subject::Event, yaml(&event));
            claim(
                &scene,
                &yaml(&format!(
                    "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{uid: u, name: data}}, spec: {{storageClassName: fast, resources: {{requests: {{storage: 1Gi}}}}}}, status: {{phase: {phase}}}}}"
                )),
            )
        };
        let bound = of("Bound", "x");
        assert_eq!((bound.verdict, bound.capacity.as_str(), bound.class.as_str()), (Verdict::Healthy, "1Gi", "fast"));
        assert_eq!(of("Pending", "WaitForFirstConsumer").verdict, Verdict::Healthy);
        assert_eq!(of("Pending", "Other").verdict, Verdict::Progressing);
        let failed = of("Pending", "ProvisioningFailed");
        assert_eq!((failed.verdict, failed.message.as_str()), (Verdict::Failed, "no volume for it: no room"));
        assert_eq!(of("Lost", "x").verdict, Verdict::Failed);
    }
}
