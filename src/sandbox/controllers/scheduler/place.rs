//! One pod is placed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{
        action::{Action, Decision, Notice, SCHEDULER, Source, View, reference},
        objects::{self, annotation, set_condition, set_text, time},
        tables::{self, Key},
    },
    filter::{self, Refusal},
    neighbours::Neighbours,
};
use crate::rules::fields::{list, text};

const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// What a pod without a node needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(entry) = view.cache.entry(key) else { return decision };
    let Some(facts) = entry.pod.as_deref().filter(|facts| facts.node.is_empty() && !facts.has_ended()) else {
        return decision;
    };
    let pod = entry.object();
    let own = matches!(text(&pod, "/spec/schedulerName"), "" | "default-scheduler");
    if entry.head.deleted.is_some() || !own || !list(&pod, "/spec/schedulingGates").is_empty() {
        return decision;
    }
    let nodes: Vec<Value> = view.cache.all(tables::NODES, None).map(|(_, entry)| entry.object()).collect();
    let unbound = match claims(view, key, &pod) {
        Ok(unbound) => unbound,
        Err(why) => {
            let message = format!("0/{} nodes are available: {why}. not found", nodes.len());
            refuse(view, key, pod, message, &mut decision);
            return decision;
        }
    };
    let neighbours = Neighbours::of(view, key, &pod, facts, &nodes);
    let mut refusals = Vec::new();
    let mut fitting: Vec<(usize, &str)> = Vec::new();
    for node in &nodes {
        let refusal = filter::refusal(view, node, &pod, facts)
            .or_else(|| misplaced(view, key, node, &pod))
            .or_else(|| neighbours.refusal(node));
        match refusal {
            Some(refusal) => refusals.push(refusal),
            None => fitting.push((view.cache.pods_on(objects::name(node)).count(), objects::name(node))),
        }
    }
    let Some((_, node)) = fitting.into_iter().min() else {
        refuse(view, key, pod, message(nodes.len(), &refusals), &mut decision);
        return decision;
    };
    let waiting = choose_node(&unbound, node, &mut decision);
    if !waiting {
        decision.actions.push(Action::Bind { pod: key.clone(), node: node.into() });
        let message = format!("Successfully assigned {}/{} to {node}", key.namespace(), key.name());
        decision.tell(notice(&pod, false, "Scheduled", message, "Binding"));
    }
    decision
}

fn notice(pod: &Value, warning: bool, reason: &'static str, message: String, action: &'static str) -> Notice {
    Notice { about: reference(pod), warning, reason, message, source: Source::Scheduler(action) }
}

/// The claims of the pod that wait for its node.
///
/// # Errors
/// Why no node will do: a claim is not there, or not bound though it should be.
fn claims(view: &View<'_>, key: &Key, pod: &Value) -> Result<Vec<(Key, Value)>, String> {
    let mut unbound = Vec::new();
    for name in claim_names(pod) {
        let place = key.beside(tables::CLAIMS, &name);
        let Some(claim) = view.cache.get(&place) else {
            return Err(format!("persistentvolumeclaim \"{name}\" not found"));
        };
        if objects::is_deleted(&claim) {
            return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
        }
        if text(&claim, "/status/phase") == "Bound" {
            continue;
        }
        let class = Key::new(tables::CLASSES, "", text(&claim, "/spec/storageClassName"));
        let waits = view.cache.get(&class).is_some_and(|class| class["volumeBindingMode"] == "WaitForFirstConsumer");
        if !waits {
            return Err("pod has unbound immediate PersistentVolumeClaims".into());
        }
        unbound.push((place, claim));
    }
    Ok(unbound)
}

/// The claims that a pod names, those of its ephemeral volumes too.
pub fn claim_names(pod: &Value) -> Vec<String> {
    let volumes = list(pod, "/spec/volumes").iter();
    volumes
        .filter_map(|volume| match volume.pointer("/persistentVolumeClaim/claimName").and_then(Value::as_str) {
            Some(name) => Some(name.to_owned()),
            None if volume.get("ephemeral").is_some() => {
                Some(format!("{}-{}", objects::name(pod), text(volume, "/name")))
            }
            None => None,
        })
        .collect()
}

/// A bound volume may be on another node.
fn misplaced(view: &View<'_>, key: &Key, node: &Value, pod: &Value) -> Option<Refusal> {
    let elsewhere = claim_names(pod).iter().any(|name| {
        let claim = view.cache.get(&key.beside(tables::CLAIMS, name)).unwrap_or_default();
        let volume = Key::new(tables::VOLUMES, "", text(&claim, "/spec/volumeName"));
        let Some(volume) = view.cache.get(&volume) else { return false };
        let terms = list(&volume, "/spec/nodeAffinity/required/nodeSelectorTerms");
        !terms.is_empty() && !terms.iter().any(|term| filter::fits_term(node, term))
    });
    let reason = "node(s) didn't match PersistentVolume's node affinity".to_owned();
    elsewhere.then(|| Refusal { reasons: vec![reason], helped_by_preemption: false })
}

/// Tells the claims which node was chosen; true where the pod has to wait for them.
fn choose_node(unbound: &[(Key, Value)], node: &str, decision: &mut Decision) -> bool {
    for (place, claim) in unbound {
        if annotation(claim, SELECTED_NODE).is_none() {
            let mut claim = claim.clone();
            set_text(&mut claim, "annotations", SELECTED_NODE, node);
            let (key, object) = (place.clone(), claim);
            decision.actions.push(Action::Update { key, subresource: "", object, manager: SCHEDULER });
        }
    }
    !unbound.is_empty()
}

/// What the real scheduler says when no node fits.
///
/// Source: `FitError.Error` of `pkg/scheduler/framework`, and the post-filters.
pub fn message(nodes: usize, refusals: &[Refusal]) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".into();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in refusals.iter().flat_map(|refusal| &refusal.reasons) {
        *counts.entry(reason).or_default() += 1;
    }
    let joined = |counts: &BTreeMap<&str, usize>| {
        let mut texts: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        texts.sort();
        texts.join(", ")
    };
    let mut helped: BTreeMap<&str, usize> = BTreeMap::new();
    for refusal in refusals {
        let text = if refusal.helped_by_preemption {
            "No preemption victims found for incoming pod"
        } else {
            "Preemption is not helpful for scheduling"
        };
        *helped.entry(text).or_default() += 1;
    }
    format!(
        "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {}.",
        joined(&counts),
        joined(&helped)
    )
}

/// Says in the pod's condition and an event that it cannot be placed.
fn refuse(view: &View<'_>, key: &Key, pod: Value, message: String, decision: &mut Decision) {
    let told = list(&pod, "/status/conditions")
        .iter()
        .any(|condition| condition["type"] == "PodScheduled" && condition["message"] == message.as_str());
    if told {
        return;
    }
    let mut changed = pod.clone();
    let mut condition = json!({"type": "PodScheduled", "lastProbeTime": null, "lastTransitionTime": time(view.now),
        "message": message, "reason": "Unschedulable", "status": "False"});
    if let Some(generation) = pod["metadata"].get("generation") {
        condition["observedGeneration"] = generation.clone();
    }
    set_condition(&mut changed["status"], condition);
    let key = key.clone();
    decision.tell(notice(&pod, true, "FailedScheduling", message, "Scheduling"));
    decision.actions.push(Action::Update { key, subresource: "status", object: changed, manager: SCHEDULER });
}
