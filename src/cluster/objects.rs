//! Reading and writing objects, as plain JSON of whatever kind.

use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    client::{Call, Cluster},
    discovery::Resource,
};
use crate::{
    error::{Cause, Error, Refusal, Result},
    model::{FIELD_MANAGER, ObjectRef},
};

/// How the server says that a field cannot be changed (`ValidateImmutableField`).
const IMMUTABLE: &str = "field is immutable";

/// How an apply is meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyMode {
    /// Nothing is stored.
    pub dry_run: bool,
    /// Takes fields from other managers.
    pub force: bool,
}

/// What an apply did.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The object as it is now (or would be).
    pub object: Value,
    pub created: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Propagation {
    #[default]
    Background,
    /// The dependants go first.
    Foreground,
    Orphan,
}

/// How an object is deleted; the preconditions make the delete refuse another object of the same name.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub propagation: Propagation,
    pub dry_run: bool,
}

/// What became of an object that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It was not there.
    Absent,
    /// It is gone.
    Gone,
    /// It goes when its finalizers and its dependants let it.
    Going,
}

impl Cluster {
    /// The server's version, as in `v1.34.4`.
    pub async fn version(&self) -> Result<String> {
        let (_, answer) = self.call(&Call::new(Method::GET, "/version".into(), "asking for the version")).await?;
        Ok(answer["gitVersion"].as_str().unwrap_or("unknown").to_owned())
    }

    /// One object, or None when it is not there.
    pub async fn get(&self, resource: &Resource, namespace: Option<&str>, name: &str) -> Result<Option<Value>> {
        let doing = format!("reading {}/{name}", resource.plural);
        let call = Call::new(Method::GET, path(resource, namespace, Some(name)), &doing);
        absent_is_none(self.call(&call).await.map(|(_, object)| object))
    }

    /// Server-side apply under our field manager.
    pub async fn apply(&self, resource: &Resource, object: &Value, mode: ApplyMode) -> Result<Applied> {
        let reference = ObjectRef::of(object);
        let mut parameters = vec![("fieldManager", FIELD_MANAGER.to_owned())];
        if mode.force {
            parameters.push(("force", "true".into()));
        }
        if mode.dry_run {
            parameters.push(("dryRun", "All".into()));
        }
        let doing = format!("applying {reference}");
        let mut call = Call::new(
            Method::PATCH,
            path(resource, reference.namespace.as_deref(), Some(&reference.name)) + &query_string(&parameters),
            &doing,
        );
        // JSON is YAML, and this is the only content type that every supported server takes for an apply.
        call.body = Some(("application/apply-patch+yaml", encode(object)?));
        let (status, object) = self.call(&call).await.map_err(|error| without_secrets(error, &reference))?;
        Ok(Applied { object, created: status == StatusCode::CREATED })
    }

    /// Creates an object; 409 when it exists.
    pub async fn create(&self, resource: &Resource, object: &Value) -> Result<Value> {
        self.write(Method::POST, resource, object, false).await
    }

    /// What the server would make of a new object; nothing is stored.
    pub async fn try_create(&self, resource: &Resource, object: &Value) -> Result<Value> {
        self.write(Method::POST, resource, object, true).await
    }

    /// Replaces an object; 409 when its resourceVersion is not the newest.
    pub async fn update(&self, resource: &Resource, object: &Value) -> Result<Value> {
        self.write(Method::PUT, resource, object, false).await
    }

    async fn write(&self, method: Method, resource: &Resource, object: &Value, dry_run: bool) -> Result<Value> {
        let reference = ObjectRef::of(object);
        let doing = format!("writing {reference}");
        let name = Some(reference.name.as_str()).filter(|_| method == Method::PUT);
        let mut parameters = vec![("fieldManager", FIELD_MANAGER.to_owned())];
        if dry_run {
            parameters.push(("dryRun", "All".into()));
        }
        let path = path(resource, reference.namespace.as_deref(), name) + &query_string(&parameters);
        let mut call = Call::new(method, path, &doing);
        call.body = Some(("application/json", encode(object)?));
        match self.call(&call).await {
            Ok((_, live)) => Ok(live),
            // Perhaps it was written, the answer was lost, and the same request came again.
            Err(error) if error.code() == 409 => {
                let live = self.get(resource, reference.namespace.as_deref(), &reference.name).await?;
                live.filter(|live| was_written(object, live)).ok_or(error)
            }
            Err(error) => Err(without_secrets(error, &reference)),
        }
    }

    /// A JSON merge patch (`application/merge-patch+json`) or, for an array, a JSON patch.
    pub async fn patch(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
    ) -> Result<Value> {
        let doing = format!("changing {}/{name}", resource.plural);
        let parameters = query_string(&[("fieldManager", FIELD_MANAGER.to_owned())]);
        let mut call = Call::new(Method::PATCH, path(resource, namespace, Some(name)) + &parameters, &doing);
        let kind = if patch.is_array() { "application/json-patch+json" } else { "application/merge-patch+json" };
        call.body = Some((kind, encode(patch)?));
        self.call(&call).await.map(|(_, object)| object)
    }

