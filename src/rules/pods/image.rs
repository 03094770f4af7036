//! Images that cannot be had.

use serde_json::Value;

use super::state::{Allowance, Stage, State, Trouble};
use crate::rules::{events::newest, fields::text};

const REASONS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];
/// Words of registries that are busy or slow, which often passes.
const PASSING: [&str; 9] = [
    "toomanyrequests",
    "429",
    "500 Internal",
    "502 Bad",
    "503 Service",
    "504 Gateway",
    "i/o timeout",
    "TLS handshake timeout",
    "context deadline exceeded",
];

/// Reads the waiting state of a container as a trouble with its image, if it is one.
pub(super) fn trouble(container: &str, image: &str, waiting: &Value, events: &[&Value]) -> Option<State> {
    let reason = text(waiting, "/reason");
    if !REASONS.contains(&reason) {
        return None;
    }
    let mut words = text(waiting, "/message");
    // Older kubelets repeat only that they back off; what the registry said is in the event before.
    let only_back_off = words.starts_with("Back-off pulling image") && !words.contains("\": ");
    if (words.is_empty() || only_back_off)
        && let Some(event) = newest(events, |event| text(event, "/message").starts_with("Failed to pull image"))
    {
        words = text(event, "/message");
    }
    let passing = PASSING.iter().any(|sign| words.contains(sign));
    Some(State::Trouble(Trouble {
        stage: Stage::Image,
        container: Some(container.into()),
        reason: reason.into(),
        message: format!("the image {image} cannot be had: {}", cause(words, reason)),
        allowance: Allowance::Grace(if passing { 3 } else { 1 }),
    }))
}

/// What the registry or the runtime said, without the wrapping of those who passed it on.
fn cause<'a>(words: &'a str, reason: &'a str) -> &'a str {
    let wrappings =
        ["ErrImagePull: ", "failed to resolve reference ", "failed to pull and unpack image ", "Failed to pull image "];
    let mut rest = words;
    for wrapping in wrappings {
        if let Some((_, inner)) = rest.split_once(wrapping) {
            // What follows is the image's name in quotes, where the wrapping ends in it.
            rest = match inner.strip_prefix('"') {
                Some(quoted) => quoted.split_once("\": ").map_or(inner, |(_, inner)| inner),
                None => inner,
            };
        }
    }
    if rest.is_empty() { reason } else { rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn read(reason: &str, message: &str, events: &[&Value]) -> Option<Trouble> {
        let waiting = serde_json::json!({"reason": reason, "message": message});
        match trouble("main", "shop/api:9", &waiting, events) {
            Some(State::Trouble(trouble)) => Some(trouble),
            _ => None,
        }
    }

    #[test]
    fn the_registrys_words_are_kept_and_the_wrapping_is_not() {
        let message = "Back-off pulling image \"localhost:5999/x/y:none\": ErrImagePull: failed to pull and unpack image \"localhost:5999/x/y:none\": failed to resolve reference \"localhost:5999/x/y:none\": failed to do request: Head \"http://localhost:5999/v2/x/y/manifests/none\": dial tcp 127.0.0.1:5999: connect: connection refused";
        let read = read("ImagePullBackOff", message, &[]).unwrap();
        assert_eq!(
            read.message,
            "the image shop/api:9 cannot be had: failed to do request: Head \"http://localhost:5999/v2/x/y/manifests/none\": dial tcp 127.0.0.1:5999: connect: connection refused"
        );
        assert_eq!((read.stage, read.allowance), (Stage::Image, Allowance::Grace(1)));
    }

    #[test]
    fn an_invalid_name_and_a_missing_local_image_are_troubles() {
        let invalid =
            read("InvalidImageName", "Failed to apply default image tag \"Bad::x\": invalid reference format", &[]);
        assert!(invalid.unwrap().message.ends_with("invalid reference format"));
        let never = read("ErrImageNeverPull", "Container image \"a:1\" is not present with pull policy of Never", &[]);
        assert_eq!(never.unwrap().reason, "ErrImageNeverPull");
        assert_eq!(read("ContainerCreating", "", &[]), None);
    }

    #[test]
    fn a_busy_registry_is_given_longer() {
        let busy = read("ErrImagePull", "unexpected status: 429 Too Many Requests: toomanyrequests", &[]).unwrap();
        assert_eq!(busy.allowance, Allowance::Grace(3));
    }

    #[test]
    fn a_bare_back_off_takes_its_cause_from_the_event() {
        let event = yaml(
            "{reason: Failed, message: 'Failed to pull image \"shop/api:9\": rpc error: not found', lastTimestamp: 2026-11-21T10:00:00Z}",
        );
        let read = read("ImagePullBackOff", "Back-off pulling image \"shop/api:9\"", &[&event]).unwrap();
        assert_eq!(read.message, "the image shop/api:9 cannot be had: rpc error: not found");
    }
}
