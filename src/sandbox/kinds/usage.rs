//! What objects use of the resources that quotas limit.
//!
//! Source: `pkg/quota/v1/evaluator/core` of Kubernetes 1.34. Extended resources and priority classes as scopes do not
//! count.

use serde_json::Value;

use crate::rules::{
    fields::{list, text},
    quantity::Quantity,
};

/// What a quota can ask every container to say.
const OF_PODS: [&str; 6] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
const OF_CLASS: &str = ".storageclass.storage.k8s.io/";

/// The group and the plural name of the objects that use a limited resource; None where nothing counts it.
pub fn table(limit: &str) -> Option<(&str, &str)> {
    if let Some(counted) = limit.strip_prefix("count/") {
        let (plural, group) = counted.split_once('.').unwrap_or((counted, ""));
        return Some((group, plural));
    }
    let plural = match limit {
        "pods" => "pods",
        _ if OF_PODS.contains(&limit) => "pods",
        "requests.storage" => "persistentvolumeclaims",
        _ if limit.contains(OF_CLASS) => "persistentvolumeclaims",
        "services.loadbalancers" | "services.nodeports" => "services",
        "configmaps"
        | "secrets"
        | "services"
        | "persistentvolumeclaims"
        | "resourcequotas"
        | "replicationcontrollers" => limit,
        _ => return None,
    };
    Some(("", plural))
}

/// How much an object of such a table uses of a limited resource.
pub fn of(object: &Value, limit: &str) -> Quantity {
    let nothing = Quantity::of(0);
    if OF_PODS.contains(&limit) || limit == "pods" {
        if matches!(text(object, "/status/phase"), "Succeeded" | "Failed") {
            return nothing;
        }
        return if limit == "pods" { Quantity::of(1) } else { of_containers(object, limit) };
    }
    let storage = || Quantity::parse(text(object, "/spec/resources/requests/storage")).unwrap_or(Quantity::of(0));
    match limit {
        "requests.storage" => storage(),
        "services.loadbalancers" => Quantity::of(i64::from(text(object, "/spec/type") == "LoadBalancer")),
        "services.nodeports" => match text(object, "/spec/type") {
            "NodePort" | "LoadBalancer" => Quantity::of(list(object, "/spec/ports").len() as i64),
            _ => nothing,
        },
        _ => match limit.split_once(OF_CLASS) {
            Some((class, _)) if class != text(object, "/spec/storageClassName") => nothing,
            Some((_, "requests.storage")) => storage(),
            _ => Quantity::of(1),
        },
    }
}

fn of_containers(pod: &Value, limit: &str) -> Quantity {
    let pointer = amount_of(limit);
    let amount = |container: &Value| Quantity::parse(text(container, &pointer)).unwrap_or(Quantity::of(0));
    let sum = |sum: Quantity, container: &Value| sum.plus(&amount(container));
    let together = list(pod, "/spec/containers").iter().fold(Quantity::of(0), sum);
    let (sidecars, steps): (Vec<&Value>, Vec<&Value>) =
        list(pod, "/spec/initContainers").iter().partition(|container| text(container, "/restartPolicy") == "Always");
    let together = sidecars.into_iter().fold(together, sum);
    let largest = steps.into_iter().map(amount).max_by_key(Quantity::nano);
    largest.filter(|step| step.nano() > together.nano()).unwrap_or(together)
}

fn amount_of(limit: &str) -> String {
    let (field, resource) = limit.split_once('.').unwrap_or(("requests", limit));
    format!("/resources/{field}/{resource}")
}

/// What a pod's containers have to say where these are limited, and do not: `limits.cpu for: main; …`.
pub fn unsaid<'l>(pod: &Value, limits: impl Iterator<Item = &'l str>) -> Option<String> {
    let mut limits: Vec<&str> = limits.filter(|limit| OF_PODS.contains(limit)).collect();
    limits.sort_unstable();
    let silent = |limit: &&str| {
        let pointer = amount_of(limit);
        let containers = list(pod, "/spec/containers").iter().chain(list(pod, "/spec/initContainers"));
        let mut names: Vec<&str> = containers
            .filter(|container| text(container, &pointer).is_empty())
            .map(|container| text(container, "/name"))
            .collect();
        names.sort_unstable();
        (!names.is_empty()).then(|| format!("{limit} for: {}", names.join(",")))
    };
    let found: Vec<String> = limits.iter().filter_map(silent).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

/// Whether a quota is about an object: one with scopes is about the pods of all of them.
pub fn is_about(quota: &Value, object: &Value) -> bool {
    let selected = list(quota, "/spec/scopeSelector/matchExpressions").iter().map(|rule| text(rule, "/scopeName"));
    let mut scopes = list(quota, "/spec/scopes").iter().filter_map(Value::as_str).chain(selected);
    let is_pod = object["kind"] == "Pod";
    let ends = object.pointer("/spec/activeDeadlineSeconds").is_some_and(|seconds| !seconds.is_null());
    let best_effort = || {
        let named = |container: &Value| {
            ["requests", "limits"].iter().any(|field| container.pointer(&format!("/resources/{field}")).is_some())
        };
        !list(object, "/spec/containers").iter().any(named)
    };
    scopes.all(|scope| match scope {
        "Terminating" => is_pod && ends,
        "NotTerminating" => is_pod && !ends,
        "BestEffort" => is_pod && best_effort(),
        "NotBestEffort" => is_pod && !best_effort(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn each_kind_uses_what_its_quota_counts() {
        let pod = "{kind: Pod, spec: {containers: [{name: a, resources: {requests: {cpu: 100m}, limits: {memory: 1Gi}}}, {name: b, resources: {requests: {cpu: 1}}}], \
                   initContainers: [{name: c, resources: {requests: {cpu: '2'}}}]}}";
        let claim =
            "{kind: PersistentVolumeClaim, spec: {storageClassName: fast, resources: {requests: {storage: 2Gi}}}}";
        let service = "{kind: Service, spec: {type: NodePort, ports: [{port: 1}, {port: 2}]}}";
        for (object, limit, used) in [
            (pod, "pods", "1"),
            (pod, "requests.cpu", "2"),
            (pod, "cpu", "2"),
            (pod, "limits.memory", "1Gi"),
            (pod, "count/pods", "1"),
            ("{kind: Pod, status: {phase: Failed}}", "pods", "0"),
            (claim, "requests.storage", "2Gi"),
            (claim, "fast.storageclass.storage.k8s.io/requests.storage", "2Gi"),
            (claim, "slow.storageclass.storage.k8s.io/persistentvolumeclaims", "0"),
            (service, "services.nodeports", "2"),
            (service, "services.loadbalancers", "0"),
        ] {
            assert_eq!(of(&yaml(object), limit).to_string(), used, "{limit} of {object}");
        }
        let limits = ["pods", "limits.memory", "limits.cpu"];
        assert_eq!(unsaid(&yaml(pod), limits.into_iter()).unwrap(), "limits.cpu for: a,b,c; limits.memory for: b,c");
        assert_eq!(table("count/jobs.batch"), Some(("batch", "jobs")));
        assert!(!is_about(&yaml("{spec: {scopes: [BestEffort]}}"), &yaml(pod)));
    }
}
