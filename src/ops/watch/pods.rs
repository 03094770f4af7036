//! The pods of what is watched, kept up to date by watches.

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use futures::{Stream, StreamExt, stream::SelectAll};
use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, Resource, WatchEvent},
    error::{Error, Result},
    model::ObjectRef,
    ops::scope::Found,
    rules::{
        alerts::{PodFact, pod_fact},
        fields::text,
        redact::Redactor,
        scope,
        selector::Selector,
    },
};

/// What selects the pods of a workload.
struct Workload {
    reference: ObjectRef,
    selector: Selector,
    /// For a CronJob: how the names of its Jobs begin.
    jobs: Option<String>,
}

/// What a watch tells, with its number.
type Events<'c> = Pin<Box<dyn Stream<Item = (usize, WatchEvent)> + Send + 'c>>;

/// The pods, and who they belong to.
pub(super) struct Pods<'c> {
    events: SelectAll<Events<'c>>,
    /// By namespace and name.
    facts: BTreeMap<(String, String), PodFact>,
    /// The workloads of pods, of those that are gone too: their last lines are still read.
    owners: BTreeMap<(String, String), ObjectRef>,
    workloads: Vec<Workload>,
    incomplete: Vec<bool>,
    redactor: Redactor,
}

impl<'c> Pods<'c> {
    /// Watches the pods of the namespaces, or of all.
    pub fn of(cluster: &'c Cluster, namespaces: &[String], found: &[Found]) -> Self {
        let places: Vec<Option<&str>> = match namespaces {
            [] => vec![None],
            named => named.iter().map(|name| Some(name.as_str())).collect(),
        };
        let mut events = SelectAll::new();
        for (number, place) in places.iter().enumerate() {
            let watch = cluster.watch(&Resource::pods(), *place, &ListQuery::default());
            let numbered: Events<'c> = Box::pin(watch.map(move |event| (number, event)));
            events.push(numbered);
        }
        let workloads = found.iter().filter_map(workload).collect();
        Self {
            events,
            facts: BTreeMap::new(),
            owners: BTreeMap::new(),
            workloads,
            incomplete: vec![true; places.len()],
            redactor: Redactor::default(),
        }
    }

    /// Waits until every watch has told what there is.
    pub async fn complete(&mut self, deadline: Duration) -> Result<()> {
        let all = async {
            while self.incomplete.contains(&true) {
                self.next().await?;
            }
            Ok(())
        };
        tokio::time::timeout(deadline, all).await.unwrap_or_else(|_| {
            Err(Error::unreachable(format!("the pods were not listed within {} s", deadline.as_secs())))
        })
    }

    /// Takes in the next change; a watch that is refused is an error.
    pub async fn next(&mut self) -> Result<()> {
        let Some((number, event)) = self.events.next().await else { return std::future::pending().await };
        match event {
            WatchEvent::Seen(pod) => self.seen(&pod),
            WatchEvent::Gone { namespace, name } => drop(self.facts.remove(&(namespace.unwrap_or_default(), name))),
            WatchEvent::Complete => {
                if let Some(incomplete) = self.incomplete.get_mut(number) {
                    *incomplete = false;
                }
            }
            // It goes on by itself; what was known stays.
            WatchEvent::Interrupted(_) => {}
            WatchEvent::Refused(error) => return Err(error.context("the pods cannot be watched")),
        }
        Ok(())
    }

    pub fn facts(&self) -> Vec<PodFact> {
        self.facts.values().cloned().collect()
    }

    /// The workload of a pod.
    pub fn owner(&self, namespace: &str, pod: &str) -> Option<&ObjectRef> {
        self.owners.get(&(namespace.to_owned(), pod.to_owned()))
    }

    /// Forgets whose the pods were that are gone.
    pub fn forget(&mut self) {
        let facts = &self.facts;
        self.owners.retain(|pod, _| facts.contains_key(pod));
    }

    fn seen(&mut self, pod: &Value) {
        let key = (text(pod, "/metadata/namespace").to_owned(), text(pod, "/metadata/name").to_owned());
        let Some(workload) = self.workloads.iter().find(|workload| workload.has(pod)) else {
            self.facts.remove(&key);
            return;
        };
        let mut fact = pod_fact(pod, &workload.reference);
        if let Some((_, why)) = &mut fact.unready {
            *why = self.redactor.line(why);
        }
        self.owners.insert(key.clone(), fact.workload.clone());
        self.facts.insert(key, fact);
    }
}

fn workload(found: &Found) -> Option<Workload> {
    let query = scope::pods(&found.object)?;
    let reference = found.reference();
    let jobs = query.jobs_of.is_some().then(|| format!("{}-", reference.name));
    // A selector that the server has is one that can be read.
    Some(Workload { selector: Selector::parse(&query.labels?).ok()?, reference, jobs })
}

impl Workload {
    fn has(&self, pod: &Value) -> bool {
        let job = text(pod, "/metadata/labels/batch.kubernetes.io~1job-name");
        text(pod, "/metadata/namespace") == self.reference.namespace.as_deref().unwrap_or_default()
            && self.selector.matches(pod)
            && self.jobs.as_ref().is_none_or(|begin| job.starts_with(begin))
    }
}
