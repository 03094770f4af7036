//! What a namespace must be for objects to come into it.

use serde_json::Value;

use super::{core::Api, metadata, requests::ListQuery};
use crate::sandbox::{
    problem::{Problem, ProblemCause},
    resource::At,
    store::{Place, Table},
};

impl Api {
    /// Whether objects may be made in the namespace: it exists and is not on its way out
    /// (the admission plugin `NamespaceLifecycle`).
    pub(super) fn admit_namespace(&self, at: &At) -> Result<(), Problem> {
        let Some(namespace) = &at.namespace else { return Ok(()) };
        let found = self.namespace(namespace);
        let Some(found) = found else {
            let message = format!("namespaces \"{namespace}\" not found");
            let mut problem = Problem::new(404, "NotFound", message);
            problem.name.clone_from(namespace);
            problem.kind = "namespaces".into();
            return Err(problem);
        };
        if !metadata::is_being_deleted(&found) {
            return Ok(());
        }
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut problem = Problem::forbidden(&at.resource, &at.name, &why);
        problem.causes.push(ProblemCause {
            reason: "NamespaceTerminating",
            message: format!("namespace {namespace} is being terminated"),
            field: "metadata.namespace".into(),
        });
        Err(problem)
    }

    /// Gives a claim that asks for no class the default one (the admission plugin `DefaultStorageClass`).
    pub(super) fn admit_class(&self, at: &At, object: &mut Value) {
        let is_claim = at.resource.group.is_empty() && at.resource.plural == "persistentvolumeclaims";
        if !is_claim || object["spec"].get("storageClassName").is_some() {
            return;
        }
        let Some(classes) = self.resource("storage.k8s.io", "v1", "storageclasses") else { return };
        let found = self.list(&classes, None, &ListQuery::default()).unwrap_or_default().objects();
        let is_default =
            |class: &&Value| class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
        if let Some(class) = found.iter().find(is_default)
            && let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.insert("storageClassName".into(), metadata::text(class, "name").into());
        }
    }

    /// Whether the account that a pod is to run as is there (the admission plugin `ServiceAccount`).
    pub(super) fn admit_account(&self, at: &At, object: &Value) -> Result<(), Problem> {
        let mirror = object["metadata"]["annotations"].get("kubernetes.io/config.mirror").is_some();
        if !at.resource.group.is_empty() || at.resource.plural != "pods" || mirror {
            return Ok(());
        }
        let name = object["spec"]["serviceAccountName"].as_str().unwrap_or_default();
        // The default one is about to be made where controllers act.
        if name.is_empty() || (name == "default" && self.logs().is_some()) {
            return Ok(());
        }
        let namespace = at.namespace.as_deref().unwrap_or_default();
        let table = Table { group: String::new(), plural: "serviceaccounts".into() };
        if self.store().get(&Place { table: table.into(), key: format!("{namespace}/{name}") }).is_some() {
            return Ok(());
        }
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount {name:?} not found");
        Err(Problem::forbidden(&at.resource, metadata::text(object, "name"), &why))
    }

    /// The namespace of that name.
    pub(super) fn namespace(&self, name: &str) -> Option<Value> {
        let table = Table { group: String::new(), plural: "namespaces".into() };
        let (_, stored) = self.store().get(&Place { table: table.into(), key: name.into() })?;
        serde_json::from_slice(&stored).ok()
    }
}

/// The object's name and namespace against those of the request.
///
/// # Errors
/// They differ.
pub(super) fn check_namespace(at: &At, object: &mut Value) -> Result<(), Problem> {
    let sent = metadata::text(object, "namespace");
    match &at.namespace {
        Some(namespace) if sent.is_empty() => {
            let namespace = namespace.as_str().into();
            metadata::of(object).insert("namespace".into(), namespace);
            Ok(())
        }
        Some(namespace) if sent == namespace => Ok(()),
        None => {
            metadata::of(object).shift_remove("namespace");
            Ok(())
        }
        Some(_) => Err(Problem::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
    }
}

/// The object's name against that of the URL.
///
/// # Errors
/// They differ, or the object has none.
pub(super) fn check_name(at: &At, object: &Value) -> Result<(), Problem> {
    match metadata::text(object, "name") {
        "" => Err(Problem::bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            at.name
        ))),
        name if name == at.name => Ok(()),
        name => Err(Problem::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            at.name
        ))),
    }
}
