//! Updates: the one way by which an object that exists becomes another.

use bytes::Bytes;
use serde_json::Value;

use super::{
    admission::{check_name, check_namespace},
    convert,
    core::Api,
    metadata,
    requests::Write,
};
use crate::sandbox::{problem::Problem, resource::At};

/// How often a write is tried anew when others write the same object; the real server gives up too.
const TRIES: usize = 100;

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";

/// An object before a write.
pub(super) struct Live {
    pub revision: u64,
    pub object: Value,
}

impl Api {
    /// Puts an object in place of the one that is there, or only its status or another subresource.
    ///
    /// # Errors
    /// There is none, it was changed in between, or the new one breaks a rule.
    pub fn update(&self, at: &At, subresource: &str, mut object: Value, write: &Write) -> Result<Value, Problem> {
        check_name(at, &object)?;
        check_namespace(at, &mut object)?;
        let uid = metadata::text(&object, "uid").to_owned();
        self.modify(at, subresource, write, |live| {
            let known = metadata::text(&live.object, "uid");
            if !uid.is_empty() && uid != known {
                return Err(wrong_uid(at, &uid, known));
            }
            Ok((object.clone(), true))
        })
    }

    /// Writes what `change` makes of the object, and tries again when somebody else was faster. `change` also says
    /// whether the writer becomes the manager of what it changed.
    pub(super) fn modify(
        &self,
        at: &At,
        subresource: &str,
        write: &Write,
        mut change: impl FnMut(&Live) -> Result<(Value, bool), Problem>,
    ) -> Result<Value, Problem> {
        for _ in 0..TRIES {
            let (revision, stored) = self.stored(at)?;
            let live = Live { revision, object: convert::value(&at.resource, &stored) };
            let (mut new, track) = change(&live)?;
            let sent = metadata::text(&new, "resourceVersion");
            let unconditional = sent.is_empty();
            self.check_version(at, sent, &live)?;
            let _ = track;
            metadata::keep(&mut new, &live.object);
            let causes = metadata::forbidden_changes(&new, &live.object);
            if !causes.is_empty() {
                return Err(Problem::invalid(&at.resource, &at.name, causes));
            }
            metadata::of(&mut new).insert("resourceVersion".into(), revision.to_string().into());
            let _ = subresource;
            match self.replace(at, &live, new, write) {
                Some(done) => return Ok(done),
                None if unconditional => {}
                None => return Err(Problem::conflict(&at.resource, &at.name, MODIFIED)),
            }
        }
        Err(Problem::conflict(&at.resource, &at.name, MODIFIED))
    }

    fn check_version(&self, at: &At, sent: &str, live: &Live) -> Result<(), Problem> {
        if sent.is_empty() {
            return Ok(());
        }
        match sent.parse::<u64>() {
            Err(_) => Err(Problem::new(500, "", format!("strconv.ParseUint: parsing {sent:?}: invalid syntax"))),
            Ok(sent) if sent == live.revision || sent == 0 => Ok(()),
            Ok(_) => Err(Problem::conflict(&at.resource, &at.name, MODIFIED)),
        }
    }

    /// Stores the new object, or removes it where it waited only for the finalizers that it no longer has. None where
    /// somebody else was faster.
    fn replace(&self, at: &At, live: &Live, new: Value, write: &Write) -> Option<Value> {
        if new == live.object {
            return Some(new);
        }
        let place = self.place(at);
        let ends = metadata::is_being_deleted(&new)
            && metadata::finalizers(&new).is_empty()
            && new["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) == 0
            && new["spec"]["finalizers"].as_array().is_none_or(Vec::is_empty);
        if write.dry_run {
            return Some(new);
        }
        if ends {
            let mut last = convert::to_storage(&at.resource, live.object.clone());
            self.store().remove(&place, live.revision, &mut last).ok()?;
            self.settled(at, None);
            return Some(new);
        }
        let mut stored = convert::to_storage(&at.resource, new);
        let (_, bytes): (u64, Bytes) = self.store().put(&place, Some(live.revision), &mut stored).ok()?;
        self.settled(at, Some(&stored));
        Some(convert::value(&at.resource, &bytes))
    }

    /// What follows from a write at once: definitions change what is served.
    pub(super) fn settled(&self, at: &At, stored: Option<&Value>) {
        if at.resource.group == "apiextensions.k8s.io" && at.resource.plural == "customresourcedefinitions" {
            match stored {
                Some(definition) => self.registry().define(definition),
                None => self.registry().forget(&at.name),
            }
        }
    }
}

fn wrong_uid(at: &At, sent: &str, known: &str) -> Problem {
    let namespace = at.namespace.as_ref().map_or_else(String::new, |name| format!("{name}/"));
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}/{namespace}{}, ResourceVersion: 0, \
         AdditionalErrorMsg: Precondition failed: UID in precondition: {sent}, UID in object meta: {known}",
        at.resource.plural, at.name
    );
    Problem::conflict(&at.resource, &at.name, &why)
}
