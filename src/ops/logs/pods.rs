//! Finds the containers that appear and go while logs are followed.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    choose::{Choice, Jobs, controller, list_query, sources},
    follow::{Follow, State},
    pipe::Pipe,
    run::{Run, Shared},
    sink::LogSink,
};
use crate::{
    cluster::{Resource, WatchEvent},
    context::Ctx,
    error::{Error, Result},
    model::LogSource,
    rules::{fields::text, logs::Container, scope::PodQuery},
};

/// How often it is looked whether what was named is finished, once none of its containers runs.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The containers of the pods that are followed.
struct Known<'r, S> {
    shared: &'r Arc<Shared<S>>,
    run: &'r mut Run,
    /// By namespace and name; a pod of a StatefulSet comes back under its name with another uid.
    pods: HashMap<(String, String), Pod>,
    sources: usize,
    /// How many queries have told what was there at the begin.
    complete: usize,
}

struct Pod {
    uid: String,
    containers: HashMap<String, watch::Sender<State>>,
}

/// Follows every container of the pods that are meant, until none is left and none can come, or the user interrupts.
pub(super) async fn follow<S: LogSink>(
    ctx: &Ctx,
    shared: &Arc<Shared<S>>,
    choice: Choice,
    run: &mut Run,
) -> Result<()> {
    let watches = choice.queries.iter().enumerate().map(|(number, query)| {
        let watch = shared.cluster.watch(&Resource::pods(), query.namespace.as_deref(), &list_query(query));
        watch.map(move |event| (number, event)).boxed()
    });
    let watches: Vec<BoxStream<'_, (usize, WatchEvent)>> = watches.collect();
    if watches.is_empty() {
        return Err(Error::failed("nothing that was named has pods").hint("name a workload, a pod or labels"));
    }
    let mut watches = futures::stream::select_all(watches);
    let mut jobs: Vec<Jobs> = choice.queries.iter().map(|_| Jobs::default()).collect();
    let mut known = Known { shared, run, pods: HashMap::new(), sources: 0, complete: 0 };
    loop {
        let ending = known.run.tasks.is_empty() && known.complete >= choice.queries.len() && choice.is_finite;
        tokio::select! {
            biased;
            () = ctx.cancel.cancelled() => {
                known.run.report.interrupted = true;
                return Ok(());
            }
            Some(ended) = known.run.tasks.join_next() => known.run.ended(&*shared.events, ended)?,
            Some((number, event)) = watches.next() => match event {
                WatchEvent::Seen(pod) => {
                    if belongs(shared, &choice.queries[number], &mut jobs[number], &pod).await {
                        known.seen(&pod, choice.queries.len());
                    }
                }
                WatchEvent::Gone { namespace, name } => known.gone((namespace.unwrap_or_default(), name)),
                WatchEvent::Complete => {
                    known.complete += 1;
                    if known.complete == choice.queries.len() && known.pods.is_empty() {
                        shared.warn("there are no such pods yet: waiting for them".to_owned());
                    }
                }
                WatchEvent::Interrupted(why) => shared.note(format!("the watch on pods broke off, going on: {why}")),
                WatchEvent::Refused(error) => return Err(error),
            },
            // A Job says that it is finished a moment after its last pod.
            () = tokio::time::sleep(LOOK_AGAIN), if ending => {}
        }
        if known.run.closed {
            return Ok(());
        }
        let done = known.run.tasks.is_empty() && known.complete >= choice.queries.len();
        if done && choice.is_finite && known.are_over() && are_finished(shared, &choice).await {
            return Ok(());
        }
    }
}

async fn belongs<S: LogSink>(shared: &Shared<S>, query: &PodQuery, jobs: &mut Jobs, pod: &Value) -> bool {
    match jobs.belongs(&shared.cluster, query, controller(pod)).await {
        Ok(belongs) => belongs,
        Err(error) => {
            shared.warn(format!("{}: whose it is cannot be told: {error}", text(pod, "/metadata/name")));
            false
        }
    }
}

/// Whether no more pods can come: a Job that was named makes them until it is finished.
async fn are_finished<S: LogSink>(shared: &Shared<S>, choice: &Choice) -> bool {
    for found in choice.found.iter().filter(|found| found.resource.kind == "Job") {
        let reference = found.reference();
        let job = shared.cluster.get(&found.resource, reference.namespace.as_deref(), &reference.name).await;
        let finished = |job: &Value| {
            let conditions = job["status"]["conditions"].as_array();
            conditions
                .into_iter()
                .flatten()
                .any(|one| matches!(text(one, "/type"), "Complete" | "Failed") && text(one, "/status") == "True")
        };
        if !matches!(&job, Ok(job) if job.as_ref().is_none_or(finished)) {
            return false;
        }
    }
    true
}

impl<S: LogSink> Known<'_, S> {
    fn seen(&mut self, pod: &Value, queries: usize) {
        let name = (text(pod, "/metadata/namespace").to_owned(), text(pod, "/metadata/name").to_owned());
        let uid = text(pod, "/metadata/uid");
        if self.pods.get(&name).is_some_and(|known| known.uid != uid) {
            self.gone(name.clone());
        }
        let known = self.pods.entry(name).or_insert_with(|| Pod { uid: uid.to_owned(), containers: HashMap::new() });
        // What appears after the first list is new, and is read from its begin.
        let from_the_begin = self.complete >= queries;
        for (source, container) in sources(&self.shared.plan, pod) {
            let state = state(&container, pod);
            if let Some(sender) = known.containers.get(&container.name) {
                sender.send_if_modified(|before| {
                    let differs = *before != state;
                    *before = state;
                    differs
                });
                continue;
            }
            let (sender, receiver) = watch::channel(state);
            known.containers.insert(container.name.clone(), sender);
            let source = Arc::new(LogSource { number: self.sources, ..source });
            self.sources += 1;
            self.run.report.streams += 1;
            let pipe = Pipe::new(Arc::clone(&source), &self.shared.plan, self.shared.outlet(&source));
            self.run.tasks.spawn(Follow::new(Arc::clone(self.shared), pipe, receiver, from_the_begin).run());
        }
    }

    fn gone(&mut self, name: (String, String)) {
        let Some(pod) = self.pods.remove(&name) else { return };
        for sender in pod.containers.values() {
            sender.send_modify(|state| state.gone = true);
        }
    }

    /// Whether every pod that was there has ended or gone.
    fn are_over(&self) -> bool {
        let states = self.pods.values().flat_map(|pod| pod.containers.values());
        states.into_iter().all(|sender| {
            let state = sender.borrow();
            state.over || state.gone
        })
    }
}

fn state(container: &Container, pod: &Value) -> State {
    let mut state = State::of(container);
    // A container that never began in a pod that is being deleted will not begin.
    let deleted = pod.pointer("/metadata/deletionTimestamp").is_some();
    state.over |= deleted && (state.ended || !state.started);
    state
}
