//! Events and rollout revisions, woven into the lines.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use serde_json::Value;

use super::{
    choose::Choice,
    outlet::Item,
    run::{Ended, Shared},
    sink::LogSink,
};
use crate::{
    cluster::{ListQuery, Resource, WatchEvent},
    context::Ctx,
    model::{LogSource, ObjectRef},
    rules::{
        events,
        fields::{list, text},
        logs::{Chunk, split},
        redact::Redactor,
    },
};

/// What is woven in: one kind of object in one namespace.
#[derive(Clone)]
struct Thread {
    resource: Resource,
    namespace: Option<String>,
    query: ListQuery,
    /// The name under which its lines are shown.
    name: &'static str,
    /// The objects that are meant, as (kind, name); empty for all of the namespace.
    about: Arc<Vec<(String, String)>>,
}

/// What is there now, each kind of it as a task that brings its lines.
pub(super) async fn present<S: LogSink>(
    ctx: &Ctx,
    shared: &Arc<Shared<S>>,
    choice: &Choice,
    sources: &[Arc<LogSource>],
) -> Vec<BoxFuture<'static, Ended>> {
    let pods: HashSet<&str> = sources.iter().map(|source| source.pod.as_str()).collect();
    let mut tasks = Vec::new();
    for thread in threads(ctx, shared, choice, &pods).await {
        let mut lines = Vec::new();
        let keep = |object: Value| lines.extend(thread.line(&object));
        let listed = shared.cluster.list(&thread.resource, thread.namespace.as_deref(), &thread.query, keep);
        if let Err(error) = listed.await {
            ctx.warn(format!("the timeline lacks the {}: {error}", thread.name));
            continue;
        }
        lines.sort_unstable();
        let since =
            shared.plan.since.as_ref().and_then(|since| split(format!("{since} ").as_bytes()).map(|(at, _)| at));
        lines.retain(|line| since.is_none_or(|since| split(line.as_bytes()).is_none_or(|(at, _)| at >= since)));
        let source = thread.source();
        let mut outlet = shared.outlet(&source);
        let task = async move {
            outlet.give(&source, item(lines.concat())).await?;
            Ok(())
        };
        tasks.push(task.boxed());
    }
    tasks
}

/// What comes while logs are followed.
pub(super) async fn followed<S: LogSink>(
    ctx: &Ctx,
    shared: &Arc<Shared<S>>,
    choice: &Choice,
) -> Vec<BoxFuture<'static, Ended>> {
    let threads = threads(ctx, shared, choice, &HashSet::new()).await;
    threads.into_iter().map(|thread| weave(Arc::clone(shared), thread).boxed()).collect()
}

async fn weave<S: LogSink>(shared: Arc<Shared<S>>, thread: Thread) -> Ended {
    let source = thread.source();
    let mut outlet = shared.outlet(&source);
    let cluster = Arc::clone(&shared.cluster);
    let watch = cluster.watch(&thread.resource, thread.namespace.as_deref(), &thread.query);
    futures::pin_mut!(watch);
    // What is there already is put in order first.
    let mut first = Some(Vec::new());
    let mut told = HashSet::new();
    while let Some(event) = watch.next().await {
        match event {
            WatchEvent::Seen(object) => {
                let Some(line) = thread.line(&object).filter(|line| told.insert(line.clone())) else { continue };
                match &mut first {
                    Some(lines) => lines.push(line),
                    None => outlet.give(&source, item(line)).await?,
                }
            }
            WatchEvent::Complete => {
                if let Some(mut lines) = first.take() {
                    lines.sort_unstable();
                    outlet.give(&source, item(lines.concat())).await?;
                }
            }
            WatchEvent::Refused(error) => shared.warn(format!("the timeline lacks the {}: {error}", thread.name)),
            WatchEvent::Gone { .. } | WatchEvent::Interrupted(_) => {}
        }
    }
    Ok(())
}

fn item(lines: String) -> Item {
    Item::Lines { chunk: Chunk { bytes: Bytes::from(lines), begins: true, ends: true }, stamped: true }
}