    /// Deletes an object.
    pub async fn delete(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deletion> {
        let doing = format!("deleting {}/{name}", resource.plural);
        let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        body["propagationPolicy"] = match options.propagation {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
            Propagation::Orphan => "Orphan",
        }
        .into();
        if let Some(uid) = &options.uid {
            body["preconditions"]["uid"] = uid.clone().into();
        }
        if let Some(version) = &options.resource_version {
            body["preconditions"]["resourceVersion"] = version.clone().into();
        }
        if options.dry_run {
            body["dryRun"] = json!(["All"]);
        }
        let mut call = Call::new(Method::DELETE, path(resource, namespace, Some(name)), &doing);
        call.body = Some(("application/json", encode(&body)?));
        Ok(match absent_is_none(self.call(&call).await)? {
            None => Deletion::Absent,
            Some((_, answer)) if answer["kind"] == "Status" => Deletion::Gone,
            Some(_) => Deletion::Going,
        })
    }
}

/// The path of a resource, or of one object of it.
pub(super) fn path(resource: &Resource, namespace: Option<&str>, name: Option<&str>) -> String {
    let mut path = match resource.group.as_str() {
        "" => format!("/api/{}", resource.version),
        group => format!("/apis/{group}/{}", resource.version),
    };
    if let Some(namespace) = namespace.filter(|_| resource.namespaced) {
        path += &format!("/namespaces/{namespace}");
    }
    path += &format!("/{}", resource.plural);
    if let Some(name) = name {
        path += &format!("/{}", escape(name));
    }
    path
}

pub(super) fn query_string(parameters: &[(&str, String)]) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    format!("?{}", pairs.join("&"))
}

/// For a path segment or a query value: everything but the unreserved characters of RFC 3986.
fn escape(text: &str) -> impl std::fmt::Display {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}

fn encode(value: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|cause| Error::failed("an object cannot be written as JSON").because(cause))
}

/// Whether an object holds everything that was sent. The version that an update was sent with is not what it wrote.
fn was_written(sent: &Value, live: &Value) -> bool {
    match (sent, live) {
        (Value::Object(sent), Value::Object(live)) => sent
            .iter()
            .all(|(key, sent)| key == "resourceVersion" || live.get(key).is_some_and(|live| was_written(sent, live))),
        _ => sent == live,
    }
}

fn absent_is_none<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

/// The server quotes invalid values in its refusal; those of a Secret must not be repeated. What stays are the fields
/// and whether they are immutable, which decides how the deploy goes on.
fn without_secrets(error: Error, reference: &ObjectRef) -> Error {
    let Some(refusal) = error.refusal().filter(|_| reference.kind == "Secret") else { return error };
    if matches!(refusal.code, 403 | 409) {
        return error;
    }
    let immutable = if refusal.message.contains(IMMUTABLE) { format!(": {IMMUTABLE}") } else { String::new() };
    let fields: Vec<&str> = refusal.causes.iter().map(|cause| cause.field.as_str()).collect();
    let message = format!("refused ({}): {}{immutable}", refusal.reason, fields.join(", "));
    let causes = refusal.causes.iter().map(|cause| Cause { message: String::new(), ..cause.clone() }).collect();
    let refusal = Refusal { message: message.clone(), causes, ..refusal.clone() };
    Error::failed(format!("applying {reference}: {message}")).refused(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, plural: &str, namespaced: bool) -> Resource {
        Resource {
            group: group.into(),
            version: "v1".into(),
            kind: String::new(),
            plural: plural.into(),
            singular: String::new(),
            short_names: Vec::new(),
            namespaced,
            listable: true,
        }
    }

    #[test]
    fn paths_follow_scope_and_group() {
        assert_eq!(
            path(&resource("apps", "deployments", true), Some("shop"), Some("api")),
            "/apis/apps/v1/namespaces/shop/deployments/api"
        );
        assert_eq!(path(&resource("", "nodes", false), Some("shop"), None), "/api/v1/nodes");
        let role = path(&resource("rbac.authorization.k8s.io", "clusterroles", false), None, Some("system:node"));
        assert_eq!(role, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode");
    }

    #[test]
    fn what_was_written_is_known_again() {
        let sent = json!({"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"holder": "me"}});
        let live = json!({"metadata": {"name": "a", "resourceVersion": "2", "uid": "u"}, "spec": {"holder": "me"}});
        assert!(was_written(&sent, &live));
        assert!(!was_written(&json!({"spec": {"holder": "you"}}), &live));
        assert!(!was_written(&json!({"spec": {"holder": "me", "since": "now"}}), &live));
    }

    #[test]
    fn a_refused_secret_is_named_by_its_fields_only() {
        let refusal = crate::error::Refusal {
            code: 422,
            reason: "Invalid".into(),
            message: "data[x]: Invalid value: \"hunter2\": field is immutable".into(),
            causes: vec![crate::error::Cause {
                field: "data[x]".into(),
                message: "hunter2".into(),
                ..Default::default()
            }],
        };
        let reference =
            ObjectRef { kind: "Secret".into(), name: "s".into(), api_version: "v1".into(), namespace: None };
        let error = without_secrets(Error::failed("data[x]: Invalid value: \"hunter2\"").refused(refusal), &reference);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(error.message().contains("data[x]: field is immutable"), "{error}");
    }
}
