//! Pods that no node takes.

use serde_json::Value;

use super::state::{Allowance, Stage, State, Trouble};
use crate::rules::{
    events::newest,
    fields::{Condition, condition, list, text},
};

/// What keeps a pod from a node, or None when it has one.
pub(super) fn read(pod: &Value, events: &[&Value]) -> Option<State> {
    if !text(pod, "/spec/nodeName").is_empty() {
        return None;
    }
    let scheduled = condition(pod, "PodScheduled").filter(Condition::is_false);
    let Some(scheduled) = scheduled else {
        return Some(State::Underway("not scheduled yet".into()));
    };
    match scheduled.reason {
        "SchedulingGated" => {
            let gates: Vec<&str> = list(pod, "/spec/schedulingGates").iter().map(|gate| text(gate, "/name")).collect();
            Some(State::Underway(format!("held back by the scheduling gate {}", gates.join(", "))))
        }
        "Unschedulable" => Some(unschedulable(pod, scheduled.message, events)),
        _ => Some(State::Underway("not scheduled yet".into())),
    }
}

fn unschedulable(pod: &Value, words: &str, events: &[&Value]) -> State {
    // Cluster Autoscaler and Karpenter say so when they make room.
    let grows = newest(events, |event| matches!(text(event, "/reason"), "TriggeredScaleUp" | "Nominated"));
    if grows.is_some() {
        return State::Underway("no node has room; the autoscaler adds one".into());
    }
    if !text(pod, "/status/nominatedNodeName").is_empty() {
        return State::Underway("waits for room that is being made on a node".into());
    }
    // Nothing that the cluster does by itself brings a claim into being.
    let claim_is_missing = words.contains("persistentvolumeclaim \"") && words.contains("not found");
    State::Trouble(Trouble {
        stage: Stage::Scheduling,
        container: None,
        reason: "Unschedulable".into(),
        message: format!("no node takes it: {}", without_preemption(words)),
        allowance: Allowance::Grace(if claim_is_missing { 1 } else { 3 }),
    })
}

/// The scheduler's words without what it says of pods that it did not displace.
fn without_preemption(words: &str) -> &str {
    let ends = [" no new claims to deallocate", " preemption:", " not found"];
    let end = ends.into_iter().filter_map(|end| words.find(&format!(".{end}"))).min().unwrap_or(words.len());
    words.get(..end).unwrap_or(words).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn waiting(reason: &str, message: &str, more: &str) -> Value {
        let mut pod = yaml(&format!(
            "{{spec: {{{more}}}, status: {{conditions: [{{type: PodScheduled, status: 'False', reason: {reason}}}]}}}}"
        ));
        pod["status"]["conditions"][0]["message"] = message.into();
        pod
    }

    fn trouble(pod: &Value) -> Trouble {
        match read(pod, &[]) {
            Some(State::Trouble(trouble)) => trouble,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_schedulers_reason_is_kept_and_the_rest_is_not() {
        let message = "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
        let read = trouble(&waiting("Unschedulable", message, ""));
        assert_eq!(read.message, "no node takes it: 0/1 nodes are available: 1 Insufficient cpu");
        assert_eq!(read.allowance, Allowance::Grace(3));
    }

    #[test]
    fn a_missing_claim_does_not_come_by_itself() {
        let read = trouble(&waiting(
            "Unschedulable",
            "0/1 nodes are available: persistentvolumeclaim \"nope\" not found. not found",
            "",
        ));
        assert_eq!(read.message, "no node takes it: 0/1 nodes are available: persistentvolumeclaim \"nope\" not found");
        assert_eq!(read.allowance, Allowance::Grace(1));
        let unbound = trouble(&waiting(
            "Unschedulable",
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
            "",
        ));
        assert_eq!(unbound.allowance, Allowance::Grace(3));
    }

    #[test]
    fn gates_and_autoscalers_are_waited_for() {
        let gated = waiting("SchedulingGated", "", "schedulingGates: [{name: x/y}]");
        assert_eq!(read(&gated, &[]), Some(State::Underway("held back by the scheduling gate x/y".into())));
        let event = yaml("{reason: TriggeredScaleUp, message: 'pod triggered scale-up'}");
        let waits = read(&waiting("Unschedulable", "0/3 nodes are available", ""), &[&event]);
        assert!(matches!(waits, Some(State::Underway(_))), "{waits:?}");
        assert_eq!(read(&yaml("{spec: {nodeName: a}}"), &[]), None);
        assert!(matches!(read(&yaml("{spec: {}}"), &[]), Some(State::Underway(_))));
    }
}
