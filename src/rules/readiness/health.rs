//! The order in which an object is judged, and the rule of each kind.

use serde_json::Value;

use super::{daemon_set, deployment, extension, job, network, pod, replica_set, stateful_set, storage};
use crate::{
    model::{Health, ObjectRef, Status},
    rules::fields::{condition, list, number, text},
};

/// What a kind's rule says, or None when its object is judged by its `Ready` condition alone.
type Rule = fn(&Value) -> Option<Health>;

/// Group, kind and rule.
const RULES: &[(&str, &str, Rule)] = &[
    ("apps", "Deployment", deployment::health),
    ("apps", "StatefulSet", stateful_set::health),
    ("apps", "DaemonSet", daemon_set::health),
    ("apps", "ReplicaSet", replica_set::health),
    ("", "ReplicationController", replica_set::health),
    ("batch", "Job", job::health),
    ("", "Pod", pod::health),
    ("", "PersistentVolumeClaim", storage::claim),
    ("", "PersistentVolume", storage::volume),
    ("", "Service", network::service),
    ("", "Namespace", extension::namespace),
    ("policy", "PodDisruptionBudget", extension::disruption_budget),
    ("apiextensions.k8s.io", "CustomResourceDefinition", extension::custom_resource_definition),
    ("apiregistration.k8s.io", "APIService", extension::api_service),
];

/// Groups that Kubernetes itself serves. Their kinds without a rule have nothing to become.
const BUILT_IN: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Judges an object as the API server last showed it.
///
/// The order is that of kstatus: an object that is being deleted, one whose controller has not seen its newest
/// generation, `Reconciling` and `Stalled`, the rule of its kind, its `Ready` condition; with none of these it is
/// current.
pub fn health(object: &Value) -> Health {
    deleted(object)
        .or_else(|| not_observed(object))
        .or_else(|| reconciling(object))
        .or_else(|| rule(&ObjectRef::of(object)).and_then(|rule| rule(object)))
        .or_else(|| ready(object))
        .unwrap_or_else(|| Health::current("exists"))
}

/// Whether an object of this kind is as its spec asks as soon as it is stored, as a ConfigMap is.
pub fn settles_at_once(object: &ObjectRef) -> bool {
    rule(object).is_none() && is_built_in(object.group())
}

/// Whether Kubernetes itself serves the kinds of a group.
pub fn is_built_in(group: &str) -> bool {
    BUILT_IN.contains(&group)
}

fn rule(object: &ObjectRef) -> Option<Rule> {
    RULES.iter().find(|(group, kind, _)| *group == object.group() && *kind == object.kind).map(|(_, _, rule)| *rule)
}

fn deleted(object: &Value) -> Option<Health> {
    object.pointer("/metadata/deletionTimestamp").filter(|time| !time.is_null())?;
    let holders: Vec<&str> = list(object, "/metadata/finalizers").iter().filter_map(Value::as_str).collect();
    let message = match holders.as_slice() {
        [] => "is being deleted".to_owned(),
        holders => format!("is being deleted, held by the finalizer {}", holders.join(", ")),
    };
    Some(Health::new(Status::Terminating, "Terminating", message))
}

fn not_observed(object: &Value) -> Option<Health> {
    let observed = number(object, "/status/observedGeneration")?;
    let generation = number(object, "/metadata/generation")?;
    // A controller that was at work on an object of the same name, deleted since, may leave a later one's number behind
    // (`UpdateStatefulSetStatus` writes the old status onto the new object after a conflict).
    (observed < generation).then(|| Health::in_progress("waiting for its controller to see the change"))
}

fn reconciling(object: &Value) -> Option<Health> {
    if let Some(condition) = condition(object, "Reconciling").filter(|condition| condition.is_true()) {
        return Some(Health::new(Status::InProgress, condition.reason, condition.words()));
    }
    let stalled = condition(object, "Stalled").filter(|condition| condition.is_true())?;
    Some(Health::failed(stalled.reason, stalled.words()))
}

