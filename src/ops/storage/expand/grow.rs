//! Asks for the size on each claim, and waits until it has it.

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use serde_json::{Value, json};

use super::look::Growth;
use crate::{
    cluster::{Cluster, ListQuery, Resource, WatchEvent},
    context::Ctx,
    error::Result,
    event::Event,
    model::{Action, ClaimGrowth, ObjectRef},
    rules::{
        fields::text,
        redact::Redactor,
        storage::{Waiting, requested, waits_for},
    },
};

/// Asks for the size where less is asked for.
pub(super) async fn ask(ctx: &Ctx, cluster: &Cluster, growth: &Growth) -> Result<()> {
    let patch = json!({"spec": {"resources": {"requests": {"storage": growth.size.to_string()}}}});
    let kind = Resource::claims();
    for claim in growth.claims.iter().filter(|claim| requested(claim) < growth.size) {
        let name = text(claim, "/metadata/name");
        let changed = cluster.patch(&kind, Some(&growth.namespace), name, &patch);
        let claim = ctx.unless_cancelled("asking for the size", changed).await?;
        ctx.emit(Event::Done { object: ObjectRef::of(&claim), action: Action::Change });
    }
    Ok(())
}

/// Waits until every claim has the size, or cannot get it, or the time is over. A claim that no pod mounts needs to be
/// mounted first, which is not waited for.
pub(super) async fn wait(
    ctx: &Ctx,
    cluster: &Cluster,
    growth: &Growth,
    unmounted: &[String],
    timeout: Duration,
) -> Result<Vec<ClaimGrowth>> {
    ctx.phase("wait", format!("waiting until {} has {}", growth.object, growth.size));
    let mut seen: BTreeMap<String, Value> =
        growth.claims.iter().map(|claim| (text(claim, "/metadata/name").to_owned(), claim.clone())).collect();
    let watching = watch(ctx, cluster, growth, unmounted, &mut seen);
    let watched = ctx.unless_cancelled("waiting for the claims", async {
        tokio::time::timeout(timeout, watching).await.unwrap_or(Ok(()))
    });
    watched.await?;
    Ok(growth.claims.iter().map(|before| state(before, &seen, growth)).collect())
}

async fn watch(
    ctx: &Ctx,
    cluster: &Cluster,
    growth: &Growth,
    unmounted: &[String],
    seen: &mut BTreeMap<String, Value>,
) -> Result<()> {
    let fields = match growth.claims.as_slice() {
        [only] => Some(format!("metadata.name={}", text(only, "/metadata/name"))),
        _ => None,
    };
    let query = ListQuery { fields, ..ListQuery::default() };
    let stream = cluster.watch(&Resource::claims(), Some(&growth.namespace), &query);
    let mut stream = std::pin::pin!(stream);
    let mut complete = false;
    let mut told = String::new();
    while let Some(event) = stream.next().await {
        match event {
            WatchEvent::Seen(claim) => {
                if let Some(known) = seen.get_mut(text(&claim, "/metadata/name")) {
                    *known = claim;
                }
            }
            WatchEvent::Complete => complete = true,
            WatchEvent::Gone { name, .. } => drop(seen.remove(&name)),
            WatchEvent::Interrupted(reason) => ctx.note(reason),
            WatchEvent::Refused(error) => return Err(error),
        }
        let waiting: Vec<(&String, Waiting)> =
            seen.iter().filter_map(|(name, claim)| Some((name, waits_for(claim, &growth.size)?))).collect();
        let hopeless = |name: &String, wait: &Waiting| wait.refused || (wait.needs_pod && unmounted.contains(name));
        if complete && waiting.iter().all(|(name, wait)| hopeless(name, wait)) {
            return Ok(());
        }
        if let Some((name, wait)) = waiting.iter().find(|(name, wait)| !hopeless(name, wait)) {
            let message = format!("claim/{name}: {}", Redactor::default().line(&wait.words));
            if told != message {
                ctx.emit(Event::Waiting { message: message.clone() });
                told = message;
            }
        }
    }
    Ok(())
}

/// How a claim has grown by what was last seen.
fn state(before: &Value, seen: &BTreeMap<String, Value>, growth: &Growth) -> ClaimGrowth {
    let name = text(before, "/metadata/name");
    let waits_for = match seen.get(name) {
        Some(now) => waits_for(now, &growth.size).map(|wait| Redactor::default().line(&wait.words)),
        None => Some("it was deleted meanwhile".into()),
    };
    let capacity = seen.get(name).map(|now| text(now, "/status/capacity/storage").to_owned());
    ClaimGrowth { capacity, waits_for, ..planned(before, growth) }
}

/// What is to become of a claim.
pub(super) fn planned(claim: &Value, growth: &Growth) -> ClaimGrowth {
    let from = requested(claim);
    ClaimGrowth {
        claim: text(claim, "/metadata/name").into(),
        changes: from < growth.size,
        from: from.to_string(),
        capacity: Some(text(claim, "/status/capacity/storage").to_owned()).filter(|amount| !amount.is_empty()),
        waits_for: waits_for(claim, &growth.size).map(|wait| Redactor::default().line(&wait.words)),
    }
}
