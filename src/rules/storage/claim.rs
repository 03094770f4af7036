//! The state of a claim, and why it is in it.

use serde_json::Value;

use super::mounts::{ClaimUser, PodUse};
use crate::{
    model::{StorageItem, StorageState},
    rules::{
        events,
        fields::{Condition, condition, list, text},
        quantity::Quantity,
        redact::Redactor,
    },
};

/// A claim as the report shows it. `pods` are those that name it, `users` the workloads of its namespace, `events` its
/// own events.
pub fn claim_item(claim: &Value, pods: &[&PodUse], users: &[&ClaimUser], events: &[&Value]) -> StorageItem {
    let name = text(claim, "/metadata/name");
    let mounted: Vec<&&PodUse> = pods.iter().filter(|pod| !pod.ended && !pod.node.is_empty()).collect();
    let reasons: Vec<(&str, String)> =
        users.iter().filter_map(|user| Some((user.name.as_str(), user.of(name)?))).collect();
    let (state, reason) = state(claim, &mounted, pods, &reasons, events);
    let mut workloads: Vec<String> = pods.iter().filter_map(|pod| pod.workload.clone()).collect();
    workloads.extend(reasons.iter().map(|(user, _)| (*user).to_owned()));
    let mut nodes: Vec<String> = mounted.iter().map(|pod| pod.node.clone()).collect();
    for names in [&mut workloads, &mut nodes] {
        names.sort();
        names.dedup();
    }
    StorageItem {
        namespace: Some(text(claim, "/metadata/namespace").to_owned()),
        claim: Some(name.to_owned()),
        volume: said(text(claim, "/spec/volumeName")),
        state,
        reason: reason.map(|reason| Redactor::default().line(&reason)),
        requested: bytes(text(claim, "/spec/resources/requests/storage")),
        capacity: bytes(text(claim, "/status/capacity/storage")),
        class: said(text(claim, "/spec/storageClassName")),
        access: texts(list(claim, "/spec/accessModes")),
        mode: said(text(claim, "/spec/volumeMode")).unwrap_or_else(|| "Filesystem".into()),
        nodes,
        pods: mounted.iter().map(|pod| pod.name.clone()).collect(),
        workloads,
        ..StorageItem::default()
    }
}

fn state(
    claim: &Value,
    mounted: &[&&PodUse],
    pods: &[&PodUse],
    reasons: &[(&str, String)],
    events: &[&Value],
) -> (StorageState, Option<String>) {
    if !text(claim, "/metadata/deletionTimestamp").is_empty() {
        let reason = match mounted.first() {
            Some(pod) => format!("it is deleted, and goes when pod/{} mounts it no more", pod.name),
            None => format!("it is deleted, and held by {}", texts(list(claim, "/metadata/finalizers")).join(", ")),
        };
        return (StorageState::Terminating, Some(reason));
    }
    match text(claim, "/status/phase") {
        "Bound" => {}
        "Lost" => {
            let volume = text(claim, "/spec/volumeName");
            return (StorageState::Lost, Some(format!("its volume {volume} is gone, and the data with it")));
        }
        _ => return (StorageState::Pending, Some(pending(pods, events))),
    }
    if let Some(reason) = resizing(claim) {
        return (StorageState::Resizing, Some(reason));
    }
    if !mounted.is_empty() {
        return (StorageState::Bound, None);
    }
    match (reasons.first(), pods.iter().find(|pod| !pod.ended)) {
        (_, Some(pod)) => {
            (StorageState::Unmounted, Some(format!("pod/{} names it, and is not scheduled yet", pod.name)))
        }
        (Some((_, reason)), None) => (StorageState::Unmounted, Some(reason.clone())),
        (None, None) => (StorageState::Orphaned, Some("no pod and no workload names it".into())),
    }
}

/// Why a claim has no volume: what its events warn of, else what they say last.
fn pending(pods: &[&PodUse], events: &[&Value]) -> String {
    let warning = events::newest(events, |event| text(event, "/type") == "Warning");
    let newest = warning.or_else(|| events::newest(events, |_| true));
    match newest.map(|event| (text(event, "/reason"), text(event, "/message"))) {
        Some(("WaitForFirstConsumer", _)) if pods.is_empty() => "it waits for a pod that mounts it".into(),
        Some((reason, message)) => format!("{reason}: {}", message.trim()),
        None if pods.is_empty() => "not bound to a volume; no pod mounts it".into(),
        None => "not bound to a volume".into(),
    }
}

