//! Which controllers a change concerns.

use super::{
    cache::{Cache, Entry},
    endpoints,
    facts::Owner,
    tables::{self, Key, TableId, Tables},
    work::{Agenda, Task},
};
use crate::sandbox::pods::Kubelet;

/// How many pods without a node are tried again when room may have been made.
const WAITING: usize = 1000;

/// Queues what a change of an object concerns. `before` is how the object was; it is gone where the cache no longer has it.
pub fn route(cache: &Cache, key: &Key, before: Option<&Entry>, kubelet: &Kubelet, agenda: &mut Agenda) {
    let entry = cache.entry(key);
    collect(cache, key, before, entry, agenda);
    if let Some(task) = own(key.table) {
        agenda.add(task, key.clone());
    }
    for owner in owners(before, entry) {
        if let Some((task, owner)) = controller(key, owner) {
            agenda.add(task, owner);
        }
    }
    match key.table {
        tables::PODS => pod(cache, key, before, entry, agenda),
        tables::NODES => {
            waiting(cache, agenda);
            all(cache, tables::DAEMON_SETS, None, Task::DaemonSet, agenda);
        }
        tables::CLASSES => all(cache, tables::CLAIMS, None, Task::Claim, agenda),
        tables::VOLUMES => all(cache, tables::CLAIMS, None, Task::Claim, agenda),
        tables::DEPLOYMENTS | tables::STATEFUL_SETS | tables::REPLICA_SETS => {
            all(cache, tables::AUTOSCALERS, Some(key.namespace()), Task::Autoscaler, agenda);
        }
        tables::SERVICES | tables::SECRETS | tables::CONFIG_MAPS => depend(key, kubelet, agenda),
        tables::ENDPOINTS => {
            agenda.add(Task::Endpoints, key.beside(tables::SERVICES, key.name()));
            depend(key, kubelet, agenda);
        }
        tables::CLAIMS => {
            let pods = cache.pods_on("").filter(|(place, _)| place.starts_with(&format!("{}/", key.namespace())));
            for (place, _) in pods {
                agenda.add(Task::Schedule, Key { table: tables::PODS, place: place.clone() });
            }
            all(cache, tables::VOLUMES, None, Task::Volume, agenda);
        }
        _ => {}
    }
    if key.table != tables::QUOTAS && before.is_some() != entry.is_some() {
        all(cache, tables::QUOTAS, Some(key.namespace()), Task::Quota, agenda);
    }
    if entry.is_none() && matches!(key.name(), "kube-root-ca.crt" | "default") {
        agenda.add(Task::Namespace, Key::new(tables::NAMESPACES, "", key.namespace()));
    }
}

/// Who looks at the objects of a table themselves.
fn own(table: TableId) -> Option<Task> {
    Some(match table {
        tables::NAMESPACES => Task::Namespace,
        tables::DEPLOYMENTS => Task::Deployment,
        tables::REPLICA_SETS => Task::ReplicaSet,
        tables::STATEFUL_SETS => Task::StatefulSet,
        tables::DAEMON_SETS => Task::DaemonSet,
        tables::JOBS => Task::Job,
        tables::CRON_JOBS => Task::CronJob,
        tables::CLAIMS => Task::Claim,
        tables::VOLUMES => Task::Volume,
        tables::AUTOSCALERS => Task::Autoscaler,
        tables::BUDGETS => Task::Budget,
        tables::QUOTAS => Task::Quota,
        tables::SERVICES => Task::Endpoints,
        _ => return None,
    })
}

fn owners<'e>(before: Option<&'e Entry>, entry: Option<&'e Entry>) -> impl Iterator<Item = &'e Owner> {
    // A pod whose state that controllers ask for is the same needs no look at its owner.
    let same = before.zip(entry).is_some_and(|(before, entry)| same_pod(before, entry));
    let entries = [before, entry].into_iter().flatten().filter(move |_| !same);
    entries.filter_map(|entry| entry.head.controller())
}

fn same_pod(before: &Entry, entry: &Entry) -> bool {
    entry.pod.is_some()
        && before.pod == entry.pod
        && before.head.deleted == entry.head.deleted
        && before.head.finalizers == entry.head.finalizers
}

