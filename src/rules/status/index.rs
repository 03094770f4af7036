//! Who owns what.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    pod::KeptPod,
    scene::{Scene, Subject},
};
use crate::rules::{fields::text, rollout::owner};

/// What objects own, by their uids.
#[derive(Default)]
pub(super) struct Index<'s> {
    pods: HashMap<&'s str, Vec<&'s KeptPod>>,
    sets: HashMap<&'s str, Vec<&'s Value>>,
    jobs: HashMap<&'s str, Vec<&'s Value>>,
    /// Pods by the name of a ReplicaSet that was not read.
    unowned: HashMap<(&'s str, &'s str), Vec<&'s KeptPod>>,
}

impl<'s> Index<'s> {
    pub fn new(scene: &'s Scene) -> Self {
        let mut index = Self::default();
        for set in scene.all(Subject::ReplicaSet) {
            index.sets.entry(owner(set)).or_default().push(set);
        }
        for job in scene.all(Subject::Job) {
            index.jobs.entry(owner(job)).or_default().push(job);
        }
        let read = scene.all(Subject::ReplicaSet).chain(&scene.found);
        let read: HashSet<&str> = read.map(|set| text(set, "/metadata/uid")).collect();
        for pod in scene.pods.values() {
            match &pod.owner {
                Some(owner) if owner.kind == "ReplicaSet" && !read.contains(owner.uid.as_str()) => {
                    let deployment = owner.name.rsplit_once('-').map_or(owner.name.as_str(), |(name, _)| name);
                    index.unowned.entry((pod.namespace(), deployment)).or_default().push(pod);
                }
                Some(owner) => index.pods.entry(owner.uid.as_str()).or_default().push(pod),
                None => index.pods.entry(pod.uid.as_str()).or_default().push(pod),
            }
        }
        index
    }

    /// The pods that an object controls; of a pod, itself.
    pub fn pods_of(&self, object: &Value) -> Vec<&'s KeptPod> {
        self.pods.get(text(object, "/metadata/uid")).cloned().unwrap_or_default()
    }

    /// The ReplicaSets of a Deployment.
    pub fn sets_of(&self, object: &Value) -> &[&'s Value] {
        self.sets.get(text(object, "/metadata/uid")).map(Vec::as_slice).unwrap_or_default()
    }

    /// The Jobs of a CronJob.
    pub fn jobs_of(&self, object: &Value) -> &[&'s Value] {
        self.jobs.get(text(object, "/metadata/uid")).map(Vec::as_slice).unwrap_or_default()
    }

    /// The pods of a Deployment whose ReplicaSets could not be read, by the way their names are made.
    pub fn pods_by_name(&self, deployment: &Value) -> Vec<&'s KeptPod> {
        let key = (text(deployment, "/metadata/namespace"), text(deployment, "/metadata/name"));
        self.unowned.get(&key).cloned().unwrap_or_default()
    }
}
