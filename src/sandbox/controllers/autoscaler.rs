//! Autoscalers without metrics: they keep the number of pods within their bounds, and say that they know no more.
//!
//! Source: `pkg/controller/podautoscaler` of Kubernetes 1.34.

use serde_json::{Value, json};

use super::{
    action::{Decision, Notice, View},
    objects::{set_condition, time},
    tables::{Key, Tables},
};
use crate::rules::fields::{list, number, text};

const CONTROLLER: &str = "horizontal-pod-autoscaler";

/// What an autoscaler needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(scaler) = view.cache.get(key) else { return decision };
    let reference = &scaler["spec"]["scaleTargetRef"];
    let (kind, name) = (text(reference, "/kind"), text(reference, "/name"));
    let table = Tables::of_kind(text(reference, "/apiVersion"), kind);
    let target = table.map(|table| key.beside(table, name));
    let object = target.as_ref().and_then(|target| view.cache.get(target));
    let mut changed = scaler.clone();
    let condition = |kind: &str, status: &str, reason: &str, message: String| {
        json!({"type": kind, "status": status, "lastTransitionTime": time(view.now), "reason": reason,
            "message": message})
    };
    let status = &mut changed["status"];
    let Some((target, object)) = target.zip(object) else {
        let resource = table.map_or_else(|| kind.to_lowercase(), |table| view.cache.tables.group_resource(table));
        let why = format!("{} \"{name}\" not found", resource.trim_end_matches('.'));
        let message = format!("the HPA controller was unable to get the target's current scale: {why}");
        set_condition(status, condition("AbleToScale", "False", "FailedGetScale", message));
        if changed != scaler {
            decision.tell(Notice::of(&scaler, CONTROLLER, "FailedGetScale", why).warning());
            decision.status(key, changed);
        }
        return decision;
    };
    let current = number(&object, "/spec/replicas").unwrap_or(1);
    let least = number(&scaler, "/spec/minReplicas").unwrap_or(1);
    let most = number(&scaler, "/spec/maxReplicas").unwrap_or(i64::MAX);
    let message = "the HPA controller was able to get the target's current scale".to_owned();
    set_condition(status, condition("AbleToScale", "True", "SucceededGetScale", message));
    let desired = if current == 0 { 0 } else { current.clamp(least, most.max(least)) };
    if current == 0 {
        let message = "scaling is disabled since the replica count of the target is zero".to_owned();
        set_condition(status, condition("ScalingActive", "False", "ScalingDisabled", message));
    } else {
        let metric = list(&scaler, "/spec/metrics").first();
        let resource = metric.map_or("cpu", |metric| text(metric, "/resource/name"));
        let message = format!(
            "the HPA was unable to compute the replica count: failed to get {resource} utilization: unable to get \
             metrics for resource {resource}: unable to fetch metrics from resource metrics API: the server could \
             not find the requested resource (get pods.metrics.k8s.io)"
        );
        set_condition(status, condition("ScalingActive", "False", "FailedGetResourceMetric", message));
    }
    status["currentReplicas"] = json!(current);
    status["desiredReplicas"] =
        json!(if desired == current { number(&scaler, "/status/desiredReplicas").unwrap_or(0) } else { desired });
    if changed != scaler {
        decision.status(key, changed);
    }
    if desired != current {
        rescale(&target, object, &scaler, current, desired, &mut decision);
    }
    decision
}

fn rescale(target: &Key, mut object: Value, scaler: &Value, current: i64, desired: i64, decision: &mut Decision) {
    object["spec"]["replicas"] = json!(desired);
    decision.update(target, object);
    let why = if current < desired {
        "Current number of replicas below Spec.MinReplicas"
    } else {
        "Current number of replicas above Spec.MaxReplicas"
    };
    let message = format!("New size: {desired}; reason: {why}");
    decision.tell(Notice::of(scaler, CONTROLLER, "SuccessfulRescale", message));
}
