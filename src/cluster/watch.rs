//! Watching a kind: what is there, then every change, through restarts of the API server and lost histories.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use kube::{
    Api,
    api::{ApiResource, DynamicObject},
    runtime::watcher,
};
use serde_json::Value;

use super::{client::Cluster, connect::chain, discovery::Resource, objects::ListQuery};
use crate::error::{Error, Refusal};

/// The first pause after a watch broke; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// What a watch tells.
#[derive(Debug)]
pub enum WatchEvent {
    /// An object is there, or has changed. It carries no `managedFields`.
    Seen(Value),
    /// An object is gone.
    Gone { namespace: Option<String>, name: String },
    /// Everything that was there at the beginning, or after a gap, has been told.
    Complete,
    /// The server did not answer, and is asked again.
    Interrupted(String),
    /// The server refuses the watch; it is over.
    Refused(Error),
}

type Key = (Option<String>, String);

struct Watch<'c> {
    cluster: &'c Cluster,
    api: Api<DynamicObject>,
    resource: Resource,
    config: watcher::Config,
    inner: BoxStream<'static, watcher::Result<watcher::Event<DynamicObject>>>,
    /// What was told and is not gone.
    known: BTreeSet<Key>,
    /// What was told since the beginning of a new list, while one runs.
    listed: Option<BTreeSet<Key>>,
    waiting: VecDeque<WatchEvent>,
    pause: Duration,
    /// Set when the server is to be left alone for a moment before it is asked again.
    paused: Option<Duration>,
    over: bool,
}

impl Cluster {
    /// Watches the objects of a kind in a namespace, or in all, narrowed by labels and fields.
    ///
    /// It takes one request where the server streams lists (Kubernetes 1.32 and newer), else a list and a watch. When
    /// the server forgets the history (410), what vanished meanwhile is told as gone. The stream ends only after
    /// [`WatchEvent::Refused`].
    pub fn watch<'c>(
        &'c self,
        resource: &Resource,
        namespace: Option<&str>,
        query: &ListQuery,
    ) -> impl Stream<Item = WatchEvent> + Send + use<'c> {
        let kind = ApiResource {
            group: resource.group.clone(),
            version: resource.version.clone(),
            api_version: resource.api_version(),
            kind: resource.kind.clone(),
            plural: resource.plural.clone(),
        };
        let api = match namespace {
            Some(namespace) if resource.namespaced => Api::namespaced_with(self.client().clone(), namespace, &kind),
            _ => Api::all_with(self.client().clone(), &kind),
        };
        let config = watcher::Config {
            label_selector: query.labels.clone(),
            field_selector: query.fields.clone(),
            ..watcher::Config::default().streaming_lists()
        };
        self.count_request();
        let watch = Watch {
            cluster: self,
            inner: watcher(api.clone(), config.clone()).boxed(),
            api,
            resource: resource.clone(),
            config,
            known: BTreeSet::new(),
            listed: None,
            waiting: VecDeque::new(),
            pause: FIRST_PAUSE,
            paused: None,
            over: false,
        };
        stream::unfold(watch, async |mut watch| watch.next().await.map(|event| (event, watch)))
    }
}

impl Watch<'_> {
    async fn next(&mut self) -> Option<WatchEvent> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            if let Some(pause) = self.paused.take() {
                tokio::time::sleep(pause).await;
                self.cluster.count_request();
            }
            match self.inner.next().await? {
                Ok(event) => {
                    self.pause = FIRST_PAUSE;
                    self.take(event);
                }
                Err(error) => self.recover(&error),
            }
        }
    }

    fn take(&mut self, event: watcher::Event<DynamicObject>) {
        match event {
            watcher::Event::Init => self.listed = Some(BTreeSet::new()),
            watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
                let key = key(&object);
                if let Some(listed) = &mut self.listed {
                    listed.insert(key.clone());
                }
                self.known.insert(key);
                self.waiting.extend(self.value(object).map(WatchEvent::Seen));
            }
            watcher::Event::Delete(object) => {
                let key = key(&object);
                self.known.remove(&key);
                self.gone(key);
            }
            watcher::Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                let vanished: Vec<Key> = self.known.difference(&listed).cloned().collect();
                vanished.into_iter().for_each(|key| self.gone(key));
                self.known = listed;
                self.waiting.push_back(WatchEvent::Complete);
            }
        }
    }

    fn gone(&mut self, (namespace, name): Key) {
        self.waiting.push_back(WatchEvent::Gone { namespace, name });
    }

    /// The object as plain JSON. Lists leave out what each item is.
    fn value(&self, mut object: DynamicObject) -> Option<Value> {
        object.metadata.managed_fields = None;
        let mut value = serde_json::to_value(object).ok()?;
        value["apiVersion"] = self.resource.api_version().into();
        value["kind"] = self.resource.kind.clone().into();
        Some(value)
    }

    fn recover(&mut self, error: &watcher::Error) {
        let refusal = refusal(error);
        let code = refusal.as_ref().map_or(0, |refusal| refusal.code);
        let streaming = self.config.initial_list_strategy == watcher::InitialListStrategy::StreamingList;
        match (code, refusal) {
            // The history is lost, and the watcher lists again by itself.
            (410, _) => self.cluster.count_request(),
            // A server that does not stream lists.
            (400 | 422, _) if streaming => {
                self.config.initial_list_strategy = watcher::InitialListStrategy::ListWatch;
                self.inner = watcher(self.api.clone(), self.config.clone()).boxed();
                self.cluster.count_request();
                self.cluster.count_request();
            }
            (400 | 401 | 403 | 404 | 405 | 422, Some(refusal)) => {
                self.over = true;
                let message = format!("watching {}: {}", self.resource.plural, refusal.message);
                self.waiting.push_back(WatchEvent::Refused(Error::failed(message).refused(refusal)));
            }
            _ => {
                self.waiting.push_back(WatchEvent::Interrupted(chain(error)));
                self.paused = Some(self.pause);
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn key(object: &DynamicObject) -> Key {
    (object.metadata.namespace.clone(), object.metadata.name.clone().unwrap_or_default())
}

/// What the server said, when the error is its answer.
fn refusal(error: &watcher::Error) -> Option<Refusal> {
    let status = match error {
        watcher::Error::WatchError(status) => status,
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => status,
        _ => return None,
    };
    Some(Refusal {
        code: status.code,
        reason: status.reason.clone(),
        message: status.message.clone(),
        causes: Vec::new(),
    })
}
