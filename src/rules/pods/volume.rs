//! Volumes and sandboxes: what keeps a scheduled pod from creating its containers. Only events tell.

use serde_json::Value;

use super::state::{Allowance, Stage, State, Trouble};
use crate::rules::{events::newest, fields::text};

/// What the events say of a pod whose containers are still to be created.
pub(super) fn read(events: &[&Value]) -> Option<State> {
    let event = newest(events, |event| {
        matches!(
            text(event, "/reason"),
            "FailedMount"
                | "FailedAttachVolume"
                | "FailedMapVolume"
                | "FailedCreatePodSandBox"
                | "FailedCreatePodContainer"
        ) && !text(event, "/message").contains("timed out waiting for the condition")
    })?;
    let words = text(event, "/message").trim();
    let reason = text(event, "/reason");
    let (stage, message, allowance) = match reason {
        "FailedCreatePodSandBox" | "FailedCreatePodContainer" => {
            (Stage::Sandbox, format!("its sandbox cannot be created: {words}"), Allowance::Grace(6))
        }
        // The pod before it has to end first, and the volume to leave its node.
        "FailedAttachVolume" => (Stage::Volume, format!("a volume cannot be attached: {words}"), Allowance::Grace(9)),
        _ if words.contains("not found") || words.contains("non-existent") => {
            (Stage::Volume, mount(words), Allowance::Grace(1))
        }
        _ => (Stage::Volume, mount(words), Allowance::Grace(3)),
    };
    Some(State::Trouble(Trouble { stage, container: None, reason: reason.into(), message, allowance }))
}

/// `MountVolume.SetUp failed for volume "v" : configmap "a" not found` in fewer words.
fn mount(words: &str) -> String {
    let named = words.split_once(" failed for volume ").and_then(|(_, rest)| rest.split_once(" : "));
    match named {
        Some((volume, cause)) => format!("the volume {volume} cannot be mounted: {cause}"),
        None => format!("a volume cannot be mounted: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn trouble(reason: &str, message: &str) -> Option<Trouble> {
        let event = serde_json::json!({"reason": reason, "message": message, "lastTimestamp": "2026-11-21T10:00:00Z"});
        match read(&[&event]) {
            Some(State::Trouble(trouble)) => Some(trouble),
            _ => None,
        }
    }

    #[test]
    fn a_missing_object_is_named() {
        let missing =
            trouble("FailedMount", "MountVolume.SetUp failed for volume \"v\" : configmap \"absent-vol\" not found")
                .unwrap();
        assert_eq!(missing.message, "the volume \"v\" cannot be mounted: configmap \"absent-vol\" not found");
        assert_eq!(missing.allowance, Allowance::Grace(1));
        let key = trouble(
            "FailedMount",
            "MountVolume.SetUp failed for volume \"v\" : configmap references non-existent config key: zz",
        )
        .unwrap();
        assert_eq!(key.allowance, Allowance::Grace(1));
    }

    #[test]
    fn what_may_pass_is_given_longer() {
        assert_eq!(
            trouble("FailedAttachVolume", "Multi-Attach error for volume").unwrap().allowance,
            Allowance::Grace(9)
        );
        assert_eq!(trouble("FailedCreatePodSandBox", "network plugin is not ready").unwrap().stage, Stage::Sandbox);
        assert_eq!(trouble("Pulled", "x"), None);
        let newest_is_specific = [
            yaml("{reason: FailedMount, message: 'configmap \"a\" not found', lastTimestamp: 2026-11-21T10:00:00Z}"),
            yaml(
                "{reason: FailedMount, message: 'Unable to attach or mount volumes: timed out waiting for the condition', lastTimestamp: 2026-11-21T10:02:00Z}",
            ),
        ];
        let events: Vec<&Value> = newest_is_specific.iter().collect();
        assert!(matches!(read(&events), Some(State::Trouble(trouble)) if trouble.message.contains("\"a\" not found")));
    }
}
