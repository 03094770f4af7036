//! Carries out the steps of one wave, side by side.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    plan::Step,
    set::DesiredSet,
    waiting::{Answers, worth_watching},
};
use crate::{
    cluster::{ApplyMode, Cluster, DeleteOptions, Propagation, Resource},
    context::Ctx,
    error::{Error, ErrorKind, Result},
    event::Event,
    model::Action,
    rules::{migration, waves::Wave},
};

/// Requests sent at once; the client bounds them too.
const SIDE_BY_SIDE: usize = 16;
/// How often the fields of an object are taken over anew when it changes meanwhile.
const TAKE_OVERS: usize = 5;
/// How long an object that is recreated may take to go, and a new kind to be served.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at what has to go or to come.
const LOOK: Duration = Duration::from_millis(200);

/// What became of a wave.
#[derive(Debug, Default)]
pub(crate) struct WaveOutcome {
    /// What the server answered, where it is worth watching.
    pub answers: Answers,
    /// Those that failed, with the reason.
    pub failed: Vec<(usize, Error)>,
}

/// Applies every step of a wave that changes something. Steps that have not begun when the user interrupts, or when the
/// server is gone, are left.
pub(crate) async fn apply_wave(
    ctx: &Ctx,
    cluster: &Cluster,
    set: &DesiredSet,
    steps: &[Step],
    wave: &Wave,
) -> WaveOutcome {
    let due = wave.members.iter().filter_map(|index| steps.get(*index)).filter(|step| step.is_due());
    let is_gone = AtomicBool::new(false);
    let is_gone = &is_gone;
    let mut results = stream::iter(due)
        .map(|step| async move {
            if ctx.cancel.is_cancelled() {
                return (step, Err(Error::interrupted("interrupted before it was applied")));
            }
            if is_gone.load(Ordering::Relaxed) {
                return (step, Err(Error::unreachable("the server was gone before it was applied")));
            }
            let done = carry_out(cluster, set, step).await;
            let unreachable = done.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unreachable);
            is_gone.fetch_or(unreachable, Ordering::Relaxed);
            (step, done)
        })
        .buffer_unordered(SIDE_BY_SIDE);
    let mut outcome = WaveOutcome::default();
    while let Some((step, result)) = results.next().await {
        match result {
            Ok(answer) => {
                ctx.emit(Event::Done { object: step.change.object.clone(), action: step.change.action });
                outcome.answers.extend(worth_watching(answer).map(|answer| (step.item, answer)));
            }
            Err(error) => outcome.failed.push((step.item, error)),
        }
    }
    outcome
}

/// Returns the object as the server answered it.
async fn carry_out(cluster: &Cluster, set: &DesiredSet, step: &Step) -> Result<Value> {
    let Some(item) = set.items.get(step.item) else {
        return Err(Error::failed(format!("{} is no part of the set", step.change.object)));
    };
    let body = step.body(item);
    let Some(resource) = &item.resource else { return create_of_new_kind(cluster, step, body).await };
    match step.change.action {
        Action::Replace => remove(cluster, resource, step).await?,
        _ => take_over(cluster, resource, step).await?,
    }
    Ok(cluster.apply(resource, body, ApplyMode { dry_run: false, force: step.force }).await?.object)
}

/// Makes the fields that kubectl's own apply owns ours, before the apply that may drop some of them, and gives the number
/// of replicas up that an autoscaler is to own.
async fn take_over(cluster: &Cluster, resource: &Resource, step: &Step) -> Result<()> {
    let object = &step.change.object;
    let mut live = step.live.clone();
    for _ in 0..TAKE_OVERS {
        let Some(patch) = live.as_deref().and_then(|live| migration::patch(live, step.leaves_replicas)) else {
            return Ok(());
        };
        match cluster.patch(resource, object.namespace.as_deref(), &object.name, &patch).await {
            Err(error) if error.code() == 409 => {
                live = cluster.get(resource, object.namespace.as_deref(), &object.name).await?.map(Box::new);
            }
            other => return other.map(|_| ()),
        }
    }
    Err(Error::failed(format!("{object} changes so often that its fields cannot be taken over")))
}

/// Deletes an object that cannot be changed, only if it is still the one that was seen, and waits until it is gone.
async fn remove(cluster: &Cluster, resource: &Resource, step: &Step) -> Result<()> {
    let object = &step.change.object;
    let uid = step.live.as_ref().and_then(|live| live["metadata"]["uid"].as_str()).map(str::to_owned);
    let options = DeleteOptions { uid: uid.clone(), propagation: Propagation::Foreground, ..DeleteOptions::default() };
    cluster.delete(resource, object.namespace.as_deref(), &object.name, &options).await?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let live = cluster.get(resource, object.namespace.as_deref(), &object.name).await?;
        let Some(live) = live.filter(|live| live["metadata"]["uid"].as_str().map(str::to_owned) == uid) else {
            return Ok(());
        };
        if Instant::now() >= deadline {
            return Err(Error::failed(format!(
                "{object} is not gone after {} s{}",
                PATIENCE.as_secs(),
                holders(&live)
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn holders(live: &Value) -> String {
    let finalizers = live["metadata"]["finalizers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = finalizers.iter().filter_map(Value::as_str).collect();
    if names.is_empty() { String::new() } else { format!("; held by the finalizers {}", names.join(", ")) }
}

/// An object of a kind that the set itself has just defined: the server needs a moment to serve it.
async fn create_of_new_kind(cluster: &Cluster, step: &Step, body: &Value) -> Result<Value> {
    let object = &step.change.object;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = match cluster.resource(&object.api_version, &object.kind).await? {
            Some(resource) => {
                let mode = ApplyMode { dry_run: false, force: step.force };
                cluster.apply(&resource, body, mode).await.map(|applied| applied.object)
            }
            None => Err(Error::failed(format!("the cluster does not serve {} in {}", object.kind, object.api_version))),
        };
        match answer {
            Err(error) if matches!(error.code(), 0 | 404) && Instant::now() < deadline => {
                cluster.forget_resources().await;
                tokio::time::sleep(LOOK).await;
            }
            answer => return answer,
        }
    }
}
