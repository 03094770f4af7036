//! Reads Events of the cluster (`v1`), whichever component wrote them.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    model::ClusterEvent,
    rules::fields::{number, text},
};

/// A field selector that leaves out the events that say nothing of trouble, which are most of all events.
pub const UNUSUAL: &str = "reason!=Pulled,reason!=Pulling,reason!=Created,reason!=Started,reason!=Scheduled,\
                           reason!=SuccessfulCreate,reason!=SuccessfulDelete,reason!=ScalingReplicaSet";

/// When an event was last seen. Schedulers set only `eventTime`, kubelets only `lastTimestamp`.
pub fn time(event: &Value) -> Option<Timestamp> {
    let places =
        ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp", "/metadata/creationTimestamp"];
    places.into_iter().map(|place| text(event, place)).find(|time| !time.is_empty())?.parse().ok()
}

/// The newest of the events that match.
pub fn newest<'v>(events: &[&'v Value], matches: impl Fn(&Value) -> bool) -> Option<&'v Value> {
    events.iter().copied().filter(|event| matches(event)).max_by_key(|event| time(event))
}

/// An event as a report shows it; its message is the cluster's own and not yet cleaned.
pub fn to_report(event: &Value) -> ClusterEvent {
    let object = |field: &str| text(event, &format!("/involvedObject/{field}"));
    ClusterEvent {
        time: time(event).map(|time| time.to_string()).unwrap_or_default(),
        kind: text(event, "/type").into(),
        reason: text(event, "/reason").into(),
        object: format!("{}/{}", object("kind").to_ascii_lowercase(), object("name")),
        message: text(event, "/message").trim().into(),
        count: number(event, "/series/count")
            .or_else(|| number(event, "/count"))
            .and_then(|count| i32::try_from(count).ok())
            .unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn the_time_is_found_where_its_writer_put_it() {
        let scheduler = yaml(
            "{eventTime: 2026-11-21T10:00:39.580008Z, lastTimestamp: null, metadata: {creationTimestamp: 2026-11-21T10:00:39Z}}",
        );
        let kubelet =
            yaml("{eventTime: null, firstTimestamp: 2026-11-21T10:00:38Z, lastTimestamp: 2026-11-21T10:00:39Z}");
        assert!(time(&scheduler) > time(&kubelet));
        assert_eq!(newest(&[&scheduler, &kubelet], |_| true), Some(&scheduler));
        assert_eq!(time(&yaml("{}")), None);
    }

    #[test]
    fn a_report_names_the_object_and_counts() {
        let event = to_report(&yaml(
            "{type: Warning, reason: FailedMount, count: 3, message: 'no ', involvedObject: {kind: Pod, name: api-1}, lastTimestamp: 2026-11-21T10:00:38Z}",
        ));
        assert_eq!((event.object.as_str(), event.count, event.message.as_str()), ("pod/api-1", 3, "no"));
        assert_eq!(event.time, "2026-11-21T10:00:38Z");
    }
}
