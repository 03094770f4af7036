//! What becomes of a member of the set that is no longer wanted: deleted, let go, or kept, and why.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{Manifest, ObjectRef};
use crate::rules::{dependence::Needs, waves::waves};

/// Annotations with which an object, or the tool that made it, asks to stay.
const STAYS: [(&str, &str); 4] = [
    ("evolve/keep", "true"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
    ("helm.sh/resource-policy", "keep"),
];
/// On a Secret with a value that was made up at the first deploy: the annotation says so.
pub const GENERATED: &str = "evolve/generated";
/// Namespaces without which a cluster does not work.
const SYSTEM: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
/// Workloads are deleted together with their pods, so that what the pods use goes after them.
const WORKLOADS: [&str; 7] =
    ["ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
/// So many names are said of the objects that hold something back.
const NAMED: usize = 3;

/// Which claims may be deleted, with the data in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Claims {
    #[default]
    None,
    Named(BTreeSet<String>),
    All,
}

/// What would be lost with an object, beyond the object itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// What a Namespace holds, or what a CustomResourceDefinition defines, and is not deleted anyway.
    pub others: Vec<String>,
    /// Whether a StatefulSet takes its claims with it (`persistentVolumeClaimRetentionPolicy`).
    pub claims: bool,
}

/// What becomes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Delete {
        /// Whether its dependants go first.
        foreground: bool,
    },
    /// It stays, and is no longer a member.
    Detach { reason: String },
    /// It stays, and is still a member.
    Keep {
        reason: String,
        /// Whether consent to lose claims would let it go.
        is_claim: bool,
    },
}

impl Verdict {
    fn keep(reason: impl Into<String>) -> Self {
        Self::Keep { reason: reason.into(), is_claim: false }
    }
}

/// Decides about one member; of the object, the metadata is enough.
pub fn judge(object: &Value, losses: &Losses, claims: &Claims) -> Verdict {
    let metadata = &object["metadata"];
    let reference = ObjectRef::of(object);
    if is_going(object) {
        return Verdict::keep("it is being deleted already");
    }
    if let Some((key, value)) = STAYS.iter().find(|(key, value)| metadata["annotations"][*key] == *value) {
        return Verdict::Detach { reason: format!("its annotation {key} is {value}") };
    }
    if let Some(reason) = belongs_to_a_controller(&reference, metadata) {
        return Verdict::keep(reason);
    }
    match (reference.group(), reference.kind.as_str()) {
        ("", "PersistentVolumeClaim" | "PersistentVolume") if !may_go(claims, &reference.name) => {
            Verdict::Keep { reason: "its data would be lost".into(), is_claim: true }
        }
        ("apps", "StatefulSet") if losses.claims && *claims != Claims::All => Verdict::Keep {
            reason: "its persistentVolumeClaimRetentionPolicy would delete its claims, and their data, with it".into(),
            is_claim: true,
        },
        ("", "Namespace") if SYSTEM.contains(&reference.name.as_str()) => {
            Verdict::keep("the cluster needs this namespace")
        }
        ("", "Namespace") if !losses.others.is_empty() => {
            Verdict::keep(format!("it holds what would be lost: {}", some_of(&losses.others)))
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") if !losses.others.is_empty() => {
            Verdict::keep(format!("every object of its kind would be lost: {}", some_of(&losses.others)))
        }
        (_, kind) => Verdict::Delete { foreground: WORKLOADS.contains(&kind) },
    }
}

/// Whether this is a Secret that nobody could write again. Kept data may open with nothing else, such as a database
/// with the password that it was made with, so it stays as long as a claim stays.
pub fn belongs_to_kept_claims(object: &Value) -> bool {
    object["kind"] == "Secret" && object["metadata"]["annotations"][GENERATED] == "true"
}

