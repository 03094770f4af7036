//! What a roll-out waits for.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    attempt::Attempt,
    job::{Job, Survey},
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::Result,
    model::{Manifest, ObjectRef},
    ops::wait::{self, Target, WaitRequest},
    rules::{applyset, pods::Patience, redact::Redactor},
};

/// The answers to the applies, by the index of the item: of each object what a wait needs.
pub(super) type Answers = HashMap<usize, Value>;

/// Keeps of an object what a wait needs; nothing of one that is as it should be already.
pub(super) fn worth_watching(mut object: Value) -> Option<Value> {
    if wait::is_settled(&object, true) {
        return None;
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    Some(object)
}

/// Waits for these items of the set; whether all are healthy. Causes go into the attempt.
pub(super) async fn wait_for(
    ctx: &Ctx,
    cluster: &Cluster,
    job: &Job,
    survey: &Survey,
    members: impl IntoIterator<Item = usize>,
    attempt: &mut Attempt,
) -> Result<bool> {
    let mut targets = Vec::new();
    for index in members {
        let Some((item, step)) = survey.set.items.get(index).zip(survey.steps.get(index)) else { continue };
        let answer = attempt.answers.get(&index);
        let changed = answer.is_some();
        let Some(object) = answer.or(step.live.as_deref()).filter(|object| changed || !wait::is_settled(object, false))
        else {
            continue;
        };
        let reference = &item.manifest.reference;
        // A kind that the set has brought is known by now.
        let resource = match &item.resource {
            Some(resource) => Some(resource.clone()),
            None => cluster.resource(&reference.api_version, &reference.kind).await?,
        };
        targets.extend(resource.map(|resource| Target { resource, object: object.clone(), changed }));
    }
    let secrets = secrets(survey);
    let request = WaitRequest {
        targets,
        timeout: job.options.timeout,
        patience: Patience { grace: job.options.grace, restart_budget: job.options.restart_budget },
        since: attempt.began,
        selector: Some(format!("{}={}", applyset::PART_OF, survey.set.id)),
        redactor: Redactor::of_secrets(secrets.iter().map(|secret| &secret.object)),
        known_secrets: secrets.iter().filter_map(|secret| name_of(&secret.reference)).collect(),
    };
    let report = wait::wait(ctx, cluster, request).await?;
    attempt.health = report.objects;
    attempt.evidence.extend(report.failure);
    attempt.notes.extend(report.notes);
    attempt.images.extend(report.images);
    Ok(attempt.evidence.is_empty() && !report.timed_out)
}

/// The Secrets of the set that hold values.
fn secrets(survey: &Survey) -> Vec<&Manifest> {
    let manifests = survey.set.items.iter().map(|item| &item.manifest);
    let holds = |secret: &&Manifest| {
        secret.reference.kind == "Secret" && secret.object["data"].as_object().is_some_and(|data| !data.is_empty())
    };
    manifests.filter(holds).collect()
}

fn name_of(secret: &ObjectRef) -> Option<(String, String)> {
    Some((secret.namespace.clone()?, secret.name.clone()))
}
