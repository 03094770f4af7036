//! The order of a deploy: which objects are applied together, and which before others.

use serde_json::Value;

use super::dependence::Needs;
use crate::model::{Manifest, ObjectRef};

/// Sets an object's wave by hand: a whole number, lower first; 0 is where workloads are.
pub const WAVE_ANNOTATION: &str = "evolve/wave";

/// The kinds that go before workloads, in order. What is in none of the lists is applied with or after workloads.
const BEFORE: [&[&str]; 5] = [
    &["Namespace"],
    &["CustomResourceDefinition", "APIService"],
    &[
        "PriorityClass",
        "RuntimeClass",
        "ResourceQuota",
        "LimitRange",
        "PodSecurityPolicy",
        "NetworkPolicy",
        "ServiceAccount",
        "ClusterRole",
        "Role",
        "ClusterRoleBinding",
        "RoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ],
    &["ConfigMap", "Secret", "StorageClass", "VolumeSnapshotClass", "IngressClass", "GatewayClass", "DeviceClass"],
    &["PersistentVolume", "PersistentVolumeClaim", "ResourceClaim", "ResourceClaimTemplate", "Service"],
];
const WORKLOADS: [&str; 8] =
    ["Pod", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
const ROUTING: [&str; 9] = [
    "Ingress",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
    "TCPRoute",
    "TLSRoute",
    "Endpoints",
];
/// The kinds of [`BEFORE`] have the ranks before.
const RANK_OF_WORKLOADS: usize = BEFORE.len() + 1;
/// The rank of workloads that need others first.
const DEPENDENT: usize = RANK_OF_WORKLOADS + 3;
/// Webhooks come last: one that is not yet served would refuse what comes after it.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// One wave: objects that are applied side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// Indexes into the manifests.
    pub members: Vec<usize>,
    /// Whether all of the wave must be ready before the next one begins. True where the order was set by hand, and
    /// where what comes next cannot exist without it (namespaces, definitions).
    pub wait: bool,
    /// What has to be ready before this wave begins.
    pub after: Vec<usize>,
}

/// Where an object stands: the number set by hand, then the rank of its kind, then how much it needs first.
type Position = (i64, usize, usize);

/// The waves of a set, in order. Workloads that need others come when these are ready and everything else is there, so
/// that nothing that is waited for can lack what would come later.
///
/// # Errors
/// The index of the manifest whose annotation is not a whole number.
pub fn waves(manifests: &[Manifest], needs: &Needs) -> Result<Vec<Wave>, usize> {
    let defined: Vec<(&str, &str)> = manifests.iter().filter_map(|manifest| definition(&manifest.object)).collect();
    let mut placed: Vec<(Position, usize)> = Vec::with_capacity(manifests.len());
    for (index, manifest) in manifests.iter().enumerate() {
        let by_hand = by_hand(&manifest.object).map_err(|()| index)?;
        let level = needs.level.get(index).copied().unwrap_or(0);
        let rank = if level > 0 { DEPENDENT } else { rank(&manifest.reference, &defined) };
        placed.push(((by_hand, rank, level), index));
    }
    placed.sort();
    let mut waves: Vec<(Position, Wave)> = Vec::new();
    for (position, index) in placed {
        match waves.last_mut() {
            Some((last, wave)) if *last == position => wave.members.push(index),
            _ => waves.push((position, Wave { members: vec![index], wait: false, after: Vec::new() })),
        }
    }
    for current in 0..waves.len() {
        let next_by_hand = waves.get(current + 1).map(|((by_hand, ..), _)| *by_hand);
        let ((by_hand, rank, _), wave) = &mut waves[current];
        wave.wait = *rank <= 1 || next_by_hand.is_some_and(|next| next != *by_hand);
        wave.after = wave.members.iter().filter_map(|member| needs.of.get(*member)).flatten().copied().collect();
        wave.after.sort_unstable();
        wave.after.dedup();
    }
    Ok(waves.into_iter().map(|(_, wave)| wave).collect())
}

/// The rank of a kind among all kinds; objects of kinds that the set itself defines come after workloads, unless
/// nothing but the definition is needed for them.
fn rank(reference: &ObjectRef, defined: &[(&str, &str)]) -> usize {
    let kind = reference.kind.as_str();
    if defined.contains(&(reference.group(), kind)) {
        return 2;
    }
    if let Some(rank) = BEFORE.iter().position(|kinds| kinds.contains(&kind)) {
        return rank;
    }
    match kind {
        _ if WORKLOADS.contains(&kind) => RANK_OF_WORKLOADS,
        _ if ROUTING.contains(&kind) => RANK_OF_WORKLOADS + 1,
        _ if LAST.contains(&kind) => DEPENDENT + 1,
        _ => RANK_OF_WORKLOADS + 2,
    }
}

/// The group and kind that a CustomResourceDefinition defines.
pub fn definition(object: &Value) -> Option<(&str, &str)> {
    let is_definition = object["kind"] == "CustomResourceDefinition";
    let spec = object.get("spec").filter(|_| is_definition)?;
    Some((spec["group"].as_str()?, spec["names"]["kind"].as_str()?))
}

fn by_hand(object: &Value) -> Result<i64, ()> {
    match object["metadata"]["annotations"].get(WAVE_ANNOTATION) {
        None => Ok(0),
        Some(text) => text.as_str().and_then(|text| text.trim().parse().ok()).ok_or(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(api_version: &str, kind: &str, wave: Option<&str>) -> Manifest {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": kind.to_lowercase()}});
        if let Some(wave) = wave {
            object["metadata"]["annotations"] = json!({WAVE_ANNOTATION: wave});
        }
        Manifest { reference: ObjectRef::of(&object), object, place: Default::default() }
    }

    fn order(manifests: &[Manifest]) -> Vec<(Vec<&str>, bool)> {
        let name = |index: &usize| manifests[*index].reference.kind.as_str();
        waves(manifests, &Needs::default())
            .unwrap()
            .iter()
            .map(|wave| (wave.members.iter().map(name).collect(), wave.wait))
            .collect()
    }

    #[test]
    fn kinds_come_in_their_order() {
        let manifests = [
            manifest("apps/v1", "Deployment", None),
            manifest("networking.k8s.io/v1", "Ingress", None),
            manifest("v1", "ConfigMap", None),
            manifest("v1", "Secret", None),
            manifest("v1", "Namespace", None),
            manifest("example.org/v1", "Widget", None),
        ];
        let expected = [
            (vec!["Namespace"], true),
            (vec!["ConfigMap", "Secret"], false),
            (vec!["Deployment"], false),
            (vec!["Ingress"], false),
            (vec!["Widget"], false),
        ];
        assert_eq!(order(&manifests), expected);
    }

    #[test]
    fn what_a_definition_defines_comes_after_it() {
        let mut definition = manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", None);
        definition.object["spec"] = json!({"group": "example.org", "names": {"kind": "Widget"}});
        let manifests = [manifest("example.org/v1", "Widget", None), definition, manifest("v1", "ConfigMap", None)];
        let expected = [(vec!["CustomResourceDefinition"], true), (vec!["Widget"], false), (vec!["ConfigMap"], false)];
        assert_eq!(order(&manifests), expected);
    }

    #[test]
    fn an_order_by_hand_is_waited_for() {
        let manifests = [
            manifest("apps/v1", "Deployment", None),
            manifest("batch/v1", "Job", Some("-1")),
            manifest("v1", "ConfigMap", Some("-1")),
        ];
        assert_eq!(order(&manifests), [(vec!["ConfigMap"], false), (vec!["Job"], true), (vec!["Deployment"], false)]);
        assert_eq!(waves(&[manifest("v1", "ConfigMap", Some("first"))], &Needs::default()), Err(0));
    }

    #[test]
    fn what_needs_others_comes_when_they_are_ready_and_the_rest_is_there() {
        let manifests = [
            manifest("apps/v1", "Deployment", None),
            manifest("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", None),
            manifest("apps/v1", "StatefulSet", None),
            manifest("example.org/v1", "Widget", None),
        ];
        let needs = Needs {
            of: vec![[2].into(), Default::default(), Default::default(), Default::default()],
            level: vec![1, 0, 0, 0],
            circles: Vec::new(),
        };
        let waves = waves(&manifests, &needs).unwrap();
        let members: Vec<&[usize]> = waves.iter().map(|wave| wave.members.as_slice()).collect();
        assert_eq!(members, [&[2][..], &[3], &[0], &[1]]);
        let after: Vec<&[usize]> = waves.iter().map(|wave| wave.after.as_slice()).collect();
        assert_eq!(after, [&[][..], &[], &[2], &[]]);
    }
}
