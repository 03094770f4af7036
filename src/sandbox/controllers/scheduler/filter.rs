//! Whether a node can take a pod.

use serde_json::Value;

use super::super::{action::View, amounts, facts::PodFacts, objects};
use crate::rules::fields::{is_true, list, text};

/// Why a node cannot take a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reasons: Vec<String>,
    /// Whether pods that go could change it.
    pub helped_by_preemption: bool,
}

/// Why a node cannot take a pod; None where it can.
pub fn refusal(view: &View<'_>, node: &Value, pod: &Value, facts: &PodFacts) -> Option<Refusal> {
    let hard = |reason: String| Some(Refusal { reasons: vec![reason], helped_by_preemption: false });
    let unschedulable = serde_json::json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
    if is_true(node, "/spec/unschedulable") && !tolerates(pod, &unschedulable) {
        return hard("node(s) were unschedulable".into());
    }
    let taints = list(node, "/spec/taints").iter();
    let untolerated = taints
        .filter(|taint| matches!(text(taint, "/effect"), "NoSchedule" | "NoExecute"))
        .find(|taint| !tolerates(pod, taint));
    if let Some(taint) = untolerated {
        let (key, value) = (text(taint, "/key"), text(taint, "/value"));
        return hard(format!("node(s) had untolerated taint {{{key}: {value}}}"));
    }
    if !fits_selectors(node, pod) {
        return hard("node(s) didn't match Pod's node affinity/selector".into());
    }
    lacking(view, node, pod, facts)
}

/// What the node has too little of.
fn lacking(view: &View<'_>, node: &Value, pod: &Value, facts: &PodFacts) -> Option<Refusal> {
    let name = objects::name(node);
    let allocatable = |resource: &str| text(node, &format!("/status/allocatable/{resource}"));
    let (mut count, mut cpu, mut memory, mut ports_taken) = (1, 0, 0, false);
    let ports = host_ports(pod);
    for (_, entry) in view.cache.pods_on(name) {
        let Some(other) = entry.pod.as_deref() else { continue };
        count += 1;
        cpu += other.cpu;
        memory += other.memory;
        if !ports.is_empty() {
            ports_taken |= host_ports(&entry.object()).iter().any(|port| ports.contains(port));
        }
    }
    let mut reasons = Vec::new();
    let mut beyond = false;
    if ports_taken {
        reasons.push("node(s) didn't have free ports for the requested pod ports".to_owned());
    } else {
        if count > amounts::whole(allocatable("pods")) {
            reasons.push("Too many pods".to_owned());
        }
        for (resource, wanted, used, all) in [
            ("cpu", facts.cpu, cpu, amounts::thousandths(allocatable("cpu"))),
            ("memory", facts.memory, memory, amounts::whole(allocatable("memory"))),
        ] {
            if wanted > 0 && used + wanted > all {
                reasons.push(format!("Insufficient {resource}"));
                beyond |= wanted > all;
            }
        }
    }
    (!reasons.is_empty()).then_some(Refusal { reasons, helped_by_preemption: !beyond })
}

fn host_ports(pod: &Value) -> Vec<(i64, String)> {
    let containers = list(pod, "/spec/containers").iter();
    let ports = containers.flat_map(|container| list(container, "/ports"));
    ports
        .filter_map(|port| Some((port.get("hostPort")?.as_i64()?, text(port, "/protocol").to_owned())))
        .filter(|(port, _)| *port > 0)
        .collect()
}

/// Whether a pod tolerates a taint.
pub fn tolerates(pod: &Value, taint: &Value) -> bool {
    list(pod, "/spec/tolerations").iter().any(|toleration| {
        let effect = text(toleration, "/effect");
        let key = text(toleration, "/key");
        let exists = text(toleration, "/operator") == "Exists";
        (effect.is_empty() || effect == text(taint, "/effect"))
            && ((key.is_empty() && exists) || key == text(taint, "/key"))
            && (exists || text(toleration, "/value") == text(taint, "/value"))
    })
}

/// Whether a node is one that the pod's selector and its required affinity allow.
pub fn fits_selectors(node: &Value, pod: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let selector = pod.pointer("/spec/nodeSelector").and_then(Value::as_object);
    let selected = selector.into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let required = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let terms = list(pod, required);
    selected && (pod.pointer(required).is_none() || terms.iter().any(|term| fits_term(node, term)))
}

/// Whether a node fits a term of a node selector. An empty term fits none.
pub fn fits_term(node: &Value, term: &Value) -> bool {
    let (expressions, fields) = (list(term, "/matchExpressions"), list(term, "/matchFields"));
    let label = |key: &str| node["metadata"]["labels"].get(key).and_then(Value::as_str);
    let field = |key: &str| (key == "metadata.name").then(|| objects::name(node));
    !(expressions.is_empty() && fields.is_empty())
        && expressions.iter().all(|rule| holds(rule, label(text(rule, "/key"))))
        && fields.iter().all(|rule| holds(rule, field(text(rule, "/key"))))
}

fn holds(rule: &Value, value: Option<&str>) -> bool {
    let values = list(rule, "/values");
    let listed = || value.is_some_and(|value| values.iter().any(|wanted| wanted == value));
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    let bound = || number(values.first().and_then(Value::as_str));
    match text(rule, "/operator") {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => number(value).zip(bound()).is_some_and(|(value, bound)| value > bound),
        "Lt" => number(value).zip(bound()).is_some_and(|(value, bound)| value < bound),
        _ => false,
    }
}
