//! Deletion: at once, or when finalizers and grace have ended.

use serde_json::Value;

use super::{
    convert,
    core::Api,
    definitions::defines,
    metadata,
    requests::{DeleteOptions, Deleted, Propagation},
};
use crate::sandbox::{
    problem::Problem,
    resource::{At, Resource},
};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";
const TRIES: usize = 100;

impl Api {
    /// Deletes an object, or begins to.
    ///
    /// # Errors
    /// There is none, or it is not the one of the preconditions.
    pub fn delete(&self, at: &At, options: &DeleteOptions) -> Result<Deleted, Problem> {
        const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];
        if is_namespace(at) && IMMORTAL.contains(&at.name.as_str()) {
            return Err(Problem::forbidden(&at.resource, &at.name, "this namespace may not be deleted"));
        }
        if defines(&at.resource)
            && let Some(marked) = self.begin_withdrawal(at, options)?
        {
            return Ok(Deleted { object: marked, gone: false });
        }
        for _ in 0..TRIES {
            let (revision, stored) = self.stored(at)?;
            let live = convert::value(&at.resource, &stored);
            check_preconditions(at, &live, options)?;
            if let Some(done) = self.delete_once(at, revision, &live, options) {
                return Ok(done);
            }
        }
        Err(Problem::conflict(&at.resource, &at.name, "the object has been modified; please try again"))
    }

    /// None where somebody else was faster.
    fn delete_once(&self, at: &At, revision: u64, live: &Value, options: &DeleteOptions) -> Option<Deleted> {
        let mut marked = live.clone();
        let finalizers = wanted_finalizers(&at.resource, live, options.propagation);
        metadata::set_finalizers(&mut marked, &finalizers);
        let grace = grace(at, live, options);
        let waits = !finalizers.is_empty() || grace > 0 || holds_content(at, live);
        if !waits && !is_pod(at) {
            return self.remove(at, revision, live, options);
        }
        // A pod that goes at once is marked before, as the real server does.
        self.mark(at, &mut marked, grace);
        if options.dry_run || (marked == *live && waits) {
            return Some(Deleted { object: marked, gone: !waits });
        }
        let mut stored = convert::to_storage(&at.resource, marked);
        let (revision, bytes) = self.store().put(&self.place(at), Some(revision), &mut stored).ok()?;
        self.settled(at, Some(&stored));
        let object = convert::value(&at.resource, &bytes);
        if waits {
            return Some(Deleted { object, gone: false });
        }
        self.remove(at, revision, &object, options)
    }

    fn remove(&self, at: &At, revision: u64, live: &Value, options: &DeleteOptions) -> Option<Deleted> {
        let mut last = convert::to_storage(&at.resource, live.clone());
        if !options.dry_run {
            self.store().remove(&self.place(at), revision, &mut last).ok()?;
            self.settled(at, None);
        }
        let bytes = serde_json::to_vec(&last).unwrap_or_default();
        Some(Deleted { object: convert::value(&at.resource, &bytes), gone: true })
    }

    /// Notes when the object's time ends.
    fn mark(&self, at: &At, object: &mut Value, grace: i64) {
        let began = metadata::is_being_deleted(object);
        let known = object["metadata"]["deletionGracePeriodSeconds"].as_i64();
        let namespace = is_namespace(at);
        if began && (namespace || known.is_some_and(|known| known <= grace)) {
            return;
        }
        let until = if began {
            // A shorter grace counts from when the deletion began.
            let until: Option<jiff::Timestamp> = metadata::text(object, "deletionTimestamp").parse().ok();
            until.unwrap_or_else(|| self.clock().now()) - jiff::SignedDuration::from_secs(known.unwrap_or(0))
        } else {
            self.clock().now()
        };
        if namespace {
            metadata::of(object).insert("deletionTimestamp".into(), metadata::time(until).into());
            object["status"]["phase"] = "Terminating".into();
            return;
        }
        let until = until + jiff::SignedDuration::from_secs(grace);
        let fields = metadata::of(object);
        fields.insert("deletionTimestamp".into(), metadata::time(until).into());
        fields.insert("deletionGracePeriodSeconds".into(), grace.into());
        if let Some(generation) = fields.get("generation").and_then(Value::as_i64).filter(|_| !began) {
            fields.insert("generation".into(), (generation + 1).into());
        }
    }
}

pub(super) fn check_preconditions(at: &At, live: &Value, options: &DeleteOptions) -> Result<(), Problem> {
    let (uid, version) = (metadata::text(live, "uid"), metadata::text(live, "resourceVersion"));
    let clash = |why: String| {
        let message = format!("Operation cannot be fulfilled on {} \"{}\": {why}", at.resource.group_kind(), at.name);
        let mut problem = Problem::conflict(&at.resource, &at.name, "");
        problem.message = message;
        problem.kind.clone_from(&at.resource.kind);
        problem.group = at.resource.internal_group().into();
        problem
    };
    if let Some(wanted) = options.uid.as_ref().filter(|wanted| *wanted != uid) {
        return Err(clash(format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). \
             The object might have been deleted and then recreated"
        )));
    }
    if let Some(wanted) = options.resource_version.as_ref().filter(|wanted| *wanted != version) {
        return Err(clash(format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
             ({version}). The object might have been modified"
        )));
    }
    Ok(())
}

/// The finalizers that the object has from now on: those of the garbage collector by how its dependents are to go.
fn wanted_finalizers<'v>(resource: &Resource, live: &'v Value, propagation: Option<Propagation>) -> Vec<&'v str> {
    let mut found = metadata::finalizers(live);
    let decided = found.iter().any(|name| *name == ORPHAN || *name == FOREGROUND);
    let wanted = match propagation {
        None if orphans(resource) && !decided => Some(ORPHAN),
        None => return found,
        Some(Propagation::Background) => None,
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Orphan) => Some(ORPHAN),
    };
    found.retain(|name| (*name != ORPHAN && *name != FOREGROUND) || Some(*name) == wanted);
    if let Some(wanted) = wanted.filter(|wanted| !found.contains(wanted)) {
        found.push(wanted);
    }
    found
}

/// The kinds that leave what they own behind unless the request says otherwise (`DefaultGarbageCollectionPolicy`).
pub(crate) fn orphans(resource: &Resource) -> bool {
    let name = (resource.group.as_str(), resource.plural.as_str());
    name == ("batch", "jobs") || name == ("", "replicationcontrollers")
}

fn is_namespace(at: &At) -> bool {
    at.resource.group.is_empty() && at.resource.plural == "namespaces"
}

fn is_pod(at: &At) -> bool {
    at.resource.group.is_empty() && at.resource.plural == "pods"
}

/// How long the object may still run, in seconds: only pods that are on a node do.
fn grace(at: &At, live: &Value, options: &DeleteOptions) -> i64 {
    if !is_pod(at) {
        return 0;
    }
    let ended = matches!(live["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if ended || live["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return 0;
    }
    let own = live["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
    let wanted = options.grace_period_seconds.unwrap_or(own);
    if wanted < 0 { 1 } else { wanted }
}

/// Whether the object is a namespace that its content has to leave first.
fn holds_content(at: &At, live: &Value) -> bool {
    is_namespace(at) && live["spec"]["finalizers"].as_array().is_some_and(|found| !found.is_empty())
}
