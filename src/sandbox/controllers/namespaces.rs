//! Namespaces: what each one has from its start, and how one ends.
//!
//! Source: `pkg/controller/namespace/deletion` of Kubernetes 1.34.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    action::{Action, Decision, MANAGER, View},
    objects::{self, set_condition, time},
    tables::{self, Key, TableId},
};

/// The namespaces that every cluster has.
pub const INITIAL: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
const ROOT_CERTIFICATES: &str = "kube-root-ca.crt";
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
    distributions of Kubernetes clusters.";

/// What a namespace needs done.
pub fn reconcile(view: &View<'_>, key: &Key, authority: &str) -> Decision {
    let Some(namespace) = view.cache.get(key) else { return Decision::none() };
    if objects::is_deleted(&namespace) { end(view, key, namespace) } else { furnish(view, key, authority) }
}

fn furnish(view: &View<'_>, key: &Key, authority: &str) -> Decision {
    let mut decision = Decision::none();
    let name = key.name();
    if !view.cache.has(&Key::new(tables::CONFIG_MAPS, name, ROOT_CERTIFICATES)) {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": ROOT_CERTIFICATES, "namespace": name,
                "annotations": {"kubernetes.io/description": DESCRIPTION}},
            "data": {"ca.crt": authority}});
        decision.create(tables::CONFIG_MAPS, map);
    }
    if !view.cache.has(&Key::new(tables::ACCOUNTS, name, "default")) {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": name}});
        decision.create(tables::ACCOUNTS, account);
    }
    decision
}

/// Deletes what is in a namespace; when nothing is left, the namespace may go.
fn end(view: &View<'_>, key: &Key, namespace: Value) -> Decision {
    let mut decision = Decision::none();
    let mut left: BTreeMap<TableId, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<Box<str>, usize> = BTreeMap::new();
    for within in view.cache.within(key.name()) {
        let Some(entry) = view.cache.entry(&within) else { continue };
        *left.entry(within.table).or_default() += 1;
        for finalizer in &entry.head.finalizers {
            *finalizers.entry(finalizer.clone()).or_default() += 1;
        }
        if entry.head.deleted.is_none() {
            decision.delete(&within, &entry.head.uid);
        }
    }
    if !decision.actions.is_empty() {
        return decision;
    }
    let mut changed = namespace.clone();
    for condition in conditions(view, &left, &finalizers) {
        set_condition(&mut changed["status"], condition);
    }
    if left.is_empty() {
        finalize(key, changed, namespace, &mut decision);
    } else if changed != namespace {
        decision.status(key, changed);
    }
    decision
}

fn finalize(key: &Key, mut changed: Value, namespace: Value, decision: &mut Decision) {
    if changed["status"] != namespace["status"] {
        decision.status(key, changed);
        return;
    }
    if let Some(finalizers) = changed.pointer_mut("/spec/finalizers").and_then(Value::as_array_mut) {
        finalizers.retain(|finalizer| finalizer != "kubernetes");
    }
    let key = key.clone();
    decision.actions.push(Action::Update { key, subresource: "finalize", object: changed, manager: MANAGER });
}

fn conditions(view: &View<'_>, left: &BTreeMap<TableId, usize>, finalizers: &BTreeMap<Box<str>, usize>) -> Vec<Value> {
    let of = |kind: &str, reason: &str, message: String, holds: bool| {
        json!({"type": kind, "status": if holds { "True" } else { "False" }, "lastTransitionTime": time(view.now),
            "reason": reason, "message": message})
    };
    let mut kinds: Vec<String> = left
        .iter()
        .map(|(table, count)| format!("{} has {count} resource instances", view.cache.tables.group_resource(*table)))
        .collect();
    kinds.sort();
    let held: Vec<String> =
        finalizers.iter().map(|(finalizer, count)| format!("{finalizer} in {count} resource instances")).collect();
    let remaining = if left.is_empty() {
        of("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed".into(), false)
    } else {
        let message = format!("Some resources are remaining: {}", kinds.join(", "));
        of("NamespaceContentRemaining", "SomeResourcesRemain", message, true)
    };
    let kept = if finalizers.is_empty() {
        let message = "All content-preserving finalizers finished".into();
        of("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", message, false)
    } else {
        let message = format!("Some content in the namespace has finalizers remaining: {}", held.join(", "));
        of("NamespaceFinalizersRemaining", "SomeFinalizersRemain", message, true)
    };
    let discovered = "All resources successfully discovered".into();
    let parsed = "All legacy kube types successfully parsed".into();
    let deleted = "All content successfully deleted, may be waiting on finalization".into();
    vec![
        of("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", discovered, false),
        of("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", parsed, false),
        of("NamespaceDeletionContentFailure", "ContentDeleted", deleted, false),
        remaining,
        kept,
    ]
}
