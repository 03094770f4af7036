//! From a scene to a report.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    beside, claim,
    index::Index,
    pod::KeptPod,
    scene::{Owner, Scene, Subject, words},
    service::{self, Behind, selects},
    summary, workload,
};
use crate::{
    model::{ObjectRef, OtherStatus, ServiceStatus, Status, StatusReport, Verdict, WorkloadStatus},
    rules::{
        applyset::PART_OF,
        fields::{list, text},
        readiness::health,
        rollout::owner,
    },
};

/// Judges everything in a scene as it is at this time.
pub fn report(scene: &Scene, now: Timestamp) -> StatusReport {
    let index = Index::new(scene);
    let roots = roots(scene);
    let mut workloads: Vec<(&Value, WorkloadStatus)> = Vec::new();
    let mut rest: Vec<&Value> = Vec::new();
    for object in roots {
        if workload::has_pods(object) || !index.pods_of(object).is_empty() {
            workloads.push((object, workload::workload(scene, &index, object, now)));
        } else {
            rest.push(object);
        }
    }
    for (owner, pods) in strays(scene) {
        workloads.push((&Value::Null, workload::unread(scene, &owner, &pods, now)));
    }
    let services = service::services(scene);
    let mut attached: BTreeSet<ObjectRef> = BTreeSet::new();
    for (object, status) in &mut workloads {
        surround(scene, object, status, &services, now, &mut attached);
    }
    let mut report = StatusReport {
        application: scene.application.clone(),
        namespaces: scene.namespaces.clone(),
        time: now.to_string(),
        workloads: workloads.into_iter().map(|(_, status)| status).collect(),
        others: others(scene, rest, services, &attached),
        notes: scene.notes.clone(),
        ..StatusReport::default()
    };
    report.workloads.sort_by(|one, other| {
        let key = |status: &WorkloadStatus| {
            (status.object.namespace.clone(), rank(&status.object.kind), status.object.name.clone())
        };
        key(one).cmp(&key(other))
    });
    summary::conclude(&mut report);
    report
}

/// What serves comes before what runs once.
fn rank(kind: &str) -> usize {
    const ORDER: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"];
    ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len())
}

/// The objects of the scope that no other object of it controls.
fn roots(scene: &Scene) -> Vec<&Value> {
    let known: HashSet<&str> =
        scene.found.iter().chain(scene.all(Subject::ReplicaSet)).map(|object| text(object, "/metadata/uid")).collect();
    let below = |object: &&Value| {
        let kind = text(object, "/kind");
        matches!(kind, "Pod" | "ReplicaSet" | "Job") && known.contains(owner(object))
    };
    scene.found.iter().filter(|object| !below(object)).collect()
}

/// Pods that no object of the scope owns, by their controller; they count where the scope is everything.
fn strays(scene: &Scene) -> Vec<(Owner, Vec<&KeptPod>)> {
    if !scene.everything {
        return Vec::new();
    }
    let known = scene.found.iter().chain(scene.all(Subject::ReplicaSet)).chain(scene.all(Subject::Job));
    let known: HashSet<&str> = known.map(|object| text(object, "/metadata/uid")).collect();
    let deployments: HashSet<(&str, &str)> = scene
        .found
        .iter()
        .filter(|object| text(object, "/kind") == "Deployment")
        .map(|object| (text(object, "/metadata/namespace"), text(object, "/metadata/name")))
        .collect();
    let mut strays: BTreeMap<(String, String), (Owner, Vec<&KeptPod>)> = BTreeMap::new();
    for pod in scene.pods.values() {
        let owner = match &pod.owner {
            Some(owner) if owner.kind == "ReplicaSet" && !known.contains(owner.uid.as_str()) => {
                let name = owner.name.rsplit_once('-').map_or(owner.name.as_str(), |(name, _)| name);
                if deployments.contains(&(pod.namespace(), name)) {
                    continue;
                }
                owner.clone()
            }
            Some(owner) => owner.clone(),
            None => Owner {
                api_version: "v1".into(),
                kind: "Pod".into(),
                name: pod.name().to_owned(),
                uid: pod.uid.clone(),
            },
        };
        if known.contains(owner.uid.as_str()) {
            continue;
        }
        let key = (pod.namespace().to_owned(), owner.uid.clone());
        strays.entry(key).or_insert_with(|| (owner, Vec::new())).1.push(pod);
    }
    strays.into_values().collect()
}

/// Adds what belongs to a workload: Services, claims, its autoscaler and its budget.
fn surround(
    scene: &Scene,
    object: &Value,
    status: &mut WorkloadStatus,
    services: &[Behind<'_>],
    now: Timestamp,
    attached: &mut BTreeSet<ObjectRef>,
) {
    let namespace = status.object.namespace.clone().unwrap_or_default();
    let labels = workload::labels(object);
    let pods: Vec<(String, String)> =
        status.sets.iter().flat_map(|set| &set.pods).map(|pod| (namespace.clone(), pod.name.clone())).collect();
    let leads_here = |behind: &&Behind<'_>| {
        behind.status.object.namespace.as_deref() == Some(&namespace)
            && (selects(behind.service, labels)
                || (labels.is_null() && pods.iter().any(|(_, name)| behind.pods.contains(name.as_str()))))
    };
    for behind in services.iter().filter(leads_here) {
        attached.insert(behind.status.object.clone());
        let mut service = behind.status.clone();
        // A workload that is meant to have no pods has none behind its Service either.
        if status.pods.wanted == 0 && service.verdict == Verdict::Degraded {
            (service.verdict, service.message) = (Verdict::Healthy, "nothing runs behind it now".into());
        }
        worsen(status, service.verdict, &service.object, &service.message);
        status.services.push(service);
    }
    let mut mounted: BTreeSet<&str> = BTreeSet::new();
    for name in &pods {
        mounted.extend(scene.pods.get(name).into_iter().flat_map(|pod| pod.claims.iter().map(String::as_str)));
    }
    for name in mounted {
        let claim = match scene.one(Subject::Claim, &namespace, name) {
            Some(found) => claim::claim(scene, found),
            None if scene.reads(Subject::Claim) => claim::missing(&namespace, name),
            None => continue,
        };
        attached.insert(claim.object.clone());
        worsen(status, claim.verdict, &claim.object, &claim.message);
        status.claims.push(claim);
    }
    status.autoscaler = beside::autoscaler(scene, &status.object, now);
    if let Some(autoscaler) = &status.autoscaler {
        attached.insert(autoscaler.object.clone());
        let (verdict, object, message) = (autoscaler.verdict, autoscaler.object.clone(), autoscaler.message.clone());
        worsen(status, verdict, &object, &message);
    }
    status.budget = beside::budget(scene, &namespace, labels);
    attached.extend(status.budget.iter().map(|budget| budget.object.clone()));
    status.more = more(status);
}