/// Whether an object is being deleted already.
pub fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// The claims that a StatefulSet makes from its templates, by the beginning of their names; a number follows.
pub fn made_claims(stateful_set: &Value) -> Vec<String> {
    let name = stateful_set["metadata"]["name"].as_str().unwrap_or_default();
    let templates = stateful_set["spec"]["volumeClaimTemplates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let prefix = |template: &Value| Some(format!("{}-{name}-", template["metadata"]["name"].as_str()?));
    templates.iter().filter_map(prefix).collect()
}

/// Whether a claim's name is one of those, such as `data-postgres-0`.
pub fn is_made_claim(prefixes: &[String], claim: &str) -> bool {
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    prefixes.iter().any(|prefix| claim.strip_prefix(prefix.as_str()).is_some_and(is_number))
}

/// What a controller made may carry the label of the object that it was made from.
fn belongs_to_a_controller(reference: &ObjectRef, metadata: &Value) -> Option<String> {
    let owners = metadata["ownerReferences"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(owner) = owners.iter().find(|owner| owner["controller"] == true) {
        let text = |key: &str| owner[key].as_str().unwrap_or_default().to_owned();
        return Some(format!("{} {} controls it", text("kind"), text("name")));
    }
    let mirrors = metadata["labels"].get("endpoints.kubernetes.io/managed-by").is_some();
    (reference.kind == "Endpoints" && mirrors).then(|| "its Service keeps it".into())
}

fn may_go(claims: &Claims, name: &str) -> bool {
    match claims {
        Claims::None => false,
        Claims::Named(names) => names.contains(name),
        Claims::All => true,
    }
}

/// The first of many names, and how many more there are.
pub fn some_of(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    match names.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Whether an object in a namespace is somebody's, and not there because of another object or of the namespace itself.
pub fn is_of_its_own(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let owned = metadata["ownerReferences"].as_array().is_some_and(|owners| !owners.is_empty());
    let reference = ObjectRef::of(object);
    let name = reference.name.as_str();
    let automatic = match (reference.group(), reference.kind.as_str()) {
        ("" | "events.k8s.io", "Event") | ("", "Endpoints") | ("metrics.k8s.io", _) => true,
        ("", "ServiceAccount") => name == "default",
        ("", "ConfigMap") => name == "kube-root-ca.crt" || name == "openshift-service-ca.crt",
        ("", "Secret") => metadata["annotations"].get("kubernetes.io/service-account.name").is_some(),
        _ => false,
    };
    !owned && !automatic
}

/// The order in which objects are deleted: the reverse of that in which they would be applied. Of the objects, the
/// metadata is enough. Returns indexes; what stands together goes together.
pub fn order(objects: &[Value]) -> Vec<Vec<usize>> {
    let manifests: Vec<Manifest> = objects.iter().map(as_manifest).collect();
    match waves(&manifests, &Needs::default()) {
        Ok(waves) => waves.into_iter().rev().map(|wave| wave.members).collect(),
        // A wave that was set by hand and is no number: it cannot have been applied by us, so any order will do.
        Err(_) => vec![(0..objects.len()).collect()],
    }
}

fn as_manifest(object: &Value) -> Manifest {
    Manifest { object: object.clone(), reference: ObjectRef::of(object), place: Default::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str, kind: &str, metadata: Value) -> Value {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}});
        if let (Some(all), Some(more)) = (object["metadata"].as_object_mut(), metadata.as_object()) {
            all.extend(more.clone());
        }
        object
    }

    fn plainly(object: &Value) -> Verdict {
        judge(object, &Losses::default(), &Claims::None)
    }

    fn reason(verdict: Verdict) -> String {
        match verdict {
            Verdict::Keep { reason, .. } => format!("keep: {reason}"),
            Verdict::Detach { reason } => format!("detach: {reason}"),
            Verdict::Delete { foreground } => format!("delete, foreground {foreground}"),
        }
    }

    #[test]
    fn what_nothing_holds_is_deleted() {
        assert_eq!(plainly(&object("v1", "ConfigMap", json!({}))), Verdict::Delete { foreground: false });
        assert_eq!(plainly(&object("apps/v1", "Deployment", json!({}))), Verdict::Delete { foreground: true });
        assert_eq!(plainly(&object("v1", "Namespace", json!({}))), Verdict::Delete { foreground: false });
    }

    #[test]
    fn annotations_that_ask_to_stay_detach() {
        for (key, value) in STAYS {
            let verdict = plainly(&object("v1", "ConfigMap", json!({"annotations": {key: value}})));
            assert_eq!(reason(verdict), format!("detach: its annotation {key} is {value}"));
        }
        let other = object("v1", "ConfigMap", json!({"annotations": {"evolve/keep": "false"}}));
        assert_eq!(plainly(&other), Verdict::Delete { foreground: false });
    }

    #[test]
    fn claims_go_only_with_consent() {
        let claim = object("v1", "PersistentVolumeClaim", json!({}));
        assert_eq!(reason(plainly(&claim)), "keep: its data would be lost");
        let with = |claims: Claims| judge(&claim, &Losses::default(), &claims);
        assert_eq!(with(Claims::All), Verdict::Delete { foreground: false });
        assert_eq!(with(Claims::Named(["x".into()].into())), Verdict::Delete { foreground: false });
        assert!(matches!(with(Claims::Named(["y".into()].into())), Verdict::Keep { .. }));
        let volume = object("v1", "PersistentVolume", json!({}));
        assert!(matches!(plainly(&volume), Verdict::Keep { .. }));
    }

    #[test]
    fn a_secret_that_was_generated_belongs_to_the_kept_claims() {
        let generated = json!({"annotations": {GENERATED: "true"}});
        assert!(belongs_to_kept_claims(&object("v1", "Secret", generated.clone())));
        assert!(!belongs_to_kept_claims(&object("v1", "Secret", json!({}))));
        assert!(!belongs_to_kept_claims(&object("v1", "ConfigMap", generated)));
    }

    #[test]
    fn a_stateful_set_that_takes_its_claims_along_is_kept() {
        let set = object("apps/v1", "StatefulSet", json!({}));
        let losses = Losses { claims: true, others: Vec::new() };
        assert!(reason(judge(&set, &losses, &Claims::None)).starts_with("keep: its persistentVolumeClaim"));
        assert_eq!(judge(&set, &losses, &Claims::All), Verdict::Delete { foreground: true });
    }

    #[test]
    fn a_namespace_that_holds_anything_else_is_kept() {
        let namespace = object("v1", "Namespace", json!({}));
        let others: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
        let losses = Losses { others, claims: false };
        let expected = "keep: it holds what would be lost: a, b, c and 2 more";
        assert_eq!(reason(judge(&namespace, &losses, &Claims::All)), expected);
        let system = object("v1", "Namespace", json!({"name": "kube-system"}));
        assert_eq!(reason(plainly(&system)), "keep: the cluster needs this namespace");
    }

    #[test]
    fn a_definition_with_objects_is_kept() {
        let definition = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({}));
        let losses = Losses { others: vec!["widget/a".into()], claims: false };
        let kept = "keep: every object of its kind would be lost: widget/a";
        assert_eq!(reason(judge(&definition, &losses, &Claims::All)), kept);
        assert_eq!(plainly(&definition), Verdict::Delete { foreground: false });
    }

    #[test]
    fn what_a_controller_made_is_left_to_it() {
        let owners = json!({"ownerReferences": [{"kind": "CronJob", "name": "tidy", "controller": true}]});
        assert_eq!(reason(plainly(&object("batch/v1", "Job", owners))), "keep: CronJob tidy controls it");
        let labels = json!({"labels": {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}});
        assert_eq!(reason(plainly(&object("v1", "Endpoints", labels))), "keep: its Service keeps it");
        let going = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert_eq!(reason(plainly(&object("v1", "ConfigMap", going))), "keep: it is being deleted already");
    }

    #[test]
    fn claims_of_a_stateful_set_are_known_by_their_names() {
        let mut set = object("apps/v1", "StatefulSet", json!({"name": "postgres"}));
        set["spec"] = json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}}]});
        let prefixes = made_claims(&set);
        assert!(is_made_claim(&prefixes, "data-postgres-0") && is_made_claim(&prefixes, "data-postgres-12"));
        for other in ["data-postgres-", "data-postgres-x-0", "data-postgres", "log-postgres-0", "data-postgres-old-0"] {
            assert!(!is_made_claim(&prefixes, other), "{other}");
        }
    }

    #[test]
    fn only_what_is_somebodys_holds_a_namespace() {
        let named = |kind: &str, name: &str| is_of_its_own(&object("v1", kind, json!({"name": name})));
        assert!(named("ConfigMap", "settings") && named("Secret", "password") && named("ServiceAccount", "api"));
        assert!(!named("ConfigMap", "kube-root-ca.crt") && !named("ServiceAccount", "default"));
        assert!(!named("Event", "e") && !named("Endpoints", "api"));
        assert!(!is_of_its_own(&object("v1", "Pod", json!({"ownerReferences": [{"kind": "ReplicaSet"}]}))));
        assert!(!is_of_its_own(&object("metrics.k8s.io/v1beta1", "PodMetrics", json!({}))));
    }

    #[test]
    fn the_order_is_that_of_applying_reversed() {
        let by_hand = json!({"annotations": {"evolve/wave": "1"}});
        let objects = [
            object("v1", "Namespace", json!({})),
            object("v1", "ConfigMap", json!({})),
            object("apps/v1", "Deployment", json!({})),
            object("batch/v1", "Job", by_hand),
            object("v1", "Secret", json!({})),
        ];
        assert_eq!(order(&objects), [vec![3], vec![2], vec![1, 4], vec![0]]);
        assert_eq!(order(&[object("v1", "Pod", json!({"annotations": {"evolve/wave": "soon"}}))]), [vec![0]]);
    }
}