/// The controller of an object, as work.
fn controller(key: &Key, owner: &Owner) -> Option<(Task, Key)> {
    let table = Tables::of_kind(&owner.api_version, &owner.kind)?;
    Some((own(table)?, key.beside(table, &owner.name)))
}

/// Owners and dependents, and the namespaces that end.
fn collect(cache: &Cache, key: &Key, before: Option<&Entry>, entry: Option<&Entry>, agenda: &mut Agenda) {
    match entry {
        Some(entry) => {
            if entry.head.deleted.is_some() || (before.is_none() && !entry.head.owners.is_empty()) {
                agenda.add(Task::Collect, key.clone());
            }
        }
        None => {
            if let Some(before) = before {
                for dependent in cache.dependents(&before.head.uid) {
                    agenda.add(Task::Collect, dependent);
                }
            }
        }
    }
    for owner in before.into_iter().flat_map(|before| &before.head.owners) {
        if let Some(owner) = cache.by_uid(&owner.uid)
            && cache.entry(owner).is_some_and(|owner| owner.head.deleted.is_some())
        {
            agenda.add(Task::Collect, owner.clone());
        }
    }
    let namespace = Key::new(tables::NAMESPACES, "", key.namespace());
    if !key.namespace().is_empty() && cache.entry(&namespace).is_some_and(|found| found.head.deleted.is_some()) {
        agenda.add(Task::Namespace, namespace);
    }
}

fn pod(cache: &Cache, key: &Key, before: Option<&Entry>, entry: Option<&Entry>, agenda: &mut Agenda) {
    let facts = entry.and_then(|entry| entry.pod.as_deref());
    agenda.add(Task::Pod, key.clone());
    if facts.is_some_and(|pod| pod.node.is_empty()) {
        agenda.add(Task::Schedule, key.clone());
    }
    if before.zip(entry).is_some_and(|(before, entry)| same_pod(before, entry)) {
        return;
    }
    let was = before.and_then(|before| before.pod.as_deref());
    let freed = was.is_some_and(|pod| !pod.node.is_empty()) && facts.is_none_or(|pod| pod.has_ended());
    if freed {
        waiting(cache, agenda);
        // A Deployment with the strategy Recreate waits for the last of the old pods.
        for owner in before.into_iter().filter_map(|before| before.head.controller()) {
            let set = key.beside(tables::REPLICA_SETS, &owner.name);
            let above = cache.entry(&set).and_then(|set| set.head.controller());
            if let Some((task, above)) = above.and_then(|above| controller(key, above)) {
                agenda.add(task, above);
            }
        }
    }
    all(cache, tables::BUDGETS, Some(key.namespace()), Task::Budget, agenda);
    if freed {
        all(cache, tables::CLAIMS, Some(key.namespace()), Task::Claim, agenda);
    }
    for (service, found) in cache.all(tables::SERVICES, Some(key.namespace())) {
        let object = found.object();
        if [was, facts].into_iter().flatten().any(|pod| endpoints::selects(&object, pod)) {
            agenda.add(Task::Endpoints, service);
        }
    }
}

/// Every object of a table, or of a namespace's part of it, is looked at.
fn all(cache: &Cache, table: TableId, namespace: Option<&str>, task: Task, agenda: &mut Agenda) {
    if namespace == Some("") {
        return;
    }
    for (key, _) in cache.all(table, namespace) {
        agenda.add(task, key);
    }
}

/// Pods that wait for a node are tried again.
fn waiting(cache: &Cache, agenda: &mut Agenda) {
    for (place, _) in cache.pods_on("").take(WAITING) {
        agenda.add(Task::Schedule, Key { table: tables::PODS, place: place.clone() });
    }
}

/// Pods that depend on what changed in their namespace are looked at again.
fn depend(key: &Key, kubelet: &Kubelet, agenda: &mut Agenda) {
    for pod in kubelet.dependents(key.namespace()) {
        agenda.add(Task::Pod, pod.clone());
    }
}
