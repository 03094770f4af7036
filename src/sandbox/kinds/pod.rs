//! The status of a new pod.

use serde_json::{Value, json};

use super::edit::{Fields, Read};
use crate::rules::quantity::Quantity;

/// The status of a pod that nothing has touched yet.
pub(super) fn first_status(pod: &Fields) -> Value {
    let mut status = json!({"phase": "Pending", "qosClass": quality(pod)});
    if !pod.items(&["spec", "schedulingGates"]).is_empty() {
        status["conditions"] = json!([{"type": "PodScheduled", "status": "False", "lastProbeTime": null,
            "lastTransitionTime": pod.at(&["metadata", "creationTimestamp"]), "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates"}]);
    }
    status
}

/// The class of service that a pod's requests and limits earn: what is evicted last when a node runs short.
///
/// Source: `ComputePodQOS` of `k8s.io/kubernetes/pkg/apis/core/v1/helper/qos`.
pub(super) fn quality(pod: &Fields) -> &'static str {
    let containers = || pod.items(&["spec", "containers"]).iter().chain(pod.items(&["spec", "initContainers"]));
    let amount = |container: &Value, list: &str, resource: &str| {
        let text = container.text(&["resources", list, resource]);
        Quantity::parse(text).filter(|amount| !amount.is_zero())
    };
    let pod_level = pod.has(&["spec", "resources"]);
    let all: Vec<Value> = match pod.at(&["spec", "resources"]) {
        Some(resources) if pod_level => vec![json!({"resources": resources})],
        _ => containers().cloned().collect(),
    };
    let (mut any, mut guaranteed) = (false, true);
    for container in &all {
        for resource in ["cpu", "memory"] {
            let (request, limit) = (amount(container, "requests", resource), amount(container, "limits", resource));
            any |= request.is_some() || limit.is_some();
            guaranteed &= limit.is_some() && request.is_none_or(|request| Some(request) == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
