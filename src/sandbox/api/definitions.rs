//! Custom resource definitions: what they define is served from the moment that they are stored.

use serde_json::{Value, json};

use super::{
    convert,
    core::Api,
    delete::check_preconditions,
    metadata,
    requests::{DeleteOptions, ListQuery, Write},
    update::Next,
};
use crate::sandbox::{
    problem::Problem,
    resource::{At, Resource},
};

const GROUP: &str = "apiextensions.k8s.io";
const PLURAL: &str = "customresourcedefinitions";
/// What holds a definition until nothing of what it defined is left.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
const TRIES: usize = 100;

/// Whether the resource is that of definitions.
pub(super) fn defines(resource: &Resource) -> bool {
    resource.group == GROUP && resource.plural == PLURAL
}

impl Api {
    /// What follows from a write at once; `stored` is None where the object is gone.
    pub(super) fn settled(&self, at: &At, stored: Option<&Value>) {
        if at.resource.is_custom() && stored.is_none() {
            // The last of its kind may be what a definition waited for.
            let Some(resource) = self.resource(GROUP, "v1", PLURAL) else { return };
            let name = format!("{}.{}", at.resource.plural, at.resource.group);
            return self.end_withdrawal(&At { resource, namespace: None, name });
        }
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
            None => self.registry().forget(&at.name),
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

    /// Marks a definition that is to go, and removes what it defined; the definition follows when nothing of that is left.
    /// None where it was marked before, or is only asked about.
    pub(super) fn begin_withdrawal(&self, at: &At, options: &DeleteOptions) -> Result<Option<Value>, Problem> {
        for _ in 0..TRIES {
            let (revision, stored) = self.stored(at)?;
            let mut definition = convert::value(&at.resource, &stored);
            check_preconditions(at, &definition, options)?;
            if metadata::is_being_deleted(&definition) || options.dry_run {
                return Ok(None);
            }
            let now = metadata::time(self.clock().now());
            let mut finalizers = metadata::finalizers(&definition);
            finalizers.push(CLEANUP);
            let finalizers: Value = finalizers.into();
            let fields = metadata::of(&mut definition);
            fields.insert("finalizers".into(), finalizers);
            fields.insert("deletionTimestamp".into(), now.as_str().into());
            let terminating = json!({"type": "Terminating", "status": "True", "lastTransitionTime": now,
                "reason": "InstanceDeletionPending",
                "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"});
            if let Some(Value::Array(conditions)) = definition.pointer_mut("/status/conditions") {
                conditions.push(terminating);
            }
            let mut stored = convert::to_storage(&at.resource, definition);
            if let Ok((_, bytes)) = self.store().put(&self.place(at), Some(revision), &mut stored) {
                self.remove_defined(&at.name);
                self.end_withdrawal(at);
                return Ok(Some(convert::value(&at.resource, &bytes)));
            }
        }
        Err(Problem::conflict(&at.resource, &at.name, "the object has been modified; please try again"))
    }

    /// Lets a definition go that is marked, when nothing of what it defined is left.
    fn end_withdrawal(&self, at: &At) {
        let defined = self.registry().defined_by(&at.name);
        let any = defined.first().is_some_and(|served| {
            let query = ListQuery { limit: 1, ..ListQuery::default() };
            self.list(&served.resource, None, &query).is_ok_and(|page| !page.items.is_empty())
        });
        if any || !self.get(at).is_ok_and(|definition| metadata::is_being_deleted(&definition)) {
            return;
        }
        // The write fails only where the definition is gone already.
        let _ = self.modify(at, "", &Write::by("kube-apiserver"), |live| {
            let mut object = live.object.clone();
            let kept: Vec<String> =
                metadata::finalizers(&object).into_iter().filter(|name| *name != CLEANUP).map(Into::into).collect();
            let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
            metadata::set_finalizers(&mut object, &kept);
            Ok(Next { object, track: false })
        });
    }

    fn remove_defined(&self, name: &str) {
        let defined = self.registry().defined_by(name);
        let Some(served) = defined.first() else { return };
        let now = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        let page = self.list(&served.resource, None, &ListQuery::default()).unwrap_or_default();
        for object in page.objects() {
            let namespace = Some(metadata::text(&object, "namespace")).filter(|name| !name.is_empty());
            let name = metadata::text(&object, "name").into();
            let at = At { resource: served.resource.clone(), namespace: namespace.map(Into::into), name };
            let _ = self.delete(&at, &now);
        }
    }
}

fn is_established(definition: &Value) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}
