//! `status --wait`: until everything is ready, complete or gone, or will not be.

use std::{collections::BTreeSet, time::Duration};

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, WatchEvent},
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{Evidence, Health, ScopeRequest, StatusReport, Verdict, WaitFor, WaitWish},
    ops::{
        scope::{Found, Scope, WORKLOADS, resolve},
        wait::{Target, WaitRequest, wait as wait_for},
    },
    rules::{fields::text, pods::Patience, readiness::health, redact::Redactor},
};

/// The longest wait without `--timeout`.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Waits for everything that the request means, then looks once more.
///
/// It ends as soon as something cannot get there, with the cause among the report's evidence.
///
/// # Errors
/// Usage, when there is nothing to wait for, or nothing that can be complete; else as those of a single look.
pub async fn wait(ctx: &Ctx, request: &ScopeRequest, wish: &WaitWish) -> Result<StatusReport> {
    let cluster = ctx.cluster().await?;
    if wish.until == WaitFor::Deleted {
        return deleted(ctx, &cluster, request, wish).await;
    }
    let scope = resolve(ctx, &cluster, request, WORKLOADS).await?;
    if scope.found.is_empty() {
        return Err(Error::usage("there is nothing to wait for").hint("`kubectl evolve status` shows what there is"));
    }
    let endless = scope.found.iter().find(|found| found.resource.kind != "Job");
    if let Some(found) = endless.filter(|_| wish.until == WaitFor::Complete) {
        return Err(
            Error::usage(format!("{} never completes", found.reference())).hint("name a Job, or wait with --for ready")
        );
    }
    let patience = Patience::default();
    let waiting = WaitRequest {
        targets: scope
            .found
            .into_iter()
            .map(|Found { resource, object }| Target { resource, object, changed: false })
            .collect(),
        timeout: wish.timeout.unwrap_or(TIMEOUT),
        patience: Patience {
            grace: wish.grace.unwrap_or(patience.grace),
            restart_budget: wish.restart_budget.unwrap_or(patience.restart_budget),
        },
        // What went wrong before counts too: nobody has changed anything since.
        since: Timestamp::UNIX_EPOCH,
        selector: scope.selector,
        redactor: Redactor::default(),
        known_secrets: BTreeSet::new(),
    };
    ctx.phase("wait", "waiting until everything is ready");
    let waited = wait_for(ctx, &cluster, waiting).await?;
    let mut report = super::run(ctx, request).await?;
    report.evidence = waited.failure;
    report.notes.extend(waited.notes);
    if !report.evidence.is_empty() {
        report.verdict = report.verdict.max(Verdict::Degraded);
    }
    Ok(report)
}

/// What is still there.
struct Left {
    found: Found,
    /// As it was last seen; None once it is gone.
    seen: Option<Value>,
}

async fn deleted(ctx: &Ctx, cluster: &Cluster, request: &ScopeRequest, wish: &WaitWish) -> Result<StatusReport> {
    let scope = present(ctx, cluster, request).await?;
    let mut report = StatusReport {
        application: scope.application.clone(),
        namespaces: scope.namespaces.clone(),
        ..StatusReport::default()
    };
    let mut left: Vec<Left> =
        scope.found.into_iter().map(|found| Left { seen: Some(found.object.clone()), found }).collect();
    ctx.phase("wait", "waiting until everything is gone");
    let patience = wish.timeout.unwrap_or(TIMEOUT);
    let going = tokio::time::timeout(patience, until_gone(ctx, cluster, &mut left));
    let ended = match going.await {
        Ok(ended) => ended,
        Err(_) => Ok(()),
    };
    ended?;
    report.time = ctx.clock.now().to_string();
    report.evidence = left.iter().filter_map(|left| Some(still_there(left.seen.as_ref()?, patience))).collect();
    report.summary = match report.evidence.len() {
        0 => "everything is gone".into(),
        1 => "1 object is still there".into(),
        number => format!("{number} objects are still there"),
    };
    report.verdict = if report.evidence.is_empty() { Verdict::Healthy } else { Verdict::Failed };
    Ok(report)
}

/// What the request means and is there; what is named by kind and name may be gone already.
async fn present(ctx: &Ctx, cluster: &Cluster, request: &ScopeRequest) -> Result<Scope> {
    let mut there = request.clone();
    let mut gone = 0;
    for word in &request.words {
        let Some((kind, name)) = word.split_once('/').filter(|(kind, _)| !kind.is_empty()) else { continue };
        let Some(resource) = cluster.named(kind).await? else { continue };
        let namespace = request.target.namespace.as_deref().unwrap_or(cluster.namespace());
        if !namespace.contains(',') && cluster.get(&resource, Some(namespace), name).await?.is_none() {
            there.words.retain(|other| other != word);
            gone += 1;
        }
    }
    if gone > 0 && there.words.is_empty() {
        return Ok(Scope::default());
    }
    resolve(ctx, cluster, &there, WORKLOADS).await
}

async fn until_gone(ctx: &Ctx, cluster: &Cluster, left: &mut [Left]) -> Result<()> {
    let watches = left.iter().enumerate().map(|(number, left)| -> BoxStream<'_, (usize, WatchEvent)> {
        let reference = left.found.reference();
        let query = ListQuery { fields: Some(format!("metadata.name={}", reference.name)), ..ListQuery::default() };
        let events = cluster.watch(&left.found.resource, reference.namespace.as_deref(), &query);
        events.map(move |event| (number, event)).boxed()
    });
    let mut events = stream::select_all(watches.collect::<Vec<_>>());
    let mut unseen: BTreeSet<usize> = (0..left.len()).collect();
    while left.iter().any(|left| left.seen.is_some()) {
        let (number, event) = tokio::select! {
            biased;
            () = ctx.cancel.cancelled() => return Err(Error::interrupted("interrupted while waiting")),
            event = events.next() => match event {
                Some(event) => event,
                None => return Ok(()),
            },
        };
        let Some(entry) = left.get_mut(number) else { continue };
        match event {
            // One of the same name that was made since is another one.
            WatchEvent::Seen(object)
                if text(&object, "/metadata/uid") != text(&entry.found.object, "/metadata/uid") =>
            {
                entry.seen = None;
            }
            WatchEvent::Seen(object) => {
                unseen.remove(&number);
                let object_name = entry.found.reference();
                ctx.emit(Event::Health { object: object_name, health: going(&object), pods: Vec::new() });
                entry.seen = Some(object);
            }
            WatchEvent::Gone { .. } => entry.seen = None,
            WatchEvent::Complete if unseen.contains(&number) => entry.seen = None,
            WatchEvent::Complete | WatchEvent::Interrupted(_) => {}
            WatchEvent::Refused(error) => return Err(error),
        }
    }
    Ok(())
}

/// How far the deletion is.
fn going(object: &Value) -> Health {
    match text(object, "/metadata/deletionTimestamp") {
        "" => Health::in_progress("is there, and nobody has deleted it"),
        _ => health(object),
    }
}

fn still_there(object: &Value, patience: Duration) -> Evidence {
    let health = going(object);
    Evidence {
        object: crate::model::ObjectRef::of(object),
        summary: format!("still there after {} s: {}", patience.as_secs(), Redactor::default().line(&health.message)),
        reason: if health.reason.is_empty() { "NotDeleted".into() } else { health.reason },
        ..Evidence::default()
    }
}
