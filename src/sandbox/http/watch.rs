//! Watches: what there is, if that is asked for, and then every change until time is up.
//!
//! A watch has its place in the store's log and is asked for the next events only when its client has read the last
//! ones. One that falls behind the log is told so and ends; what it costs does not grow.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::{Response, body::Frame};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    accept::View,
    answer::{self, Body},
    faults::Effect,
    handle::Ask,
    views::{self, Shown},
};
use crate::sandbox::{
    api::{Api, ListQuery, Matcher, Page, options_problem},
    problem::Problem,
    resource::{At, Resource},
    store::{Change, ChangeKind, Changes, Compacted},
};

/// How long a watch lasts that does not say (`minRequestTimeout` of the API server; the real one adds a random part).
const LASTS: Duration = Duration::from_secs(1800);
/// How often a quiet watch is told how far it is.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// How many changes are taken from the log together.
const TAKEN: usize = 64;

/// One watch.
struct Watch {
    api: Api,
    resource: Arc<Resource>,
    namespace: Option<String>,
    matcher: Matcher,
    shown: Shown,
    changes: Changes,
    /// What is to be sent next.
    ready: VecDeque<Bytes>,
    ends: Instant,
    /// When the next bookmark is due; None where none are wanted.
    bookmark: Option<Instant>,
    /// Whether the table's columns have been sent.
    headed: bool,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Open,
    /// Sends nothing any more, as a fault.
    Stale,
    /// Ends when what is ready has been sent.
    Ending,
}

pub(super) fn answer(ask: &Ask, at: &At) -> Result<Response<Body>, Problem> {
    let mut watch = begin(ask, at)?;
    match &ask.fault {
        Some(Effect::StaleWatch) => watch.state = State::Stale,
        Some(Effect::ExpiredWatch) => watch.expire(Compacted { oldest: watch.api.store().revision() }),
        _ => {}
    }
    let frames = stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(bytes)), watch))
    });
    Ok(answer::with_headers(200, "application/json", StreamBody::new(frames).boxed_unsync()))
}

fn begin(ask: &Ask, at: &At) -> Result<Watch, Problem> {
    let query = ask.query.list()?;
    let initial = ask.query.has("sendInitialEvents");
    check(&query, initial)?;
    let mut fields = query.field_selector.clone();
    if !at.name.is_empty() {
        fields = format!("metadata.name={}", at.name);
    }
    let matcher = Matcher::new(&at.resource, &query.label_selector, &fields)?;
    let asked = revision(ask, &query.resource_version)?;
    let seconds = ask.query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
    let lasts = seconds.filter(|seconds| *seconds > 0).map_or(LASTS, Duration::from_secs);
    let now = Instant::now();
    let bookmarks = ask.query.flag("allowWatchBookmarks");
    let table = ask.api.table(&at.resource);
    let mut watch = Watch {
        api: ask.api.clone(),
        resource: at.resource.clone(),
        namespace: at.namespace.clone(),
        matcher,
        shown: ask.shown(),
        changes: Changes::after(ask.api.store(), &table, asked),
        ready: VecDeque::new(),
        ends: now + lasts,
        bookmark: bookmarks.then_some(now + BOOKMARKS),
        headed: false,
        state: State::Open,
    };
    // Without a version a watch begins with what there is; so it does when all is asked for.
    if (initial && ask.query.flag("sendInitialEvents")) || (!initial && asked == 0) {
        let page = watch.begin_with_all()?;
        watch.changes = Changes::after(ask.api.store(), &table, page.revision);
        if initial && bookmarks {
            let end = watch.bookmark(page.revision, true);
            watch.ready.push_back(end);
        }
    } else if asked == 0 {
        watch.changes = Changes::after(ask.api.store(), &table, ask.api.store().revision());
    }
    Ok(watch)
}

