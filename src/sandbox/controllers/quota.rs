//! Quotas: what a namespace uses. That nothing is made beyond them is not enforced.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    action::{Decision, View},
    tables::{self, Key, TableId},
};
use crate::rules::{fields::text, quantity::Quantity};

/// What a quota needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(quota) = view.cache.get(key) else { return decision };
    let Some(hard) = quota.pointer("/spec/hard").and_then(Value::as_object) else { return decision };
    let used: BTreeMap<&String, String> =
        hard.keys().filter_map(|name| Some((name, used(view, key.namespace(), name)?))).collect();
    let mut changed = quota.clone();
    changed["status"] = json!({"hard": hard, "used": used});
    if changed["status"] != quota["status"] {
        decision.status(key, changed);
    }
    decision
}

/// How much of a resource a namespace uses; None where it is not one that is counted.
fn used(view: &View<'_>, namespace: &str, name: &str) -> Option<String> {
    let count = |table: TableId| view.cache.all(table, Some(namespace)).count().to_string();
    let table = match name.strip_prefix("count/").unwrap_or(name) {
        "pods" => {
            let pods = view.cache.all(tables::PODS, Some(namespace));
            let running = pods.filter(|(_, entry)| entry.pod.as_ref().is_some_and(|pod| !pod.has_ended()));
            return Some(running.count().to_string());
        }
        "configmaps" => tables::CONFIG_MAPS,
        "secrets" => tables::SECRETS,
        "services" => tables::SERVICES,
        "persistentvolumeclaims" => tables::CLAIMS,
        "resourcequotas" => tables::QUOTAS,
        "deployments.apps" => tables::DEPLOYMENTS,
        "replicasets.apps" => tables::REPLICA_SETS,
        "statefulsets.apps" => tables::STATEFUL_SETS,
        "jobs.batch" => tables::JOBS,
        "cronjobs.batch" => tables::CRON_JOBS,
        "requests.storage" => {
            let claims = view.cache.all(tables::CLAIMS, Some(namespace)).map(|(_, entry)| entry.object());
            return sum(claims.map(|claim| text(&claim, "/spec/resources/requests/storage").to_owned()));
        }
        "cpu" | "requests.cpu" | "memory" | "requests.memory" | "limits.cpu" | "limits.memory" => {
            return of_pods(view, namespace, name);
        }
        _ => return None,
    };
    Some(count(table))
}

fn of_pods(view: &View<'_>, namespace: &str, name: &str) -> Option<String> {
    let (field, resource) = name.split_once('.').unwrap_or(("requests", name));
    let pods = view.cache.all(tables::PODS, Some(namespace));
    let running = pods.filter(|(_, entry)| entry.pod.as_ref().is_some_and(|pod| !pod.has_ended()));
    let pointer = format!("/resources/{field}/{resource}");
    sum(running.flat_map(|(_, entry)| {
        let pod = entry.object();
        let containers = crate::rules::fields::list(&pod, "/spec/containers").iter();
        containers.map(|container| text(container, &pointer).to_owned()).collect::<Vec<_>>()
    }))
}

fn sum(parts: impl Iterator<Item = String>) -> Option<String> {
    let none = Quantity::of(0);
    let total = parts.filter_map(|text| Quantity::parse(&text)).fold(none, |sum, amount| sum.plus(&amount));
    Some(total.to_string())
}
