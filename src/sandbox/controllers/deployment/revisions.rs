//! The ReplicaSet of the present template, revisions, and the history.

use serde_json::{Value, json};

use super::{
    super::{
        action::{Action, MANAGER},
        objects::{self, annotation, set_text},
        tables,
    },
    set::{DESIRED, HISTORY, MAXIMUM, REVISION, Work, revision, wanted},
};
use crate::rules::fields::{count, number, text};

/// Annotations of a Deployment that its ReplicaSets do not take over.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
];

impl Work<'_> {
    /// Makes the new ReplicaSet, or brings its revision up to date; true where that is all for this look.
    pub fn revise(&mut self, create: bool) -> bool {
        let next = self.old.iter().map(revision).max().unwrap_or(0) + 1;
        match self.new.clone() {
            Some(new) => self.renew(&new, next),
            None if create => {
                self.create_set(next);
                true
            }
            None => false,
        }
    }

    fn renew(&mut self, new: &Value, next: i64) -> bool {
        let mut changed = new.clone();
        self.copy_annotations(&mut changed);
        if revision(new) < next {
            if let Some(before) = annotation(new, REVISION) {
                let history = annotation(new, HISTORY).filter(|history| !history.is_empty());
                let history = history.map_or_else(|| before.to_owned(), |history| format!("{history},{before}"));
                set_text(&mut changed, "annotations", HISTORY, &history);
            }
            set_text(&mut changed, "annotations", REVISION, &next.to_string());
        }
        let ready_seconds = number(&self.deployment, "/spec/minReadySeconds");
        if number(new, "/spec/minReadySeconds") != ready_seconds {
            changed["spec"]["minReadySeconds"] = json!(ready_seconds.unwrap_or(0));
        }
        if changed != *new {
            let key = self.key.beside(tables::REPLICA_SETS, objects::name(new));
            self.decision.actions.push(Action::Update { key, subresource: "", object: changed, manager: MANAGER });
            return true;
        }
        let message = format!("Found new replica set \"{}\"", objects::name(new));
        let known = self.progressing().is_some();
        self.note_revision(revision(new), (!known).then_some(("FoundNewReplicaSet", message)))
    }

    fn copy_annotations(&self, set: &mut Value) {
        let annotations = self.deployment["metadata"]["annotations"].as_object().into_iter().flatten();
        for (key, value) in annotations.filter(|(key, _)| !OWN.contains(&key.as_str())) {
            set_text(set, "annotations", key, value.as_str().unwrap_or_default());
        }
    }

    fn create_set(&mut self, next: i64) {
        let template = &self.deployment["spec"]["template"];
        let hash = objects::template_hash(template, number(&self.deployment, "/status/collisionCount"));
        let name = format!("{}-{hash}", objects::name(&self.deployment));
        let mut template = template.clone();
        set_text(&mut template, "labels", "pod-template-hash", &hash);
        let mut selector = self.deployment["spec"]["selector"].clone();
        selector["matchLabels"]["pod-template-hash"] = json!(hash);
        let replicas = self.new_replicas(0);
        let mut set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": self.key.namespace(), "labels": template["metadata"]["labels"],
                "annotations": {}, "ownerReferences": [objects::owner_reference(&self.deployment)]},
            "spec": {"replicas": replicas, "selector": selector, "template": template},
        });
        if let Some(seconds) = number(&self.deployment, "/spec/minReadySeconds") {
            set["spec"]["minReadySeconds"] = json!(seconds);
        }
        self.copy_annotations(&mut set);
        set_text(&mut set, "annotations", REVISION, &next.to_string());
        self.annotate_counts(&mut set);
        if self.view.cache.has(&self.key.beside(tables::REPLICA_SETS, &name)) {
            // Another template has this hash: the next one is of another count.
            let mut changed = self.deployment.clone();
            changed["status"]["collisionCount"] = json!(count(&changed, "/status/collisionCount") + 1);
            self.decision.status(&self.key, changed);
            return;
        }
        self.decision.create(tables::REPLICA_SETS, set);
        if replicas > 0 {
            self.tell_scaled(&name, 0, replicas);
        }
        let message = format!("Created new replica set \"{name}\"");
        self.note_revision(next, Some(("NewReplicaSetCreated", message)));
    }

    /// Keeps the revision on the Deployment, and a condition of progress; true where that changed something.
    fn note_revision(&mut self, revision: i64, progress: Option<(&'static str, String)>) -> bool {
        let mut changed = self.deployment.clone();
        set_text(&mut changed, "annotations", REVISION, &revision.to_string());
        if let Some((reason, message)) = progress.filter(|_| self.deadline().is_some()) {
            let condition = self.condition("Progressing", "True", reason, &message);
            self.set_condition(&mut changed["status"], condition);
        }
        if changed == self.deployment {
            return false;
        }
        self.decision.status(&self.key, changed);
        true
    }

    /// Deletes the oldest ReplicaSets without pods that are more than the history holds.
    ///
    /// Source: `cleanupDeployment`.
    pub fn forget_old(&mut self) {
        let Some(limit) = number(&self.deployment, "/spec/revisionHistoryLimit") else { return };
        let mut old: Vec<&Value> = self.old.iter().filter(|set| !objects::is_deleted(set)).collect();
        let surplus = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        old.sort_by_key(|set| revision(set));
        let idle = |set: &&&Value| {
            wanted(set) == 0
                && count(set, "/status/replicas") == 0
                && count(set, "/metadata/generation") <= count(set, "/status/observedGeneration")
        };
        let gone: Vec<(String, String)> = old[..surplus]
            .iter()
            .filter(idle)
            .map(|set| (objects::name(set).to_owned(), text(set, "/metadata/uid").to_owned()))
            .collect();
        for (name, uid) in gone {
            self.decision.delete(&self.key.beside(tables::REPLICA_SETS, &name), &uid);
        }
    }
}
