//! The groups apps and batch.

use serde_json::json;

use super::super::edit::{Edit, Fields, Read};

pub(super) fn fill(name: &str, object: &mut Fields) {
    match name {
        "Deployment" => deployment(object),
        "DaemonSet" => daemon_set(object),
        "StatefulSet" => stateful_set(object),
        "ReplicaSet" => {
            if let Some(spec) = object.within("spec") {
                spec.or("replicas", 1);
            }
        }
        "Job" => job(object),
        "CronJobSpec" => {
            object.or("concurrencyPolicy", "Allow");
            object.or("suspend", false);
            object.or("successfulJobsHistoryLimit", 3);
            object.or("failedJobsHistoryLimit", 1);
        }
        "PodFailurePolicyOnPodConditionsPattern" => object.or("status", "True"),
        _ => {}
    }
}

fn deployment(object: &mut Fields) {
    let Some(spec) = object.within("spec") else { return };
    spec.or("replicas", 1);
    spec.or("revisionHistoryLimit", 10);
    spec.or("progressDeadlineSeconds", 600);
    let Some(strategy) = spec.within("strategy") else { return };
    strategy.or_text("type", "RollingUpdate");
    if strategy.text(&["type"]) == "RollingUpdate"
        && let Some(rolling) = strategy.within("rollingUpdate")
    {
        rolling.or("maxUnavailable", "25%");
        rolling.or("maxSurge", "25%");
    }
}

fn daemon_set(object: &mut Fields) {
    if let Some(annotations) = object.within("metadata").and_then(|metadata| metadata.within("annotations")) {
        // Where apps/v1 keeps what was a field of its predecessors.
        annotations.or("deprecated.daemonset.template.generation", "0");
    }
    let Some(spec) = object.within("spec") else { return };
    spec.or("revisionHistoryLimit", 10);
    let Some(strategy) = spec.within("updateStrategy") else { return };
    strategy.or_text("type", "RollingUpdate");
    if strategy.text(&["type"]) == "RollingUpdate"
        && let Some(rolling) = strategy.within("rollingUpdate")
    {
        rolling.or("maxUnavailable", 1);
        rolling.or("maxSurge", 0);
    } else if let Some(rolling) = strategy.inside("rollingUpdate") {
        // Inside of the server they are numbers that are never absent.
        rolling.or("maxUnavailable", 0);
        rolling.or("maxSurge", 0);
    }
}

fn stateful_set(object: &mut Fields) {
    let Some(spec) = object.within("spec") else { return };
    spec.or_text("podManagementPolicy", "OrderedReady");
    spec.or("replicas", 1);
    spec.or("revisionHistoryLimit", 10);
    for claim in spec.each("volumeClaimTemplates") {
        claim.insert("apiVersion".into(), json!("v1"));
        claim.insert("kind".into(), json!("PersistentVolumeClaim"));
    }
    if let Some(policy) = spec.within("persistentVolumeClaimRetentionPolicy") {
        policy.or_text("whenDeleted", "Retain");
        policy.or_text("whenScaled", "Retain");
    }
    let Some(strategy) = spec.within("updateStrategy") else { return };
    if strategy.text(&["type"]).is_empty() {
        strategy.or_text("type", "RollingUpdate");
        strategy.or("rollingUpdate", json!({}));
    }
    if strategy.text(&["type"]) == "RollingUpdate"
        && let Some(rolling) = strategy.inside("rollingUpdate")
    {
        rolling.or("partition", 0);
    }
}

fn job(object: &mut Fields) {
    let labels =
        object.fields(&["spec", "template", "metadata", "labels"]).filter(|labels| !labels.is_empty()).cloned();
    if let Some(labels) = labels
        && object.fields(&["metadata", "labels"]).is_none_or(Fields::is_empty)
        && let Some(metadata) = object.within("metadata")
    {
        metadata.insert("labels".into(), labels.into());
    }
    let Some(spec) = object.within("spec") else { return };
    if !spec.has(&["completions"]) && !spec.has(&["parallelism"]) {
        spec.or("completions", 1);
    }
    spec.or("parallelism", 1);
    let limit = if spec.has(&["backoffLimitPerIndex"]) { i32::MAX } else { 6 };
    spec.or("backoffLimit", limit);
    spec.or("completionMode", "NonIndexed");
    spec.or("suspend", false);
    let replacement = if spec.has(&["podFailurePolicy"]) { "Failed" } else { "TerminatingOrFailed" };
    spec.or("podReplacementPolicy", replacement);
    spec.or("manualSelector", false);
}
