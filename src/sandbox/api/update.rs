//! Updates and patches: the one way by which an object that exists becomes another.

use bytes::Bytes;
use serde_json::Value;

use super::{
    admission::{check_name, check_namespace},
    convert,
    core::Api,
    create::Made,
    metadata,
    requests::Write,
};
use crate::sandbox::{
    fields::{self, Types},
    kinds,
    problem::{Problem, ProblemCause},
    resource::{At, Resource},
};

/// How often a write is tried anew when others write the same object; the real server gives up too.
const TRIES: usize = 100;

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";

/// An object before a write, in the version of the request.
pub(super) struct Live {
    pub revision: u64,
    pub object: Value,
}

/// What is to become of an object.
pub(super) struct Next {
    pub object: Value,
    /// The writer becomes the manager of what it changed; an apply has seen to that already.
    pub track: bool,
}

impl Api {
    /// Puts an object in place of the one that is there, or only its status or another subresource.
    ///
    /// # Errors
    /// There is none, it was changed in between, or the new one breaks a rule.
    pub fn update(&self, at: &At, subresource: &str, object: Value, write: &Write) -> Result<Value, Problem> {
        if subresource == "scale" {
            return self.update_scale(at, &object, write);
        }
        let mut object = object;
        self.decode(&at.resource, &mut object, write)?;
        check_name(at, &object)?;
        check_namespace(at, &mut object)?;
        let uid = metadata::text(&object, "uid").to_owned();
        if creates(&at.resource) && subresource.is_empty() && self.stored(at).is_err() {
            if !uid.is_empty() {
                return Err(wrong_uid(at, &uid, "", write));
            }
            number(metadata::text(&object, "resourceVersion"))?;
            return self.create_owned(at, object, write, Made::Updated);
        }
        self.modify(at, subresource, write, |live| {
            let known = metadata::text(&live.object, "uid");
            if !uid.is_empty() && uid != known {
                return Err(wrong_uid(at, &uid, known, write));
            }
            Ok(Next { object: object.clone(), track: true })
        })
    }

    /// Writes what `change` makes of the object, and tries again when somebody else was faster.
    pub(super) fn modify(
        &self,
        at: &At,
        subresource: &str,
        write: &Write,
        mut change: impl FnMut(&Live) -> Result<Next, Problem>,
    ) -> Result<Value, Problem> {
        for _ in 0..TRIES {
            let (revision, stored) = self.stored(at)?;
            let live = Live { revision, object: convert::value(&at.resource, &stored) };
            let next = change(&live)?;
            let sent = metadata::text(&next.object, "resourceVersion");
            let bound = !sent.is_empty() && sent != metadata::text(&live.object, "resourceVersion");
            check_version(at, sent, &live)?;
            let new = self.prepare(at, subresource, write, &live, next)?;
            match self.replace(at, &live, new, write) {
                Some(done) => return Ok(done),
                None if bound => break,
                None => {}
            }
        }
        Err(Problem::conflict(&at.resource, &at.name, MODIFIED))
    }

    /// The object as it will be stored: with its owners, what a writer cannot change, and found valid.
    fn prepare(&self, at: &At, subresource: &str, write: &Write, live: &Live, next: Next) -> Result<Value, Problem> {
        let resource = &at.resource;
        let mut new = next.object;
        if next.track {
            let api_version = resource.api_version();
            let writer = self.writer(write, &api_version, subresource);
            new = fields::track_update(Types::of(resource), Some(&live.object), new, &writer);
        }
        metadata::keep(&mut new, &live.object);
        let now = metadata::time(self.clock().now());
        kinds::prepare_update(resource, subresource, &mut new, &live.object, &now);
        self.allocate(resource, &mut new);
        let causes = kinds::validate(resource, subresource, &new, Some(&live.object));
        if !causes.is_empty() {
            return Err(Problem::invalid(resource, &at.name, causes));
        }
        if subresource.is_empty() {
            let warnings = kinds::warnings(resource, &new, Some(&live.object));
            warnings.into_iter().for_each(|warning| write.warn(warning));
        }
        metadata::of(&mut new).insert("resourceVersion".into(), live.revision.to_string().into());
        Ok(new)
    }

    /// Stores the new object, or removes it where it waited only for the finalizers that it no longer has. None where
    /// somebody else was faster.
    fn replace(&self, at: &At, live: &Live, new: Value, write: &Write) -> Option<Value> {
        let api_version = at.resource.api_version();
        let new = convert::arrange(&at.resource, new, &api_version);
        let ends = ends(at, &new);
        if !ends && fields::only_times_differ(&live.object, &new) {
            return Some(live.object.clone());
        }
        if write.dry_run {
            return Some(new);
        }
        let place = self.place(at);
        if ends {
            let mut last = convert::to_storage(&at.resource, live.object.clone());
            self.store().remove(&place, live.revision, &mut last).ok()?;
            self.settled(at, None);
            return Some(new);
        }
        let mut stored = convert::to_storage(&at.resource, new);
        let (_, bytes): (u64, Bytes) = self.store().put(&place, Some(live.revision), &mut stored).ok()?;
        self.settled(at, Some(&stored));
        Some(self.answered(at, stored, &bytes))
    }