fn ready(object: &Value) -> Option<Health> {
    let ready = condition(object, "Ready")?;
    let generation = number(object, "/metadata/generation");
    if ready.observed_generation.is_some_and(|observed| generation.is_some_and(|generation| observed < generation)) {
        return Some(Health::in_progress("waiting for its controller to see the change"));
    }
    Some(match ready.is_true() {
        true => Health::current("is ready"),
        false => Health::new(Status::InProgress, ready.reason, not_ready(ready.words())),
    })
}

fn not_ready(words: &str) -> String {
    if words.is_empty() { "is not ready".into() } else { format!("is not ready: {words}") }
}

/// For kinds whose controller has to answer at all: nothing is known before it has.
pub(super) fn unseen(object: &Value) -> Option<Health> {
    number(object, "/status/observedGeneration")
        .is_none()
        .then(|| Health::in_progress(format!("waiting for the controller of {}s", text(object, "/kind"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{fields::yaml, readiness::tests::judge};

    #[test]
    fn deletion_comes_before_everything() {
        let health = judge(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, deletionTimestamp: 2026-11-21T10:00:00Z, finalizers: [x/y]}}",
        );
        assert_eq!(health.status, Status::Terminating);
        assert_eq!(health.message, "is being deleted, held by the finalizer x/y");
    }

    #[test]
    fn a_change_that_no_controller_has_seen_is_in_progress() {
        let health = judge(
            "{apiVersion: x.io/v1, kind: Cache, metadata: {generation: 3}, status: {observedGeneration: 2, conditions: [{type: Ready, status: 'True'}]}}",
        );
        assert_eq!(health.status, Status::InProgress);
        let health = judge(
            "{apiVersion: x.io/v1, kind: Cache, metadata: {generation: 3}, status: {conditions: [{type: Ready, status: 'True', observedGeneration: 2}]}}",
        );
        assert_eq!(health.status, Status::InProgress, "{health:?}");
    }

    #[test]
    fn a_number_left_by_an_object_that_was_replaced_is_no_change_to_wait_for() {
        let health = judge(
            "{apiVersion: apps/v1, kind: StatefulSet, metadata: {generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 2, replicas: 1, readyReplicas: 1, availableReplicas: 1, currentReplicas: 1, updatedReplicas: 1, currentRevision: a, updateRevision: a}}",
        );
        assert_eq!(health.status, Status::Current, "{health:?}");
    }

    #[test]
    fn the_conditions_of_custom_kinds_are_read() {
        let of = |conditions: &str| {
            judge(&format!("{{apiVersion: x.io/v1, kind: Cache, status: {{conditions: [{conditions}]}}}}"))
        };
        assert_eq!(of("").status, Status::Current);
        assert_eq!(of("{type: Ready, status: 'True'}").status, Status::Current);
        let waiting = of("{type: Ready, status: 'False', reason: Issuing, message: waiting for the issuer}");
        assert_eq!(
            (waiting.status, waiting.message.as_str()),
            (Status::InProgress, "is not ready: waiting for the issuer")
        );
        assert_eq!(of("{type: Ready, status: Unknown}").status, Status::InProgress);
        assert_eq!(of("{type: Reconciling, status: 'True', message: m}").status, Status::InProgress);
        let stalled = of("{type: Stalled, status: 'True', reason: BadChart, message: m}");
        assert_eq!((stalled.status, stalled.reason.as_str()), (Status::Failed, "BadChart"));
    }

    #[test]
    fn kinds_with_nothing_to_become_settle_at_once() {
        let at_once = |text: &str| settles_at_once(&ObjectRef::of(&yaml(text)));
        assert!(at_once("{apiVersion: v1, kind: ConfigMap}"));
        assert!(at_once("{apiVersion: networking.k8s.io/v1, kind: Ingress}"));
        assert!(at_once("{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler}"));
        assert!(at_once("{apiVersion: batch/v1, kind: CronJob}"));
        assert!(!at_once("{apiVersion: apps/v1, kind: Deployment}"));
        assert!(!at_once("{apiVersion: cert-manager.io/v1, kind: Certificate}"));
        assert!(!at_once("{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway}"));
        assert_eq!(judge("{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {generation: 1}, status: {loadBalancer: {}}}").status, Status::Current);
    }
}
