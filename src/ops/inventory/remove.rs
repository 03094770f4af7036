//! Removes members, wave after wave, and waits until each wave is gone.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::survey::Removal;
use crate::{
    cluster::{Cluster, DeleteOptions, Deletion, ListQuery, Propagation, Resource},
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{Action, ObjectRef, RemovalOutcome, RemovedObject},
    rules::{
        applyset::PART_OF,
        prune::{self, Claims, Losses, Verdict},
    },
};

/// Requests sent at once; the client bounds them too.
const SIDE_BY_SIDE: usize = 16;
/// How often an object that changes meanwhile is looked at again.
const TRIES: usize = 5;
/// Between two looks at what is going, from the first to the longest.
const LOOKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What goes within the first looks is not worth a word.
const WORTH_TELLING: Duration = Duration::from_millis(700);

/// Removes what the survey decided, in its order. What is still there when the time is over is reported with what
/// holds it, and what should go after it is not touched; run again, the removal goes on where it stopped.
///
/// # Errors
/// Interrupted, or a cluster that does not answer. An object that cannot be removed is an outcome.
pub async fn remove(
    ctx: &Ctx,
    cluster: &Cluster,
    removals: &[Removal],
    timeout: Duration,
) -> Result<Vec<RemovedObject>> {
    let deadline = Instant::now() + timeout;
    let mut report = Vec::with_capacity(removals.len());
    let mut stuck = false;
    for wave in removals.chunk_by(|left, right| left.wave == right.wave) {
        if stuck {
            let reason = "what must go before it is still there".to_owned();
            report.extend(wave.iter().map(|removal| match &removal.verdict {
                Verdict::Delete { .. } => removed(removal, RemovalOutcome::Waiting, Some(reason.clone())),
                Verdict::Detach { reason } | Verdict::Keep { reason, .. } => {
                    removed(removal, RemovalOutcome::Kept, Some(reason.clone()))
                }
            }));
            continue;
        }
        let doing = "removing what is no longer wanted";
        let done = ctx.unless_cancelled(doing, async { Ok(remove_wave(ctx, cluster, wave, deadline).await) }).await?;
        stuck = done.iter().any(|object| matches!(object.outcome, RemovalOutcome::Lingering | RemovalOutcome::Failed));
        report.extend(done);
    }
    Ok(report)
}

async fn remove_wave(ctx: &Ctx, cluster: &Cluster, wave: &[Removal], deadline: Instant) -> Vec<RemovedObject> {
    let mut sent = stream::iter(wave)
        .map(|removal| async move { (removal, send(cluster, removal).await) })
        .buffer_unordered(SIDE_BY_SIDE);
    let mut done = Vec::with_capacity(wave.len());
    let mut going = Vec::new();
    while let Some((removal, result)) = sent.next().await {
        match result {
            Ok(Sent::Going) => going.push(removal),
            Ok(Sent::Ended(outcome, reason)) => {
                tell(ctx, removal, outcome);
                done.push(removed(removal, outcome, reason));
            }
            Err(error) => done.push(removed(removal, RemovalOutcome::Failed, Some(error.to_string()))),
        }
    }
    done.extend(wait(ctx, cluster, going, deadline).await);
    done
}

fn removed(removal: &Removal, outcome: RemovalOutcome, reason: Option<String>) -> RemovedObject {
    RemovedObject { object: removal.reference(), outcome, reason }
}

fn tell(ctx: &Ctx, removal: &Removal, outcome: RemovalOutcome) {
    let action = match outcome {
        RemovalOutcome::Deleted => Action::Delete,
        RemovalOutcome::Detached => Action::Detach,
        _ => return,
    };
    ctx.emit(Event::Done { object: removal.reference(), action });
}

/// What a request to remove an object brought about.
enum Sent {
    Going,
    Ended(RemovalOutcome, Option<String>),
}

/// Removes one object, only if it is still the one that was judged: one that changed is judged again.
async fn send(cluster: &Cluster, removal: &Removal) -> Result<Sent> {
    let reference = removal.reference();
    let (resource, namespace) = (&removal.resource, reference.namespace.as_deref());
    let mut object = removal.object.clone();
    let mut verdict = removal.verdict.clone();
    for _ in 0..TRIES {
        if prune::is_going(&object) && matches!(verdict, Verdict::Delete { .. }) {
            return Ok(Sent::Going);
        }
        let text = |key: &str| object["metadata"][key].as_str().map(str::to_owned);
        let (uid, version) = (text("uid"), text("resourceVersion"));
        let answer = match &verdict {
            Verdict::Keep { reason, .. } => return Ok(Sent::Ended(RemovalOutcome::Kept, Some(reason.clone()))),
            Verdict::Detach { reason } => {
                let patch = json!({"metadata": {"uid": uid, "resourceVersion": version, "labels": {PART_OF: null}}});
                let detached = cluster.patch(resource, namespace, &reference.name, &patch).await;
                detached.map(|_| Sent::Ended(RemovalOutcome::Detached, Some(reason.clone())))
            }
            Verdict::Delete { foreground } => {
                let propagation = if *foreground { Propagation::Foreground } else { Propagation::Background };
                let options = DeleteOptions { uid, resource_version: version, propagation, dry_run: false };
                let deleted = cluster.delete(resource, namespace, &reference.name, &options).await;
                deleted.map(|deletion| match deletion {
                    Deletion::Going => Sent::Going,
                    Deletion::Absent | Deletion::Gone => Sent::Ended(RemovalOutcome::Deleted, None),
                })
            }
        };
        match answer {
            Err(error) if error.code() == 409 => {}
            Err(error) if error.code() == 404 => return Ok(Sent::Ended(RemovalOutcome::Deleted, None)),
            other => return other,
        }
        match cluster.get(resource, namespace, &reference.name).await? {
            Some(newest) if is_same(&removal.object, &newest) => object = newest,
            // Another object of the same name is not the one that was to be removed.
            _ => return Ok(Sent::Ended(RemovalOutcome::Deleted, None)),
        }
        if !prune::is_going(&object) {
            verdict = judge_again(&object, &removal.verdict);
        }
    }
    Err(Error::failed(format!("{reference} changes so often that it cannot be removed safely")))
}

