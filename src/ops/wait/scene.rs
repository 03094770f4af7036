//! What the watches have shown so far.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{
    Target,
    watches::{Needed, Subject},
};
use crate::{
    cluster::{Resource, WatchEvent},
    error::{Error, Result},
    model::ImageUse,
    rules::{
        events::time,
        fields::{list, text},
        rollout::owner,
    },
};

/// How many events about one object are kept, the newest.
const EVENTS: usize = 20;

/// Group, kind, namespace and name.
type Identity = (String, String, String, String);
/// By namespace and name.
type Named = BTreeMap<(String, String), Value>;

/// The part of the cluster that matters to the wait.
#[derive(Default)]
pub(super) struct Scene {
    targets: HashMap<Identity, Value>,
    pods: Named,
    replica_sets: Named,
    /// By the uid of the object they are about, and their own name.
    events: HashMap<String, BTreeMap<String, Value>>,
    /// Watches that have not told yet what there is.
    incomplete: BTreeSet<usize>,
    /// Namespaces whose events may not be read.
    pub deaf: BTreeSet<String>,
    /// What was refused, as notes.
    pub notes: Vec<String>,
    /// Why the server is not answering, while it is not.
    pub silence: Option<String>,
}

impl Scene {
    pub fn new(watches: usize) -> Self {
        Self { incomplete: (0..watches).collect(), ..Self::default() }
    }

    /// Whether every watch has told what there is.
    pub fn is_complete(&self) -> bool {
        self.incomplete.is_empty()
    }

    /// The images that the pods run, with the digests that their nodes tell.
    pub fn images(&self) -> BTreeSet<ImageUse> {
        self.pods.values().flat_map(images_of).collect()
    }

    /// Takes in what a watch tells.
    ///
    /// # Errors
    /// Failed when the targets themselves may not be watched. What else is refused becomes a note.
    pub fn take(&mut self, number: usize, watch: &Needed, event: WatchEvent) -> Result<()> {
        match event {
            WatchEvent::Interrupted(message) => {
                self.silence = Some(message);
                return Ok(());
            }
            WatchEvent::Refused(error) => return self.refused(number, watch, error),
            WatchEvent::Complete => drop(self.incomplete.remove(&number)),
            WatchEvent::Seen(object) => self.seen(watch, object),
            WatchEvent::Gone { namespace, name } => self.gone(watch, namespace.unwrap_or_default(), name),
        }
        self.silence = None;
        Ok(())
    }

    fn seen(&mut self, watch: &Needed, object: Value) {
        let of = |field: &str| text(&object, &format!("/metadata/{field}")).to_owned();
        match watch.subject {
            Subject::Targets => drop(self.targets.insert(identity(&watch.resource, &object), object)),
            Subject::Pods => drop(self.pods.insert((of("namespace"), of("name")), object)),
            Subject::ReplicaSets => drop(self.replica_sets.insert((of("namespace"), of("name")), object)),
            Subject::Events => {
                let about = self.events.entry(text(&object, "/involvedObject/uid").to_owned()).or_default();
                about.insert(of("name"), object);
                if about.len() > EVENTS {
                    let oldest = about.iter().min_by_key(|(_, event)| time(event)).map(|(name, _)| name.clone());
                    oldest.map(|name| about.remove(&name));
                }
            }
        }
    }

    fn gone(&mut self, watch: &Needed, namespace: String, name: String) {
        match watch.subject {
            Subject::Targets => {
                let Resource { group, kind, .. } = watch.resource.clone();
                self.targets.remove(&(group, kind, namespace, name));
            }
            Subject::Pods => drop(self.pods.remove(&(namespace, name))),
            Subject::ReplicaSets => drop(self.replica_sets.remove(&(namespace, name))),
            // An event that the cluster forgets was true all the same.
            Subject::Events => {}
        }
    }

    fn refused(&mut self, number: usize, watch: &Needed, error: Error) -> Result<()> {
        if watch.subject == Subject::Targets {
            return Err(error
                .context("what was applied cannot be waited for")
                .hint("ask for the permission to watch it, or pass --wait=false"));
        }
        self.incomplete.remove(&number);
        if watch.subject == Subject::Events {
            self.deaf.extend(watch.namespace.clone());
        }
        self.notes.push(format!("{error}; causes may be missing from what is said"));
        Ok(())
    }

    /// The target as it is now, or None when it is gone.
    pub fn target(&self, target: &Target) -> Option<&Value> {
        let identity = identity(&target.resource, &target.object);
        match (identity.0.as_str(), identity.1.as_str()) {
            ("", "Pod") => self.pods.get(&(identity.2, identity.3)),
            _ => self.targets.get(&identity),
        }
    }

    /// The ReplicaSets of a Deployment.
    pub fn replica_sets(&self, workload: &Value) -> Vec<&Value> {
        let uid = text(workload, "/metadata/uid");
        self.replica_sets.values().filter(|set| owner(set) == uid).collect()
    }

    /// The pods of a workload, of every revision; of a pod, itself.
    pub fn pods(&self, workload: &Value, replica_sets: &[&Value]) -> Vec<&Value> {
        let uid = text(workload, "/metadata/uid");
        if text(workload, "/kind") == "Pod" {
            return self.pods.values().filter(|pod| text(pod, "/metadata/uid") == uid).collect();
        }
        let sets: Vec<&str> = replica_sets.iter().map(|set| text(set, "/metadata/uid")).collect();
        self.pods.values().filter(|pod| owner(pod) == uid || sets.contains(&owner(pod))).collect()
    }

    pub fn events(&self, uid: &str) -> Vec<&Value> {
        self.events.get(uid).map(|events| events.values().collect()).unwrap_or_default()
    }

    /// The events about an object that is known by its name alone.
    pub fn events_about(&self, namespace: &str, kind: &str, name: &str) -> Vec<&Value> {
        let about = |event: &Value| {
            ["kind", "name", "namespace"].map(|field| text(event, &format!("/involvedObject/{field}")).to_owned())
        };
        self.events
            .values()
            .flat_map(BTreeMap::values)
            .filter(|event| about(event) == [kind, name, namespace])
            .collect()
    }
}

fn identity(resource: &Resource, object: &Value) -> Identity {
    let of = |field: &str| text(object, &format!("/metadata/{field}")).to_owned();
    (resource.group.clone(), resource.kind.clone(), of("namespace"), of("name"))
}

/// The images as the pod's spec names them; a node may give the same image another name.
fn images_of(pod: &Value) -> Vec<ImageUse> {
    let named: HashMap<&str, &str> = ["/spec/initContainers", "/spec/containers"]
        .into_iter()
        .flat_map(|containers| list(pod, containers))
        .map(|container| (text(container, "/name"), text(container, "/image")))
        .collect();
    ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .flat_map(|statuses| list(pod, statuses))
        .filter_map(|status| {
            let id = text(status, "/imageID");
            let (repository, digest) = id.rsplit_once('@').unwrap_or(("", id));
            let only_on_node = repository.is_empty();
            let image = (*named.get(text(status, "/name"))?).to_owned();
            digest.starts_with("sha256:").then(|| ImageUse { image, digest: Some(digest.to_owned()), only_on_node })
        })
        .collect()
}
