//! Budgets of disruptions: how many pods may be evicted now.
//!
//! Source: `pkg/controller/disruption` of Kubernetes 1.34.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    action::{Decision, View},
    amounts,
    facts::PodFacts,
    objects::{set_condition, time},
    tables::{self, Key, Tables},
};
use crate::rules::fields::{list, number};

/// Whether a label selector of an object chooses labels.
///
/// Source: `LabelSelectorAsSelector`; an empty selector chooses everything.
pub fn chooses(selector: &Value, labels: &BTreeMap<Box<str>, Box<str>>) -> bool {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = list(selector, "/matchExpressions").iter();
    selector.is_object()
        && equal.clone().all(|(key, value)| labels.get(key.as_str()).map(|have| &**have) == value.as_str())
        && expressions.clone().all(|rule| {
            let have = labels.get(rule["key"].as_str().unwrap_or_default());
            let listed = have.is_some_and(|have| list(rule, "/values").iter().any(|value| value == &**have));
            match rule["operator"].as_str() {
                Some("In") => listed,
                Some("NotIn") => !listed,
                Some("Exists") => have.is_some(),
                Some("DoesNotExist") => have.is_none(),
                _ => false,
            }
        })
}

/// What a budget needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(budget) = view.cache.get(key) else { return decision };
    let selector = &budget["spec"]["selector"];
    let pods: Vec<(Key, &PodFacts, bool)> = view
        .cache
        .all(tables::PODS, Some(key.namespace()))
        .filter_map(|(key, entry)| Some((key, entry.pod.as_deref()?, entry.head.deleted.is_some())))
        .filter(|(_, pod, _)| chooses(selector, &pod.labels) && !pod.has_ended())
        .collect();
    let healthy = pods.iter().filter(|(_, pod, deleted)| pod.ready.is_some() && !deleted).count() as i64;
    let (expected, desired) = expected(view, &budget, &pods);
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let mut changed = budget.clone();
    let status = &mut changed["status"];
    for (field, value) in [
        ("currentHealthy", healthy),
        ("desiredHealthy", desired),
        ("disruptionsAllowed", allowed),
        ("expectedPods", expected),
        ("observedGeneration", number(&budget, "/metadata/generation").unwrap_or(0)),
    ] {
        status[field] = json!(value);
    }
    let (state, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let condition = json!({"type": "DisruptionAllowed", "status": state, "lastTransitionTime": time(view.now),
        "message": "", "reason": reason, "observedGeneration": budget["metadata"]["generation"]});
    set_condition(status, condition);
    if changed != budget {
        decision.status(key, changed);
    }
    decision
}

/// How many pods there should be, and how many of them healthy.
fn expected(view: &View<'_>, budget: &Value, pods: &[(Key, &PodFacts, bool)]) -> (i64, i64) {
    let present = pods.len() as i64;
    let spec = &budget["spec"];
    if let Some(most) = spec.get("maxUnavailable") {
        let wanted = wanted_by_controllers(view, pods);
        return (wanted, (wanted - amounts::share(most, wanted, true)).max(0));
    }
    match spec.get("minAvailable") {
        Some(least) if least.is_string() => {
            let wanted = wanted_by_controllers(view, pods);
            (wanted, amounts::share(least, wanted, true))
        }
        Some(least) => (present, least.as_i64().unwrap_or(0)),
        None => (present, present),
    }
}

/// The replicas of the controllers of the pods, each once.
fn wanted_by_controllers(view: &View<'_>, pods: &[(Key, &PodFacts, bool)]) -> i64 {
    let mut found: BTreeMap<Key, i64> = BTreeMap::new();
    for (key, ..) in pods {
        let mut place = key.clone();
        // A ReplicaSet counts as its Deployment.
        while let Some(owner) = view.cache.entry(&place).and_then(|entry| entry.head.controller())
            && let Some(table) = Tables::of_kind(&owner.api_version, &owner.kind)
        {
            place = place.beside(table, &owner.name);
        }
        if place != *key
            && let Some(replicas) = view.cache.get(&place).and_then(|object| number(&object, "/spec/replicas"))
        {
            found.insert(place, replicas);
        }
    }
    found.values().sum()
}