/// The user may have asked meanwhile that the object stays. What would be lost with it was judged before.
fn judge_again(object: &Value, before: &Verdict) -> Verdict {
    match prune::judge(object, &Losses::default(), &Claims::All) {
        Verdict::Delete { .. } => before.clone(),
        changed => changed,
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    one["metadata"]["uid"] == other["metadata"]["uid"]
}

/// Waits until what is going is gone, or the time is over.
async fn wait(ctx: &Ctx, cluster: &Cluster, going: Vec<&Removal>, deadline: Instant) -> Vec<RemovedObject> {
    let mut left: HashMap<&str, &Removal> = going.into_iter().map(|removal| (removal.uid(), removal)).collect();
    let mut done = Vec::new();
    let mut pause = LOOKS.0;
    let mut told = String::new();
    while !left.is_empty() {
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LOOKS.1);
        let found = match look(cluster, left.values().copied()).await {
            Ok(found) => found,
            Err(error) => {
                let reason = Some(error.to_string());
                done.extend(left.values().map(|removal| removed(removal, RemovalOutcome::Lingering, reason.clone())));
                return done;
            }
        };
        left.retain(|uid, removal| {
            let there = found.contains_key(*uid);
            if !there {
                tell(ctx, removal, RemovalOutcome::Deleted);
                done.push(removed(removal, RemovalOutcome::Deleted, None));
            }
            there
        });
        if Instant::now() >= deadline {
            break;
        }
        let mut waiting: Vec<String> = left.iter().map(|(uid, removal)| holds(removal, found.get(*uid))).collect();
        waiting.sort();
        let message = format!("waiting for {} to go", prune::some_of(&waiting));
        if !waiting.is_empty() && pause >= WORTH_TELLING && message != told {
            ctx.emit(Event::Waiting { message: message.clone() });
            told = message;
        }
    }
    for (uid, removal) in left {
        let live = details(cluster, removal).await;
        let reason = held_by(live.as_ref()).unwrap_or_else(|| format!("its deletion has begun (uid {uid})"));
        done.push(removed(removal, RemovalOutcome::Lingering, Some(reason)));
    }
    done
}

/// The metadata of those of the objects that are still there, by uid: one list for each kind and namespace.
async fn look<'r>(cluster: &Cluster, removals: impl Iterator<Item = &'r Removal>) -> Result<HashMap<String, Value>> {
    let mut lists: BTreeMap<(String, String), &Resource> = BTreeMap::new();
    for removal in removals {
        let namespace = removal.reference().namespace.unwrap_or_default();
        let path = format!("{}/{}", removal.resource.api_version(), removal.resource.plural);
        lists.insert((path, namespace), &removal.resource);
    }
    let query = ListQuery { metadata_only: true, ..ListQuery::default() };
    let mut found = HashMap::new();
    for ((_, namespace), resource) in lists {
        let namespace = Some(namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let note = |object: Value| {
            let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
            found.insert(uid, object);
        };
        match cluster.list(resource, namespace, &query, note).await {
            // The definition of the kind has gone, and its objects with it.
            Err(error) if error.code() == 404 => {}
            other => drop(other?),
        }
    }
    Ok(found)
}

fn holds(removal: &Removal, live: Option<&Value>) -> String {
    let by = held_by(live).map(|by| format!(" ({by})")).unwrap_or_default();
    format!("{}{by}", removal.reference())
}

/// A Namespace says in its status what it still holds; of other objects the metadata tells.
async fn details(cluster: &Cluster, removal: &Removal) -> Option<Value> {
    let ObjectRef { namespace, name, .. } = removal.reference();
    cluster.get(&removal.resource, namespace.as_deref(), &name).await.ok().flatten()
}

/// What holds an object that is being deleted.
fn held_by(live: Option<&Value>) -> Option<String> {
    let live = live?;
    let conditions = live["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let content = conditions.iter().filter(|condition| {
        let kind = condition["type"].as_str().unwrap_or_default();
        kind.starts_with("Namespace") && condition["status"] == "True"
    });
    let messages: Vec<&str> = content.filter_map(|condition| condition["message"].as_str()).collect();
    if !messages.is_empty() {
        return Some(messages.join("; "));
    }
    let finalizers = live["metadata"]["finalizers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = finalizers.iter().filter_map(Value::as_str).collect();
    match names.as_slice() {
        [] => None,
        ["foregroundDeletion"] => Some("waits for what it owns, such as its pods".into()),
        names => Some(format!("held by the finalizers {}", names.join(", "))),
    }
}
