//! The garbage collector: what is owned goes with its owners, and deletions wait for what they must.
//!
//! Source: `pkg/controller/garbagecollector` of Kubernetes 1.34.

use serde_json::Value;

use super::{
    action::{Action, Decision, View},
    objects::remove_finalizer,
    tables::Key,
};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// What an object needs for the sake of its owners and dependents.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let Some(entry) = view.cache.entry(key) else { return Decision::none() };
    let has = |name: &str| entry.head.finalizers.iter().any(|finalizer| &**finalizer == name);
    if entry.head.deleted.is_some() {
        if has(ORPHAN) {
            return orphan(view, key, &entry.head.uid);
        }
        if has(FOREGROUND) {
            return foreground(view, key, &entry.head.uid);
        }
    }
    owned(view, key)
}

/// Deletes an object whose owners are all gone; drops the ones that are gone from an object with others.
fn owned(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(entry) = view.cache.entry(key) else { return decision };
    if entry.head.owners.is_empty() || entry.head.deleted.is_some() {
        return decision;
    }
    let exists = |uid: &str| {
        // An owner in another namespace is none.
        let found = view.cache.by_uid(uid);
        found.is_some_and(|owner| owner.namespace().is_empty() || owner.namespace() == key.namespace())
    };
    let (there, gone): (Vec<_>, Vec<_>) = entry.head.owners.iter().partition(|owner| exists(&owner.uid));
    if gone.is_empty() {
        return decision;
    }
    if there.is_empty() {
        decision.actions.push(Action::Delete {
            key: key.clone(),
            uid: entry.head.uid.clone(),
            grace: None,
            propagation: Some("Background"),
        });
    } else {
        let gone: Vec<&str> = gone.iter().map(|owner| &*owner.uid).collect();
        decision.update(key, without_owners(entry.object(), &gone));
    }
    decision
}

fn without_owners(mut object: Value, uids: &[&str]) -> Value {
    if let Some(owners) = object.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut) {
        owners.retain(|owner| !uids.contains(&owner["uid"].as_str().unwrap_or_default()));
        if owners.is_empty() {
            object["metadata"].as_object_mut().map(|metadata| metadata.shift_remove("ownerReferences"));
        }
    }
    object
}

fn release(view: &View<'_>, key: &Key, finalizer: &str, decision: &mut Decision) {
    if let Some(mut object) = view.cache.get(key)
        && remove_finalizer(&mut object, finalizer)
    {
        decision.update(key, object);
    }
}

fn orphan(view: &View<'_>, key: &Key, uid: &str) -> Decision {
    let mut decision = Decision::none();
    for dependent in view.cache.dependents(uid) {
        if let Some(object) = view.cache.get(&dependent) {
            decision.update(&dependent, without_owners(object, &[uid]));
        }
    }
    if decision.actions.is_empty() {
        release(view, key, ORPHAN, &mut decision);
    }
    decision
}

/// Deletes the dependents, and lets the owner go when none that blocks is left.
fn foreground(view: &View<'_>, key: &Key, uid: &str) -> Decision {
    let mut decision = Decision::none();
    let mut blocked = false;
    for dependent in view.cache.dependents(uid) {
        let Some(entry) = view.cache.entry(&dependent) else { continue };
        let blocks = entry.head.owners.iter().any(|owner| &*owner.uid == uid && owner.block_owner_deletion);
        blocked |= blocks;
        if entry.head.deleted.is_none() && blocks {
            decision.actions.push(Action::Delete {
                key: dependent,
                uid: entry.head.uid.clone(),
                grace: None,
                propagation: Some("Foreground"),
            });
        }
    }
    if !blocked {
        release(view, key, FOREGROUND, &mut decision);
    }
    decision
}