    /// What was stored, in the version of the request.
    pub(super) fn answered(&self, at: &At, stored: Value, bytes: &Bytes) -> Value {
        if stored["apiVersion"] == at.resource.api_version().as_str() {
            return stored;
        }
        convert::value(&at.resource, bytes)
    }
}

fn check_version(at: &At, sent: &str, live: &Live) -> Result<(), Problem> {
    match number(sent)? {
        0 if bound(&at.resource) => Err(unversioned(at)),
        0 => Ok(()),
        sent if sent == live.revision => Ok(()),
        _ => Err(Problem::conflict(&at.resource, &at.name, MODIFIED)),
    }
}

/// The number of a version; 0 for none.
fn number(version: &str) -> Result<u64, Problem> {
    if version.is_empty() {
        return Ok(0);
    }
    let wrong = |_| Problem::new(500, "", format!("strconv.ParseUint: parsing {version:?}: invalid syntax"));
    version.parse().map_err(wrong)
}

/// The kinds that are replaced only by those who name the version that they know (`AllowUnconditionalUpdate` in
/// kubernetes/pkg/registry).
fn bound(resource: &Resource) -> bool {
    match (resource.group.as_str(), resource.plural.as_str()) {
        _ if resource.is_custom() => true,
        (
            "admissionregistration.k8s.io"
            | "apiextensions.k8s.io"
            | "apiregistration.k8s.io"
            | "coordination.k8s.io"
            | "internal.apiserver.k8s.io"
            | "node.k8s.io"
            | "policy"
            | "storagemigration.k8s.io",
            _,
        ) => true,
        ("storage.k8s.io", plural) => plural != "storageclasses" && plural != "volumeattributesclasses",
        ("certificates.k8s.io", plural) => plural != "certificatesigningrequests",
        _ => false,
    }
}

fn unversioned(at: &At) -> Problem {
    let message = "Invalid value: 0: must be specified for an update".to_owned();
    let field = "metadata.resourceVersion".to_owned();
    let resource = at.resource.group_resource();
    let mut problem = Problem::new(422, "Invalid", format!("{resource} {:?} is invalid: {field}: {message}", at.name));
    problem.name.clone_from(&at.name);
    problem.group.clone_from(&at.resource.group);
    problem.kind.clone_from(&at.resource.plural);
    problem.causes.push(ProblemCause { reason: "FieldValueInvalid", message, field });
    problem
}

/// Whether the object is gone with this write: it was deleted, and nothing holds it any more.
fn ends(at: &At, new: &Value) -> bool {
    let namespace = at.resource.group.is_empty() && at.resource.plural == "namespaces";
    metadata::is_being_deleted(new)
        && metadata::finalizers(new).is_empty()
        && new["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) == 0
        && !(namespace && new["spec"]["finalizers"].as_array().is_some_and(|found| !found.is_empty()))
}

/// The kinds that an update makes where there is none (`AllowCreateOnUpdate` in kubernetes/pkg/registry).
fn creates(resource: &Resource) -> bool {
    const KINDS: [(&str, &str); 10] = [
        ("", "services"),
        ("", "endpoints"),
        ("", "events"),
        ("events.k8s.io", "events"),
        ("", "limitranges"),
        ("coordination.k8s.io", "leases"),
        ("rbac.authorization.k8s.io", "roles"),
        ("rbac.authorization.k8s.io", "rolebindings"),
        ("rbac.authorization.k8s.io", "clusterroles"),
        ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ];
    KINDS.contains(&(resource.group.as_str(), resource.plural.as_str()))
}

/// Where the real store keeps a kind.
fn folder(resource: &Resource) -> String {
    let plural = resource.plural.as_str();
    match (resource.group.as_str(), plural) {
        ("", "services") => "services/specs".into(),
        ("", "endpoints") => "services/endpoints".into(),
        ("", "replicationcontrollers") => "controllers".into(),
        ("", "nodes") => "minions".into(),
        ("networking.k8s.io", "ingresses") => "ingress".into(),
        (group @ ("apiextensions.k8s.io" | "apiregistration.k8s.io"), _) => format!("{group}/{plural}"),
        (group, _) if resource.is_custom() => format!("{group}/{plural}"),
        _ => plural.into(),
    }
}

fn wrong_uid(at: &At, sent: &str, known: &str, write: &Write) -> Problem {
    let namespace = at.namespace.as_ref().map_or_else(String::new, |name| format!("{name}/"));
    let root = if write.dry_run { "" } else { "/registry" };
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {root}/{}/{namespace}{}, ResourceVersion: 0, \
         AdditionalErrorMsg: Precondition failed: UID in precondition: {sent}, UID in object meta: {known}",
        folder(&at.resource),
        at.name
    );
    Problem::conflict(&at.resource, &at.name, &why)
}