async fn threads<S: LogSink>(ctx: &Ctx, shared: &Shared<S>, choice: &Choice, pods: &HashSet<&str>) -> Vec<Thread> {
    let mut about: Vec<(String, String)> = choice
        .found
        .iter()
        .map(|found| {
            let reference = found.reference();
            (reference.kind, reference.name)
        })
        .collect();
    about.extend(pods.iter().map(|pod| ("Pod".to_owned(), (*pod).to_owned())));
    let named = !choice.found.is_empty();
    let about = Arc::new(if named { about } else { Vec::new() });
    let mut kinds = vec![(Resource::events(), "events"), (Resource::replica_sets(), "revisions")];
    match shared.cluster.preferred("apps", "ControllerRevision").await {
        Ok(Some(resource)) => kinds.push((resource, "revisions")),
        Ok(None) => {}
        Err(error) => ctx.warn(format!("the timeline lacks revisions: {error}")),
    }
    let namespaces: Vec<Option<String>> = match choice.namespaces.as_slice() {
        [] => vec![None],
        names => names.iter().cloned().map(Some).collect(),
    };
    let thread = |(resource, name): &(Resource, &'static str)| {
        let of = |namespace: &Option<String>| Thread {
            resource: resource.clone(),
            namespace: namespace.clone(),
            query: ListQuery::default(),
            name,
            about: Arc::clone(&about),
        };
        namespaces.iter().map(of).collect::<Vec<_>>()
    };
    kinds.iter().flat_map(thread).collect()
}

impl Thread {
    fn source(&self) -> Arc<LogSource> {
        let namespace = self.namespace.clone().unwrap_or_default();
        // No source that has a container is numbered so.
        Arc::new(LogSource { number: usize::MAX, namespace, pod: self.name.to_owned(), ..LogSource::default() })
    }

    /// A line with its time, if the object is meant.
    fn line(&self, object: &Value) -> Option<String> {
        let (time, words) = match self.resource.kind.as_str() {
            "Event" => self.event(object)?,
            _ => self.revision(object)?,
        };
        let words = Redactor::default().line(&words);
        Some(format!("{time:.9} {words}\n"))
    }

    fn event(&self, event: &Value) -> Option<(jiff::Timestamp, String)> {
        let (kind, name) = (text(event, "/involvedObject/kind"), text(event, "/involvedObject/name"));
        if !self.is_about(kind, name) {
            return None;
        }
        let told = events::to_report(event);
        let times = if told.count > 1 { format!(" ({} times)", told.count) } else { String::new() };
        Some((events::time(event)?, format!("{} {} {}: {}{times}", told.kind, told.reason, told.object, told.message)))
    }

    /// A ReplicaSet or a ControllerRevision: the template that its owner was rolled out with.
    fn revision(&self, object: &Value) -> Option<(jiff::Timestamp, String)> {
        let owner = list(object, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true)?;
        let (kind, name) = (text(owner, "/kind"), text(owner, "/name"));
        if !self.is_about(kind, name) {
            return None;
        }
        let number = match text(object, "/metadata/annotations/deployment.kubernetes.io~1revision") {
            "" => object.pointer("/revision").map(ToString::to_string)?,
            number => number.to_owned(),
        };
        let template = object.pointer("/spec/template").or_else(|| object.pointer("/data/spec/template"))?;
        let images: Vec<&str> =
            list(template, "/spec/containers").iter().map(|container| text(container, "/image")).collect();
        let time = text(object, "/metadata/creationTimestamp").parse().ok()?;
        let owner = format!("{}/{name}", kind.to_ascii_lowercase());
        Some((time, format!("revision {number} of {owner} ({}): {}", ObjectRef::of(object).name, images.join(", "))))
    }

    /// Whether an object is meant, or was made for one that is: its name begins with the name of that.
    fn is_about(&self, kind: &str, name: &str) -> bool {
        let made_for = |owner: &str| {
            let rest = name.strip_prefix(owner).and_then(|rest| rest.strip_prefix('-'));
            rest.is_some() && matches!(kind, "Pod" | "ReplicaSet" | "Job")
        };
        self.about.is_empty() || self.about.iter().any(|(one, owner)| (one == kind && owner == name) || made_for(owner))
    }
}
