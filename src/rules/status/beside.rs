//! What stands beside a workload: its autoscaler and its disruption budget.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    pod::since,
    scene::{Scene, Subject, words},
    service::selects,
};
use crate::{
    model::{AutoscalerStatus, BudgetStatus, ObjectRef, Verdict},
    rules::{
        autoscaling::scales,
        fields::{Condition, condition, count, list, number, text},
        usage::{bytes, bytes_in_words, cores, cores_in_words},
    },
};

/// Seconds that a new autoscaler may take to find what it measures.
const FIRST_MEASURE: i64 = 120;

/// The autoscaler of a workload.
pub(super) fn autoscaler(scene: &Scene, workload: &ObjectRef, now: Timestamp) -> Option<AutoscalerStatus> {
    let namespace = workload.namespace.as_deref().unwrap_or_default();
    let mut here = scene.all(Subject::Autoscaler).filter(|found| text(found, "/metadata/namespace") == namespace);
    here.find(|found| scales(found, workload)).map(|found| describe(found, now))
}

fn describe(autoscaler: &Value, now: Timestamp) -> AutoscalerStatus {
    let is_new = since(text(autoscaler, "/metadata/creationTimestamp"), now) < FIRST_MEASURE;
    let refused = ["AbleToScale", "ScalingActive"]
        .into_iter()
        .filter_map(|kind| condition(autoscaler, kind).filter(Condition::is_false))
        // At zero replicas it rests on purpose.
        .find(|condition| condition.reason != "ScalingDisabled");
    let limited = condition(autoscaler, "ScalingLimited").filter(Condition::is_true);
    let (verdict, message) = match (refused, limited) {
        (Some(_), _) if is_new => (Verdict::Progressing, "has not measured anything yet".to_owned()),
        (Some(condition), _) => (Verdict::Degraded, format!("cannot scale: {}", condition.words())),
        (None, Some(condition)) if condition.reason == "TooManyReplicas" => {
            (Verdict::Healthy, "wants more replicas than its maximum".to_owned())
        }
        _ => (Verdict::Healthy, String::new()),
    };
    AutoscalerStatus {
        object: ObjectRef::of(autoscaler),
        verdict,
        minimum: number(autoscaler, "/spec/minReplicas").unwrap_or(1),
        maximum: count(autoscaler, "/spec/maxReplicas"),
        current: count(autoscaler, "/status/currentReplicas"),
        desired: count(autoscaler, "/status/desiredReplicas"),
        metrics: list(autoscaler, "/spec/metrics").iter().map(|metric| target(autoscaler, metric)).collect(),
        message: words(&message),
    }
}

/// `cpu 12%/80%`; the first is `?` while nothing was measured.
fn target(autoscaler: &Value, metric: &Value) -> String {
    let kind = text(metric, "/type");
    let source = match kind {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        _ => "external",
    };
    let name = |metric: &Value| {
        let named = metric[source]["name"].as_str().or_else(|| metric[source]["metric"]["name"].as_str());
        named.unwrap_or("?").to_owned()
    };
    let current = list(autoscaler, "/status/currentMetrics")
        .iter()
        .find(|current| text(current, "/type") == kind && name(current) == name(metric))
        .and_then(|current| value(&current[source]["current"], &name(metric)));
    let wanted = value(&metric[source]["target"], &name(metric));
    format!("{} {}/{}", name(metric), current.as_deref().unwrap_or("?"), wanted.as_deref().unwrap_or("?"))
}

fn value(amount: &Value, name: &str) -> Option<String> {
    if let Some(percent) = amount["averageUtilization"].as_i64() {
        return Some(format!("{percent}%"));
    }
    let amount = amount["averageValue"].as_str().or_else(|| amount["value"].as_str())?;
    Some(match name {
        "memory" => bytes(amount).map_or_else(|| amount.to_owned(), bytes_in_words),
        "cpu" => cores(amount).map_or_else(|| amount.to_owned(), cores_in_words),
        _ => amount.to_owned(),
    })
}

/// The disruption budget that selects pods with these labels.
pub(super) fn budget(scene: &Scene, namespace: &str, labels: &Value) -> Option<BudgetStatus> {
    let fits = |budget: &&Value| {
        let selector = &budget["spec"]["selector"];
        let as_service = serde_json::json!({"spec": {"selector": selector["matchLabels"]}});
        text(budget, "/metadata/namespace") == namespace
            && selector["matchExpressions"].as_array().is_none_or(Vec::is_empty)
            && selects(&as_service, labels)
    };
    let budget = scene.all(Subject::Budget).find(fits)?;
    Some(BudgetStatus {
        object: ObjectRef::of(budget),
        allowed: count(budget, "/status/disruptionsAllowed"),
        healthy: count(budget, "/status/currentHealthy"),
        needed: count(budget, "/status/desiredHealthy"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn an_autoscaler_tells_its_metrics_and_what_keeps_it() {
        let mut scene = Scene::default();
        let of = |conditions: &str| {
            yaml(&format!(
                "{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{name: api, namespace: shop, creationTimestamp: 2026-11-21T10:00:00Z}}, spec: {{minReplicas: 2, maxReplicas: 5, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: api}}, metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 80}}}}}}, {{type: Resource, resource: {{name: memory, target: {{averageValue: 64Mi}}}}}}]}}, status: {{currentReplicas: 2, desiredReplicas: 3, currentMetrics: [{{type: Resource, resource: {{name: cpu, current: {{averageUtilization: 12}}}}}}], conditions: [{conditions}]}}}}"
            ))
        };
        scene.seen(Subject::Autoscaler, of("{type: ScalingActive, status: 'True'}"));
        let workload = |name: &str| ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some("shop".into()),
            name: name.into(),
        };
        let at = |time: &str| time.parse::<Timestamp>().unwrap();
        let (young, old) = (at("2026-11-21T10:00:30Z"), at("2026-11-21T11:00:00Z"));
        let found = autoscaler(&scene, &workload("api"), old).unwrap();
        assert_eq!((found.minimum, found.maximum, found.current, found.desired), (2, 5, 2, 3));
        assert_eq!(found.metrics, ["cpu 12%/80%", "memory ?/64Mi"]);
        assert_eq!(autoscaler(&scene, &workload("web"), old), None);
        scene.seen(
            Subject::Autoscaler,
            of("{type: ScalingActive, status: 'False', reason: FailedGetResourceMetric, message: no metrics}"),
        );
        assert_eq!(autoscaler(&scene, &workload("api"), young).unwrap().verdict, Verdict::Progressing);
        let kept = autoscaler(&scene, &workload("api"), old).unwrap();
        assert_eq!((kept.verdict, kept.message.as_str()), (Verdict::Degraded, "cannot scale: no metrics"));
    }

    #[test]
    fn a_budget_belongs_to_the_pods_it_selects() {
        let mut scene = Scene::default();
        scene.seen(Subject::Budget, yaml("{metadata: {name: b, namespace: shop}, spec: {selector: {matchLabels: {app: api}}}, status: {disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1}}"));
        let found = budget(&scene, "shop", &yaml("{app: api, tier: x}")).unwrap();
        assert_eq!((found.allowed, found.healthy, found.needed), (1, 2, 1));
        assert_eq!(budget(&scene, "shop", &yaml("{app: web}")), None);
        assert_eq!(budget(&scene, "other", &yaml("{app: api}")), None);
    }
}
