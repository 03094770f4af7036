//! Events as the real components record them.
//!
//! Source: `k8s.io/client-go/tools/record` and `tools/events`.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    action::{KUBELET, MANAGER, Notice, SCHEDULER, Source},
    objects::{micro_time, time},
    tables::Key,
};

/// How long events are kept, and how many of them.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
const MOST: usize = 10_000;

/// The events recorded so far, so that one that repeats is counted instead of recorded anew.
#[derive(Debug, Default)]
pub struct Recorder {
    known: HashMap<String, Key>,
    order: VecDeque<(Timestamp, String)>,
}

impl Recorder {
    /// The event that says the same.
    pub fn known(&self, notice: &Notice) -> Option<&Key> {
        self.known.get(&identity(notice)?)
    }

    /// Keeps where an event is, and gives those that are no longer kept.
    pub fn remember(&mut self, notice: &Notice, key: Key, now: Timestamp) -> Vec<Key> {
        let name = identity(notice).unwrap_or_else(|| format!("{}/{}", key.place, now));
        self.known.insert(name.clone(), key);
        self.order.push_back((now, name));
        let mut surplus = Vec::new();
        while self.order.len() > MOST || self.order.front().is_some_and(|(at, _)| now.duration_since(*at) > KEPT) {
            if let Some((_, name)) = self.order.pop_front() {
                surplus.extend(self.known.remove(&name));
            }
        }
        surplus
    }
}

/// What makes two events the same; None where each is recorded by itself.
fn identity(notice: &Notice) -> Option<String> {
    let about = |field: &str| notice.about[field].as_str().unwrap_or_default();
    let source = match &notice.source {
        Source::Scheduler(_) => return None,
        Source::Controller(name) => name,
        Source::Kubelet(node) => &**node,
    };
    let (uid, path) = (about("uid"), about("fieldPath"));
    Some(format!("{source}/{uid}/{path}/{}/{}", notice.reason, notice.message))
}

/// The manager that writes an event.
pub fn manager(notice: &Notice) -> &'static str {
    match notice.source {
        Source::Controller(_) => MANAGER,
        Source::Kubelet(_) => KUBELET,
        Source::Scheduler(_) => SCHEDULER,
    }
}

/// A new event.
pub fn event(notice: &Notice, now: Timestamp) -> Value {
    let about = |field: &str| notice.about[field].as_str().unwrap_or_default();
    let namespace = match about("namespace") {
        "" => "default",
        namespace => namespace,
    };
    let name = format!("{}.{:x}", about("name"), now.as_nanosecond());
    let kind = if notice.warning { "Warning" } else { "Normal" };
    let mut event = json!({"apiVersion": "v1", "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": notice.about, "reason": notice.reason, "message": notice.message, "type": kind});
    let at = time(now);
    let (component, instance) = match &notice.source {
        Source::Scheduler(action) => {
            event["source"] = json!({});
            event["action"] = json!(action);
            event["eventTime"] = micro_time(now);
            event["reportingComponent"] = json!("default-scheduler");
            event["reportingInstance"] = json!("default-scheduler-sandbox");
            event["firstTimestamp"] = Value::Null;
            event["lastTimestamp"] = Value::Null;
            return event;
        }
        Source::Controller(name) => (*name, ""),
        Source::Kubelet(node) => (KUBELET, &**node),
    };
    event["source"] = json!({"component": component});
    if !instance.is_empty() {
        event["source"]["host"] = json!(instance);
    }
    event["firstTimestamp"] = at.clone();
    event["lastTimestamp"] = at;
    event["count"] = json!(1);
    event["eventTime"] = Value::Null;
    event["reportingComponent"] = json!(component);
    event["reportingInstance"] = json!(instance);
    event
}

/// The event once more.
pub fn again(mut event: Value, now: Timestamp) -> Value {
    event["count"] = json!(event["count"].as_i64().unwrap_or(1) + 1);
    event["lastTimestamp"] = time(now);
    event
}
