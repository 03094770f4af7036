//! Words and counts for the whole.

use serde_json::Value;

use super::scene::{Scene, words};
use crate::{
    model::{ClusterEvent, PodCounts, StatusReport, Verdict, WorkloadStatus},
    rules::{
        events::{time, to_report},
        fields::text,
    },
};

/// Seconds in the largest unit that fits: `45s`, `12m`, `5h`, `3d`.
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7200 => format!("{}m", seconds / 60),
        seconds @ 7200..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// `2 of 3 pods ready`
pub(super) fn ready(counts: PodCounts) -> String {
    let all = counts.wanted.max(counts.total);
    match all {
        0 => "no pods".into(),
        1 => format!("{} of 1 pod ready", counts.ready),
        _ => format!("{} of {all} pods ready", counts.ready),
    }
}

/// The newest event about an object.
pub(super) fn newest_event(scene: &Scene, uid: &str) -> Option<ClusterEvent> {
    let events = scene.events_of(uid);
    // That the kubelet waits before the next start says nothing that the restarts do not say.
    let telling = events.into_iter().filter(|event| text(event, "/reason") != "BackOff");
    telling.max_by_key(|event| time(event)).map(clean)
}

/// The newest warning about a workload, its sets or its pods, where it is not well.
pub(super) fn newest_warning(scene: &Scene, status: &WorkloadStatus, uid: &str) -> Option<ClusterEvent> {
    if status.verdict == Verdict::Healthy {
        return None;
    }
    let own = scene.events_of(uid).into_iter().filter(|event| text(event, "/type") == "Warning").map(clean);
    let of_pods = status.sets.iter().flat_map(|set| &set.pods).filter_map(|pod| pod.event.clone());
    own.chain(of_pods).max_by(|one, other| one.time.cmp(&other.time))
}

fn clean(event: &Value) -> ClusterEvent {
    let mut event = to_report(event);
    event.message = words(&event.message);
    event
}

/// Counts the pods, and says the worst that there is.
pub(super) fn conclude(report: &mut StatusReport) {
    for workload in &report.workloads {
        report.pods.wanted += workload.pods.wanted;
        report.pods.total += workload.pods.total;
        report.pods.ready += workload.pods.ready;
    }
    let workloads =
        report.workloads.iter().map(|workload| (workload.verdict, &workload.object, workload.message.clone()));
    let others = report.others.iter().map(|other| (other.verdict, &other.object, other.message.clone()));
    let all: Vec<_> = workloads.chain(others).collect();
    report.verdict = all.iter().map(|(verdict, ..)| *verdict).max().unwrap_or_default();
    let worst: Vec<_> = all.iter().filter(|(verdict, ..)| *verdict == report.verdict).collect();
    let unwell = all.iter().filter(|(verdict, ..)| *verdict != Verdict::Healthy).count();
    let workloads = report.workloads.len();
    let noun = if workloads == 1 { "workload" } else { "workloads" };
    report.summary = match worst.first() {
        None => "there is nothing here".into(),
        Some(_) if report.verdict == Verdict::Healthy && workloads == 0 => "everything is in place".into(),
        Some(_) if report.verdict == Verdict::Healthy => format!("{workloads} {noun}, {}", ready(report.pods)),
        Some((_, object, message)) => {
            let rest = match unwell - 1 {
                0 => String::new(),
                more => format!("; {more} more {} not healthy", if more == 1 { "is" } else { "are" }),
            };
            format!("{object}: {message}{rest}")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        assert_eq!([0, 119, 120, 7199, 7200, 172_800].map(span), ["0s", "119s", "2m", "119m", "2h", "2d"]);
        let counts = |wanted, total, ready| PodCounts { wanted, total, ready };
        assert_eq!(ready(counts(3, 2, 1)), "1 of 3 pods ready");
        assert_eq!((ready(counts(1, 1, 1)).as_str(), ready(counts(0, 0, 0)).as_str()), ("1 of 1 pod ready", "no pods"));
    }
}
