//! Custom resource definitions: what they define is served from the moment that they are stored.

use serde_json::{Value, json};

use super::{
    core::Api,
    metadata,
    requests::{DeleteOptions, ListQuery, Write},
    update::Next,
};
use crate::sandbox::resource::{At, Resource};

/// Whether the resource is that of definitions.
fn defines(resource: &Resource) -> bool {
    resource.group == "apiextensions.k8s.io" && resource.plural == "customresourcedefinitions"
}

impl Api {
    /// What follows from a write at once; `stored` is None where the object is gone.
    pub(super) fn settled(&self, at: &At, stored: Option<&Value>) {
        if !defines(&at.resource) {
            return;
        }
        match stored {
            Some(definition) => {
                self.registry().define(definition);
                if !is_established(definition) {
                    self.establish(at);
                }
            }
            None => self.withdraw(&at.name),
        }
    }

    /// Says in the definition's status that its names are accepted and its objects are served.
    fn establish(&self, at: &At) {
        let now = metadata::time(self.clock().now());
        let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message});
        // The write fails only where the definition is gone already.
        let _ = self.modify(at, "status", &Write::by("kube-apiserver"), |live| {
            let mut object = live.object.clone();
            let stored: Vec<Value> = object["spec"]["versions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|version| version["storage"] == true)
                .map(|version| version["name"].clone())
                .collect();
            object["status"] = json!({
                "conditions": [
                    condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                    condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
                ],
                "acceptedNames": object["spec"]["names"], "storedVersions": stored,
            });
            Ok(Next { object, track: true })
        });
    }

    /// Serves no more what a definition that is gone defined, and removes it.
    fn withdraw(&self, name: &str) {
        let defined = self.registry().defined_by(name);
        let now = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        if let Some(served) = defined.first() {
            let page = self.list(&served.resource, None, &ListQuery::default()).unwrap_or_default();
            for object in page.objects() {
                let namespace = Some(metadata::text(&object, "namespace")).filter(|name| !name.is_empty());
                let name = metadata::text(&object, "name").into();
                let at = At { resource: served.resource.clone(), namespace: namespace.map(Into::into), name };
                let _ = self.delete(&at, &now);
            }
        }
        self.registry().forget(name);
    }
}

fn is_established(definition: &Value) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}
