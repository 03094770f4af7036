//! A look that goes on: watches instead of lists, and a new report for each change.

use std::{collections::BTreeSet, pin::pin, time::Duration};

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::Instant;

use super::{
    gather::{Needed, gather, unread},
    members::custom,
    run::{add_members, set},
};
use crate::{
    cluster::{Cluster, ListQuery, WatchEvent},
    context::Ctx,
    error::Result,
    model::{ScopeRequest, StatusReport},
    ops::scope::{Scope, WORKLOADS, resolve},
    rules::status::{Scene, Subject, report},
};

/// Between two reports, however many changes come in.
const PAUSE: Duration = Duration::from_millis(250);
/// Without a change there is a new report all the same, because times pass.
const TICK: Duration = Duration::from_secs(5);
/// How often use is measured anew; metrics cannot be watched.
const MEASURE: Duration = Duration::from_secs(15);
/// How many changes are taken in at once.
const BATCH: usize = 512;

/// Tells `each` how everything does, first at once and then whenever something changes, until it says that it is
/// enough or the user interrupts.
///
/// # Errors
/// As those of a single look; what the server refuses later too.
pub async fn watch(
    ctx: &Ctx,
    request: &ScopeRequest,
    mut each: impl FnMut(StatusReport) -> Result<bool>,
) -> Result<()> {
    let cluster = ctx.cluster().await?;
    let scope = resolve(ctx, &cluster, request, WORKLOADS).await?;
    let mut needed = workloads(&cluster, request, &scope).await?;
    let members = custom(ctx, &cluster, request, &scope).await;
    let (mut scene, lists) = set(request, scope, true);
    // Their conditions are those of the beginning: each kind would be one more watch.
    add_members(&mut scene, members)?;
    let (measured, watched): (Vec<Needed>, Vec<Needed>) =
        lists.into_iter().partition(|list| list.subject == Subject::Metrics);
    needed.extend(watched);
    let mut live = Live { scene, incomplete: (0..needed.len()).collect(), silence: None, needed, measured };
    let mut events = pin!(live.start(&cluster).ready_chunks(BATCH));
    let mut next = Instant::now() + PAUSE;
    let mut measure = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = ctx.cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep_until(next), if live.incomplete.is_empty() => {
                if Instant::now() >= measure {
                    live.measure(&cluster).await?;
                    measure = Instant::now() + MEASURE;
                }
                if !each(live.report(ctx))? {
                    return Ok(());
                }
                next = Instant::now() + TICK;
            }
            Some(batch) = events.next() => {
                for (number, event) in batch {
                    live.take(number, event)?;
                }
                next = next.min(Instant::now() + PAUSE);
            }
        }
    }
}

/// The watches that show which workloads there are.
async fn workloads(cluster: &Cluster, request: &ScopeRequest, scope: &Scope) -> Result<Vec<Needed>> {
    let places: Vec<Option<String>> = match scope.namespaces.as_slice() {
        [] => vec![None],
        named => named.iter().cloned().map(Some).collect(),
    };
    let mut needed = Vec::new();
    if request.words.is_empty() {
        for (group, kind) in WORKLOADS.first() {
            let Some(resource) = cluster.preferred(group, kind).await? else { continue };
            for namespace in &places {
                let query = ListQuery { labels: scope.selector.clone(), ..ListQuery::default() };
                let (resource, namespace) = (resource.clone(), namespace.clone());
                needed.push(Needed { subject: Subject::Workload, resource, namespace, query });
            }
        }
        return Ok(needed);
    }
    for found in &scope.found {
        let reference = found.reference();
        let query = ListQuery { fields: Some(format!("metadata.name={}", reference.name)), ..ListQuery::default() };
        let resource = found.resource.clone();
        needed.push(Needed { subject: Subject::Workload, resource, namespace: reference.namespace, query });
    }
    Ok(needed)
}

/// The scene while it is watched.
struct Live {
    scene: Scene,
    needed: Vec<Needed>,
    measured: Vec<Needed>,
    /// Watches that have not told yet what there is.
    incomplete: BTreeSet<usize>,
    /// Why the server does not answer, while it does not.
    silence: Option<String>,
}

impl Live {
    fn start<'c>(&self, cluster: &'c Cluster) -> impl futures::Stream<Item = (usize, WatchEvent)> + use<'c> {
        let streams = self.needed.iter().enumerate().map(|(number, watch)| -> BoxStream<'c, (usize, WatchEvent)> {
            let events = cluster.watch(&watch.resource, watch.namespace.as_deref(), &watch.query);
            events.map(move |event| (number, event)).boxed()
        });
        stream::select_all(streams)
    }

    fn take(&mut self, number: usize, event: WatchEvent) -> Result<()> {
        let Some(watch) = self.needed.get(number) else { return Ok(()) };
        self.silence = None;
        match event {
            WatchEvent::Seen(object) => {
                // A Job that a CronJob makes belongs to it, and is watched as such.
                let is_root = watch.subject != Subject::Workload || self.scene.is_root(&object);
                if is_root {
                    self.scene.seen(watch.subject, object);
                }
            }
            WatchEvent::Gone { namespace, name } => {
                let namespace = namespace.unwrap_or_default();
                self.scene.gone(watch.subject, &watch.resource.kind, &namespace, &name);
            }
            WatchEvent::Complete => drop(self.incomplete.remove(&number)),
            WatchEvent::Interrupted(message) => self.silence = Some(message),
            WatchEvent::Refused(error) => {
                self.incomplete.remove(&number);
                unread(&mut self.scene, watch, error)?;
            }
        }
        Ok(())
    }

    async fn measure(&mut self, cluster: &Cluster) -> Result<()> {
        self.scene.forget_usage();
        gather(cluster, &mut self.scene, &self.measured).await
    }

    fn report(&self, ctx: &Ctx) -> StatusReport {
        let mut report = report(&self.scene, ctx.clock.now());
        report.notes.extend(self.silence.as_ref().map(|words| format!("the cluster does not answer: {words}")));
        report
    }
}