fn check(query: &ListQuery, initial: bool) -> Result<(), Problem> {
    let refuse = |message: &str| {
        Err(options_problem("ListOptions", "FieldValueForbidden", message.into(), "resourceVersionMatch"))
    };
    match (initial, query.resource_version_match.as_str()) {
        (true, "NotOlderThan") | (false, "") => Ok(()),
        (true, _) => refuse("Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        (false, _) => {
            refuse("Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
        }
    }
}

fn revision(ask: &Ask, text: &str) -> Result<u64, Problem> {
    if !text.is_empty() && text.parse::<u64>().is_err() {
        let why =
            format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
        return Err(Problem::new(500, "", why));
    }
    ask.api.check_revision(text)
}

impl Watch {
    fn begin_with_all(&mut self) -> Result<Page, Problem> {
        let mut page = self.api.list(&self.resource, self.namespace.as_deref(), &ListQuery::default())?;
        for item in std::mem::take(&mut page.items) {
            if self.matcher.matches(&item) {
                let event = self.event(ChangeKind::Added, item);
                self.ready.push_back(event);
            }
        }
        Ok(page)
    }

    /// The next bytes to send; None when the watch has ended.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.together() {
                return Some(bytes);
            }
            if self.state == State::Ending {
                return None;
            }
            if self.state == State::Stale {
                tokio::time::sleep_until(self.ends).await;
                return None;
            }
            match self.changes.take(TAKEN) {
                Ok(changes) if changes.is_empty() => self.wait().await,
                Ok(changes) => changes.iter().for_each(|change| self.add(change)),
                Err(compacted) => self.expire(compacted),
            }
        }
    }

    /// What is ready, a few events at a time.
    fn together(&mut self) -> Option<Bytes> {
        const ENOUGH: usize = 64 * 1024;
        let first = self.ready.pop_front()?;
        if self.ready.is_empty() || first.len() >= ENOUGH {
            return Some(first);
        }
        let mut bytes = BytesMut::from(first);
        while bytes.len() < ENOUGH
            && let Some(more) = self.ready.pop_front()
        {
            bytes.put(more);
        }
        Some(bytes.freeze())
    }

    async fn wait(&mut self) {
        let wakes = self.bookmark.map_or(self.ends, |bookmark| bookmark.min(self.ends));
        tokio::select! {
            () = self.changes.wait() => {}
            () = tokio::time::sleep_until(wakes) => {
                let seen = self.changes.seen();
                if self.bookmark.is_some() {
                    let bookmark = self.bookmark(seen, false);
                    self.ready.push_back(bookmark);
                    self.bookmark = Some(Instant::now() + BOOKMARKS);
                }
                if Instant::now() >= self.ends {
                    self.state = State::Ending;
                }
            }
        }
    }

    /// Adds the event that a change is for this watch: an object that comes to fit is added, one that ceases to is
    /// deleted.
    fn add(&mut self, change: &Change) {
        if self.namespace.as_ref().is_some_and(|namespace| namespace != change.namespace()) {
            return;
        }
        if self.matcher.name().is_some_and(|name| name != change.name()) {
            return;
        }
        let bytes = self.api.in_version(&self.resource, change.bytes.clone());
        let fits = change.kind != ChangeKind::Deleted && self.matcher.matches(&bytes);
        let fitted = change.kind != ChangeKind::Added
            && change.previous.as_ref().is_some_and(|previous| {
                self.matcher.takes_all() || self.matcher.matches(&self.api.in_version(&self.resource, previous.clone()))
            });
        let kind = match (fitted, fits) {
            (false, true) => ChangeKind::Added,
            (true, true) => ChangeKind::Modified,
            (true, false) => ChangeKind::Deleted,
            (false, false) => return,
        };
        let bytes = match &change.previous {
            // What ceases to fit is shown as it was when it fitted, with the version of the change.
            Some(previous) if kind == ChangeKind::Deleted && change.kind != ChangeKind::Deleted => {
                let mut object = views::parse(&self.api.in_version(&self.resource, previous.clone()));
                object["metadata"]["resourceVersion"] = change.revision.to_string().into();
                views::encode(&object)
            }
            _ => bytes,
        };
        let event = self.event(kind, bytes);
        self.ready.push_back(event);
    }

    fn event(&mut self, kind: ChangeKind, bytes: Bytes) -> Bytes {
        let shown = Shown { now: self.api.clock().now(), ..self.shown };
        let bytes = match shown.view {
            View::Table => {
                let object = views::parse(&bytes);
                let version = object["metadata"]["resourceVersion"].clone();
                let head = !std::mem::replace(&mut self.headed, true);
                views::encode(&views::table(
                    shown,
                    &self.resource,
                    vec![object],
                    json!({"resourceVersion": version}),
                    head,
                ))
            }
            _ => views::one(shown, &self.resource, bytes),
        };
        line(kind.word(), &bytes)
    }

    /// Tells how far the watch is.
    fn bookmark(&mut self, revision: u64, initial: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let (kind, api_version) = match self.shown.view {
            View::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
            _ => (self.resource.kind.as_str(), self.resource.api_version()),
        };
        let mut object = json!({"kind": kind, "apiVersion": api_version, "metadata": metadata});
        if self.shown.view == View::Table {
            let list = json!({"resourceVersion": revision.to_string()});
            object = views::table(self.shown, &self.resource, vec![object], list, false);
        }
        line("BOOKMARK", &views::encode(&object))
    }

    fn expire(&mut self, compacted: Compacted) {
        let message = format!("too old resource version: {} ({})", self.changes.seen(), compacted.oldest);
        let status: Value = Problem::expired(message).status();
        self.ready.push_back(line("ERROR", &views::encode(&status)));
        self.state = State::Ending;
    }
}

/// One event, as a line of its own.
fn line(word: &str, object: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(object.len() + word.len() + 24);
    bytes.put_slice(b"{\"type\":\"");
    bytes.put_slice(word.as_bytes());
    bytes.put_slice(b"\",\"object\":");
    bytes.put_slice(object);
    bytes.put_slice(b"}\n");
    bytes.freeze()
}
