//! Which pods are of the new revision. The others had their errors before, and they are not this deploy's.

use serde_json::Value;

use crate::rules::fields::{count, text};

const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";
const HASH: &str = "/metadata/labels/controller-revision-hash";

/// The ReplicaSet that a Deployment's controller has made or chosen for its present template, once it has seen it.
pub fn newest_replica_set<'v>(deployment: &Value, replica_sets: &[&'v Value]) -> Option<&'v Value> {
    let revision = text(deployment, REVISION);
    if revision.is_empty() || !is_observed(deployment) {
        return None;
    }
    replica_sets.iter().copied().find(|set| text(set, REVISION) == revision)
}

/// Whether a pod of the workload is of its present template. `siblings` are all pods of the workload.
pub fn of_new_revision(workload: &Value, replica_set: Option<&Value>, pod: &Value, siblings: &[&Value]) -> bool {
    match text(workload, "/kind") {
        "Deployment" => replica_set.is_some_and(|set| text(set, "/metadata/uid") == owner(pod)),
        "StatefulSet" => {
            let revision = text(workload, "/status/updateRevision");
            is_observed(workload) && !revision.is_empty() && text(pod, HASH) == revision
        }
        "DaemonSet" => is_observed(workload) && of_new_template(workload, pod, siblings),
        _ => true,
    }
}

/// The uid of an object's controller; empty without one.
pub(crate) fn owner(object: &Value) -> &str {
    let owners = crate::rules::fields::list(object, "/metadata/ownerReferences");
    owners.iter().find(|owner| owner["controller"] == true).map_or("", |owner| text(owner, "/uid"))
}

/// A DaemonSet does not say the hash of its revision; its pods say the generation of the template they were made
/// from, and share their hash with those that an earlier, equal template has left.
fn of_new_template(workload: &Value, pod: &Value, siblings: &[&Value]) -> bool {
    let generation = text(workload, "/metadata/annotations/deprecated.daemonset.template.generation");
    let is_new = |pod: &Value| text(pod, "/metadata/labels/pod-template-generation") == generation;
    is_new(pod) || siblings.iter().any(|other| is_new(other) && text(other, HASH) == text(pod, HASH))
}

fn is_observed(workload: &Value) -> bool {
    count(workload, "/status/observedGeneration") >= count(workload, "/metadata/generation")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn a_deployment_names_its_replica_set_by_its_revision() {
        let deployment = |observed: u32| {
            yaml(&format!(
                "{{kind: Deployment, metadata: {{generation: 2, annotations: {{deployment.kubernetes.io/revision: '3'}}}}, status: {{observedGeneration: {observed}}}}}"
            ))
        };
        let set = |uid: &str, revision: &str| {
            yaml(&format!(
                "{{metadata: {{uid: {uid}, annotations: {{deployment.kubernetes.io/revision: '{revision}'}}}}}}"
            ))
        };
        let (old, new) = (set("a", "2"), set("b", "3"));
        let newest = newest_replica_set(&deployment(2), &[&old, &new]);
        assert_eq!(newest, Some(&new));
        assert_eq!(newest_replica_set(&deployment(1), &[&old, &new]), None, "the change is not seen yet");
        let pod =
            |owner: &str| yaml(&format!("{{metadata: {{ownerReferences: [{{uid: {owner}, controller: true}}]}}}}"));
        assert!(of_new_revision(&deployment(2), newest, &pod("b"), &[]));
        assert!(!of_new_revision(&deployment(2), newest, &pod("a"), &[]));
        assert!(!of_new_revision(&deployment(2), None, &pod("b"), &[]));
    }

    #[test]
    fn a_stateful_set_names_its_revision() {
        let set = yaml(
            "{kind: StatefulSet, metadata: {generation: 2}, status: {observedGeneration: 2, updateRevision: db-2}}",
        );
        let pod = |hash: &str| yaml(&format!("{{metadata: {{labels: {{controller-revision-hash: {hash}}}}}}}"));
        assert!(of_new_revision(&set, None, &pod("db-2"), &[]));
        assert!(!of_new_revision(&set, None, &pod("db-1"), &[]));
    }

    #[test]
    fn a_daemon_set_counts_its_templates() {
        let set = yaml(
            "{kind: DaemonSet, metadata: {generation: 4, annotations: {deprecated.daemonset.template.generation: '3'}}, status: {observedGeneration: 4}}",
        );
        let pod = |generation: u32, hash: &str| {
            yaml(&format!(
                "{{metadata: {{labels: {{pod-template-generation: '{generation}', controller-revision-hash: {hash}}}}}}}"
            ))
        };
        let (old, equal, new) = (pod(2, "b"), pod(1, "a"), pod(3, "a"));
        let all = [&old, &equal, &new];
        assert_eq!(all.map(|pod| of_new_revision(&set, None, pod, &all)), [false, true, true]);
    }
}
