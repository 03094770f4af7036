//! Watching a kind: what is there, then every change, through restarts of the API server and lost histories.
//!
//! This is not kube-runtime's watcher, because that begins with resourceVersion 0: the server may then show a past
//! from before our own apply, in which everything was well.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use http::Request;
use kube::api::WatchEvent as Sent;
use serde_json::Value;

use super::{
    client::Cluster,
    connect::chain,
    discovery::Resource,
    list::ListQuery,
    objects::{path, query_string},
};
use crate::error::{Error, Refusal};

/// The first pause after a watch broke; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How long the server may take to begin its answer.
const BEGINS: Duration = Duration::from_secs(30);
/// How long the server keeps one watch open. Bookmarks come at least every minute.
const LASTS: Duration = Duration::from_secs(290);
/// A connection that is silent for longer is dead, though nobody has closed it.
const SILENCE: Duration = Duration::from_secs(100);

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

/// Namespace and name.
type Key = (Option<String>, String);
type Changes = BoxStream<'static, kube::Result<Sent<Value>>>;

struct Watch<'c> {
    cluster: &'c Cluster,
    resource: Resource,
    namespace: Option<String>,
    query: ListQuery,
    /// Whether the server streams lists, as far as is known.
    streams_lists: bool,
    /// Where the history goes on; None when everything has to be told anew.
    version: Option<String>,
    changes: Option<Changes>,
    /// What was told and is not gone.
    known: BTreeSet<Key>,
    /// What was told since the begin of a new list, while one runs.
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
    /// What is told first is not older than the call. It takes one request where the server streams lists
    /// (Kubernetes 1.32 and newer), else a list and a watch. When the server forgets the history (410), what vanished
    /// meanwhile is told as gone. The stream ends only after [`WatchEvent::Refused`].
    pub fn watch<'c>(
        &'c self,
        resource: &Resource,
        namespace: Option<&str>,
        query: &ListQuery,
    ) -> impl Stream<Item = WatchEvent> + Send + use<'c> {
        let watch = Watch {
            cluster: self,
            resource: resource.clone(),
            namespace: namespace.map(str::to_owned),
            query: query.clone(),
            streams_lists: true,
            version: None,
            changes: None,
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
            }
            let Some(changes) = &mut self.changes else {
                self.open().await;
                continue;
            };
            match tokio::time::timeout(SILENCE, changes.next()).await {
                Ok(Some(Ok(change))) => self.take(change),
                Ok(Some(Err(error))) => self.broken(refusal(&error), &chain(&error)),
                // The server ends each watch after a while, and a dead connection is as good as ended.
                Ok(None) | Err(_) => self.ended(),
            }
        }
    }

    /// Asks for the changes since the last that is known, or for everything.
    async fn open(&mut self) {
        if self.version.is_none() && !self.streams_lists {
            return self.list().await;
        }
        let mut parameters = vec![
            ("watch", "true".to_owned()),
            ("allowWatchBookmarks", "true".to_owned()),
            ("timeoutSeconds", LASTS.as_secs().to_string()),
        ];
        match &self.version {
            Some(version) => parameters.push(("resourceVersion", version.clone())),
            None => {
                parameters.push(("sendInitialEvents", "true".to_owned()));
                parameters.push(("resourceVersionMatch", "NotOlderThan".to_owned()));
                self.listed = Some(BTreeSet::new());
            }
        }
        parameters.extend(self.query.labels.clone().map(|labels| ("labelSelector", labels)));
        parameters.extend(self.query.fields.clone().map(|fields| ("fieldSelector", fields)));
        let target = path(&self.resource, self.namespace.as_deref(), None) + &query_string(&parameters);
        let request = match Request::get(target).body(Vec::new()) {
            Ok(request) => request,
            Err(error) => return self.broken(None, &error.to_string()),
        };
        self.cluster.count_request();
        let opened = tokio::time::timeout(BEGINS, self.cluster.client().request_events(request)).await;
        match opened {
            Ok(Ok(changes)) => self.changes = Some(changes.boxed()),
            Ok(Err(error)) => self.broken(refusal(&error), &chain(&error)),
            Err(_) => self.broken(None, &format!("no answer within {} s", BEGINS.as_secs())),
        }
    }

    /// Lists, for a server that does not stream lists.
    async fn list(&mut self) {
        let mut objects = Vec::new();
        let list =
            self.cluster.list(&self.resource, self.namespace.as_deref(), &self.query, |object| objects.push(object));
        match list.await {
            Ok(version) => {
                self.listed = Some(BTreeSet::new());
                objects.into_iter().for_each(|object| self.seen(object));
                self.complete(version);
            }
            Err(error) => self.broken(error.refusal().cloned(), error.message()),
        }
    }

    fn take(&mut self, change: Sent<Value>) {
        self.pause = FIRST_PAUSE;
        match change {
            Sent::Added(object) | Sent::Modified(object) => {
                self.go_on_from(&object);
                self.seen(object);
            }
            Sent::Deleted(object) => {
                self.go_on_from(&object);
                let key = key(&object);
                self.known.remove(&key);
                self.gone(key);
            }
            Sent::Bookmark(bookmark) => {
                let all_told = bookmark.metadata.annotations.contains_key("k8s.io/initial-events-end");
                match self.listed {
                    Some(_) if all_told => self.complete(bookmark.metadata.resource_version),
                    Some(_) => {}
                    None => self.version = Some(bookmark.metadata.resource_version),
                }
            }
            Sent::Error(status) => {
                let refusal = Refusal {
                    code: status.code,
                    reason: status.reason.clone(),
                    message: status.message.clone(),
                    causes: Vec::new(),
                };
                let words = refusal.message.clone();
                self.broken(Some(refusal), &words);
            }
        }
    }

    /// A list that is not whole cannot be gone on from.
    fn go_on_from(&mut self, object: &Value) {
        if self.listed.is_none() {
            self.version = object["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        }
    }

    fn seen(&mut self, mut object: Value) {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        let key = key(&object);
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        }
        self.known.insert(key);
        self.waiting.push_back(WatchEvent::Seen(object));
    }

    fn gone(&mut self, (namespace, name): Key) {
        self.waiting.push_back(WatchEvent::Gone { namespace, name });
    }

    fn complete(&mut self, version: String) {
        let listed = self.listed.take().unwrap_or_default();
        let vanished: Vec<Key> = self.known.difference(&listed).cloned().collect();
        vanished.into_iter().for_each(|key| self.gone(key));
        self.known = listed;
        self.version = Some(version);
        self.waiting.push_back(WatchEvent::Complete);
    }

    fn ended(&mut self) {
        self.changes = None;
        self.listed = None;
        // A server that ends every watch at once is not to be asked in a tight loop.
        self.pause_for_longer();
    }

    fn broken(&mut self, refusal: Option<Refusal>, words: &str) {
        self.changes = None;
        self.listed = None;
        match (refusal.as_ref().map_or(0, |refusal| refusal.code), refusal) {
            // The history is lost.
            (410, _) => {
                self.version = None;
                self.pause_for_longer();
            }
            (400 | 422, _) if self.streams_lists && self.version.is_none() => self.streams_lists = false,
            (400 | 401 | 403 | 404 | 405 | 422, Some(refusal)) => {
                self.over = true;
                let message = format!("watching {}: {}", self.resource.plural, refusal.message);
                self.waiting.push_back(WatchEvent::Refused(Error::failed(message).refused(refusal)));
            }
            _ => {
                self.waiting.push_back(WatchEvent::Interrupted(words.to_owned()));
                self.pause_for_longer();
            }
        }
    }

    fn pause_for_longer(&mut self) {
        self.paused = Some(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

fn key(object: &Value) -> Key {
    let metadata = &object["metadata"];
    (metadata["namespace"].as_str().map(str::to_owned), metadata["name"].as_str().unwrap_or_default().to_owned())
}

/// What the server said, when the error is its answer.
fn refusal(error: &kube::Error) -> Option<Refusal> {
    let kube::Error::Api(status) = error else { return None };
    Some(Refusal {
        code: status.code,
        reason: status.reason.clone(),
        message: status.message.clone(),
        causes: Vec::new(),
    })
}
