//! What the cluster has told of a scope.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::pod::{KeptPod, keep};
use crate::{
    model::Usage,
    rules::{events::time, fields::text, redact::Redactor, rollout::owner, usage::used},
};

/// How many pods that are not well are kept whole, to be judged by their events too.
const WHOLE: usize = 200;
/// How many events about one object are kept, the newest.
const EVENTS: usize = 10;

/// What an object is to the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Workload,
    Pod,
    ReplicaSet,
    /// A Job of a CronJob.
    Job,
    Service,
    EndpointSlice,
    Ingress,
    Claim,
    Autoscaler,
    Budget,
    Event,
    Metrics,
}

/// The controller of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    pub uid: String,
}

/// Namespace and name.
pub(super) type Name = (String, String);

/// Everything that a status is made from.
#[derive(Debug, Default)]
pub struct Scene {
    pub(super) application: Option<String>,
    /// Empty for all.
    pub(super) namespaces: Vec<String>,
    /// Whether pods count that no known workload owns, because the scope is all there is.
    pub(super) everything: bool,
    /// What could not be seen.
    pub(super) notes: Vec<String>,
    /// The kinds that could not be read.
    pub(super) unread: BTreeSet<Subject>,
    pub(super) pods: BTreeMap<Name, KeptPod>,
    /// How many of them are kept whole.
    whole: usize,
    pub(super) objects: BTreeMap<Subject, BTreeMap<Name, Value>>,
    /// By the uid of the object that they are about.
    pub(super) events: HashMap<String, Vec<Value>>,
    pub(super) usage: HashMap<Name, Vec<(String, Usage)>>,
    /// What the scope consists of, by its uid.
    pub(super) found: Vec<Value>,
}

impl Scene {
    /// The empty scene of a scope.
    pub fn of(application: Option<String>, namespaces: Vec<String>, everything: bool) -> Self {
        Self { application, namespaces, everything, ..Self::default() }
    }

    /// Adds an object of the scope.
    pub fn add(&mut self, mut object: Value) {
        trim(Subject::Workload, &mut object);
        let uid = |object: &Value| text(object, "/metadata/uid").to_owned();
        match self.found.iter_mut().find(|known| uid(known) == uid(&object) && !uid(&object).is_empty()) {
            Some(known) => *known = object,
            None => self.found.push(object),
        }
    }

    /// Whether an object stands for itself, and is not made by another one of the scope's kinds.
    pub fn is_root(&self, object: &Value) -> bool {
        owner(object).is_empty()
            || self.found.iter().any(|known| text(known, "/metadata/uid") == text(object, "/metadata/uid"))
    }

    /// Takes in a pod as the server sent it. One that cannot be read becomes a note.
    pub fn pod(&mut self, json: &str) {
        match keep(json, self.whole < WHOLE) {
            Ok(pod) => {
                self.whole += usize::from(pod.is_whole());
                let before = self.pods.insert((pod.namespace().to_owned(), pod.name().to_owned()), pod);
                self.whole -= usize::from(before.is_some_and(|pod| pod.is_whole()));
            }
            Err(error) => self.note(format!("a pod is not shown, because it cannot be read: {error}")),
        }
    }

    /// Takes in an object of another kind.
    pub fn seen(&mut self, subject: Subject, mut object: Value) {
        let name = (text(&object, "/metadata/namespace").to_owned(), text(&object, "/metadata/name").to_owned());
        match subject {
            Subject::Workload => self.add(object),
            Subject::Pod => self.pod(&object.to_string()),
            Subject::Event => self.event(object),
            Subject::Metrics => {
                let containers = used(&object).map(|(container, usage)| (container.to_owned(), usage)).collect();
                self.usage.insert(name, containers);
            }
            _ => {
                trim(subject, &mut object);
                self.objects.entry(subject).or_default().insert(name, object);
            }
        }
    }

    /// Forgets an object that is gone.
    pub fn gone(&mut self, subject: Subject, kind: &str, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        match subject {
            Subject::Workload => self.found.retain(|object| {
                object["kind"] != *kind
                    || text(object, "/metadata/name") != name
                    || text(object, "/metadata/namespace") != namespace
            }),
            Subject::Pod => {
                let gone = self.pods.remove(&key);
                self.whole -= usize::from(gone.is_some_and(|pod| pod.is_whole()));
            }
            // An event that the cluster forgets was true all the same.
            Subject::Event => {}
            Subject::Metrics => drop(self.usage.remove(&key)),
            _ => drop(self.objects.get_mut(&subject).and_then(|objects| objects.remove(&key))),
        }
    }

    /// Something that could not be seen, once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Notes that objects of a kind cannot be read.
    pub fn cannot_read(&mut self, subject: Subject, note: String) {
        self.unread.insert(subject);
        self.note(note);
    }

    pub(super) fn reads(&self, subject: Subject) -> bool {
        !self.unread.contains(&subject)
    }

    /// Forgets what was measured, before it is measured again.
    pub fn forget_usage(&mut self) {
        self.usage.clear();
    }

    fn event(&mut self, event: Value) {
        let about = self.events.entry(text(&event, "/involvedObject/uid").to_owned()).or_default();
        about.retain(|known| known["metadata"]["name"] != event["metadata"]["name"]);
        about.push(event);
        if about.len() > EVENTS {
            about.sort_by_key(time);
            about.remove(0);
        }
    }

    pub(super) fn all(&self, subject: Subject) -> impl Iterator<Item = &Value> {
        self.objects.get(&subject).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn one(&self, subject: Subject, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&subject)?.get(&(namespace.to_owned(), name.to_owned()))
    }

    pub(super) fn events_of(&self, uid: &str) -> Vec<&Value> {
        self.events.get(uid).map(|events| events.iter().collect()).unwrap_or_default()
    }

    pub(super) fn judged(&self, pod: &KeptPod, now: Timestamp) -> crate::model::PodStatus {
        let used = self.usage.get(&(pod.namespace().to_owned(), pod.name().to_owned()));
        pod.judge(&self.events_of(&pod.uid), used.map(Vec::as_slice).unwrap_or_default(), now)
    }
}

/// The parts of an object that nobody asks a status for, and which are most of it.
fn trim(subject: Subject, object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    let keep = match subject {
        Subject::ReplicaSet => ["replicas"].as_slice(),
        Subject::Job => &["parallelism", "completions", "backoffLimit", "suspend"],
        _ => return,
    };
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        let kept: Map<String, Value> =
            std::mem::take(spec).into_iter().filter(|(key, _)| keep.contains(&key.as_str())).collect();
        *spec = kept;
    }
}

/// Words of the cluster as one clean line.
pub(super) fn words(text: &str) -> String {
    Redactor::default().line(text)
}