/// Something beside a workload makes it no better; a failure of a claim or a Service is its own only in part.
fn worsen(status: &mut WorkloadStatus, verdict: Verdict, object: &ObjectRef, message: &str) {
    let verdict = verdict.min(Verdict::Degraded);
    if verdict > status.verdict {
        (status.verdict, status.message) = (verdict, format!("{object}: {message}"));
    }
}

/// The command that shows more of what is wrong.
fn more(status: &WorkloadStatus) -> Option<String> {
    if !status.verdict.is_bad() {
        return None;
    }
    let namespace = status.object.namespace.as_deref().unwrap_or_default();
    let pods = status.sets.iter().flat_map(|set| &set.pods).filter(|pod| pod.verdict.is_bad());
    let worst = pods.max_by_key(|pod| (pod.verdict, !pod.over, pod.restarts));
    Some(match worst {
        Some(pod) if pod.restarts > 0 || pod.last_end.is_some() => {
            let container = pod.containers.iter().find(|container| !container.ready && container.last_end.is_some());
            let container = container.map(|container| format!(" -c {}", container.name)).unwrap_or_default();
            let previous = if pod.restarts > 0 { " -p" } else { "" };
            format!("kubectl evolve logs pod/{}{container}{previous} -n {namespace}", pod.name)
        }
        Some(pod) => format!("kubectl describe pod {} -n {namespace}", pod.name),
        None => format!("kubectl describe {} -n {namespace}", status.object),
    })
}

fn others(
    scene: &Scene,
    rest: Vec<&Value>,
    services: Vec<Behind<'_>>,
    attached: &BTreeSet<ObjectRef>,
) -> Vec<OtherStatus> {
    let mut others = Vec::new();
    let mut told: BTreeSet<ObjectRef> = attached.clone();
    let named: BTreeSet<ObjectRef> = rest.iter().map(|object| ObjectRef::of(object)).collect();
    let set = scene.found.first().map(|object| &object["metadata"]["labels"][PART_OF]).filter(|set| set.is_string());
    let set = set.filter(|_| scene.application.is_some());
    let is_member = |object: &Value| set.is_some_and(|set| object["metadata"]["labels"][PART_OF] == *set);
    for behind in services {
        let object = &behind.status.object;
        // The API server's own Service has no selector and is everyone's.
        let own = object.name == "kubernetes" && object.namespace.as_deref() == Some("default");
        if (named.contains(object) || is_member(behind.service) || (scene.everything && !own))
            && told.insert(object.clone())
        {
            others.push(of_service(behind.status));
        }
    }
    for found in scene.all(Subject::Claim) {
        let object = ObjectRef::of(found);
        if (named.contains(&object) || is_member(found) || scene.everything) && told.insert(object.clone()) {
            let mut claim = claim::claim(scene, found);
            if claim.message.is_empty() {
                claim.message = "no pod mounts it".into();
            }
            let message = claim.message.clone();
            others.push(OtherStatus {
                object,
                verdict: claim.verdict,
                message,
                claim: Some(claim),
                ..OtherStatus::default()
            });
        }
    }
    let unknown = rest.into_iter().filter(|object| told.insert(ObjectRef::of(object)));
    others.extend(unknown.map(of_any));
    others
}

fn of_service(service: ServiceStatus) -> OtherStatus {
    let namespace = service.object.namespace.as_deref().unwrap_or_default();
    let more = service.verdict.is_bad().then(|| format!("kubectl describe {} -n {namespace}", service.object));
    OtherStatus {
        object: service.object.clone(),
        verdict: service.verdict,
        message: service.message.clone(),
        more,
        service: Some(service),
        ..OtherStatus::default()
    }
}

/// Any object, by its conditions.
fn of_any(object: &Value) -> OtherStatus {
    let health = health(object);
    let verdict = match health.status {
        Status::Current => Verdict::Healthy,
        Status::InProgress | Status::Terminating | Status::NotFound => Verdict::Progressing,
        Status::Failed => Verdict::Failed,
    };
    // A condition that says no, and has said so for the present generation, is more than a beginning.
    let refuses = list(object, "/status/conditions").iter().any(|condition| {
        condition["type"] == "Ready" && condition["status"] == "False" && text(condition, "/reason").contains("Fail")
    });
    let verdict = if refuses { verdict.max(Verdict::Failed) } else { verdict };
    let reference = ObjectRef::of(object);
    let namespace = reference.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    OtherStatus {
        more: (verdict != Verdict::Healthy).then(|| format!("kubectl describe {reference}{namespace}")),
        verdict,
        message: words(&health.message),
        object: reference,
        ..OtherStatus::default()
    }
}