/// What a change of size waits for; None when none is under way.
pub(super) fn resizing(claim: &Value) -> Option<String> {
    let amount = |pointer: &str| Quantity::parse(text(claim, pointer));
    let (wanted, capacity) = (amount("/spec/resources/requests/storage")?, amount("/status/capacity/storage")?);
    if wanted <= capacity {
        return None;
    }
    let sizes = format!("from {capacity} to {wanted}");
    let words = |condition: Condition<'_>| condition.words().to_owned();
    for trouble in ["ControllerResizeError", "NodeResizeError"] {
        if let Some(condition) = condition(claim, trouble).filter(Condition::is_true) {
            return Some(format!("{sizes}, and failing: {}", words(condition)));
        }
    }
    if text(claim, "/status/allocatedResourceStatuses/storage").ends_with("Infeasible") {
        return Some(format!("{sizes}, which the storage refuses"));
    }
    if condition(claim, "FileSystemResizePending").is_some_and(|condition| condition.is_true()) {
        return Some(format!("{sizes}: the file system grows when a pod mounts it"));
    }
    Some(sizes)
}

/// An amount in bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    Quantity::parse(text).and_then(|amount| u64::try_from(amount.units()).ok())
}

pub(super) fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

pub(super) fn texts(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{fields::yaml, storage::mounts::workload_claims};

    fn pod(node: &str, ended: bool) -> PodUse {
        PodUse { name: "db-0".into(), node: node.into(), ended, ..PodUse::default() }
    }

    fn judge(claim: &str, pods: &[&PodUse], events: &[&Value]) -> (StorageState, String) {
        let item = claim_item(&yaml(claim), pods, &[], events);
        (item.state, item.reason.unwrap_or_default())
    }

    #[test]
    fn a_pending_claim_says_why() {
        let pending = "{metadata: {name: data}, status: {phase: Pending}}";
        let waits =
            yaml("{type: Normal, reason: WaitForFirstConsumer, message: waiting, lastTimestamp: 2026-11-21T10:00:09Z}");
        let failed = yaml(
            "{type: Warning, reason: ProvisioningFailed, message: 'class \"fast\" not found', lastTimestamp: 2026-11-21T10:00:00Z}",
        );
        let (state, reason) = judge(pending, &[], &[&waits]);
        assert_eq!((state, reason.as_str()), (StorageState::Pending, "it waits for a pod that mounts it"));
        let (_, reason) = judge(pending, &[], &[&waits, &failed]);
        assert_eq!(reason, "ProvisioningFailed: class \"fast\" not found");
    }

    #[test]
    fn a_bound_claim_is_mounted_unmounted_or_orphaned() {
        let bound = "{metadata: {name: data-db-0}, status: {phase: Bound}}";
        assert_eq!(judge(bound, &[&pod("n1", false)], &[]).0, StorageState::Bound);
        assert_eq!(judge(bound, &[&pod("", false)], &[]).0, StorageState::Unmounted);
        assert_eq!(judge(bound, &[&pod("n1", true)], &[]).0, StorageState::Orphaned);
        let set = yaml(
            "{kind: StatefulSet, metadata: {name: db}, spec: {replicas: 0, volumeClaimTemplates: [{metadata: {name: data}}]}}",
        );
        let user = workload_claims(&set).unwrap();
        let item = claim_item(&yaml(bound), &[], &[&user], &[]);
        assert_eq!((item.state, item.workloads), (StorageState::Unmounted, vec!["statefulset/db".to_owned()]));
    }

    #[test]
    fn lost_terminating_and_resizing_claims_are_told_apart() {
        let lost = "{metadata: {name: a}, spec: {volumeName: v}, status: {phase: Lost}}";
        assert_eq!(judge(lost, &[], &[]).0, StorageState::Lost);
        let going = "{metadata: {name: a, deletionTimestamp: x, finalizers: [kubernetes.io/pvc-protection]}}";
        let (state, reason) = judge(going, &[&pod("n1", false)], &[]);
        assert_eq!(state, StorageState::Terminating);
        assert_eq!(reason, "it is deleted, and goes when pod/db-0 mounts it no more");
        let growing = "{metadata: {name: a}, spec: {resources: {requests: {storage: 2Gi}}}, status: {phase: Bound,
            capacity: {storage: 1Gi}, conditions: [{type: FileSystemResizePending, status: 'True'}]}}";
        let (state, reason) = judge(growing, &[], &[]);
        assert_eq!(state, StorageState::Resizing);
        assert_eq!(reason, "from 1Gi to 2Gi: the file system grows when a pod mounts it");
    }
}
