//! Server-side apply (`merge/update.go`, `managedfields/internal/structuredmerge.go`).

use serde_json::{Value, json};

use super::{
    check,
    compare::{Difference, is_same},
    conflict::{ApplyFailure, FieldConflict},
    last_applied,
    managers::{Entry, Managers, Writer, put},
    merge::merge,
    mistyped::unconvertible,
    owned::fields_of,
    remove::remove,
    resets::{resets, unowned},
    set::Set,
    track::{empty, owned_difference, take_from_others, updated},
    types::{Place, Types},
};

/// Owns what was there before the first apply to an object without entries.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// The live object with the applied one laid over it, its `managedFields` included: what the writer applied before and
/// does not apply any more is removed where nobody else owns it. `live` is None where the apply creates the object.
pub fn apply(
    types: Types<'_>,
    live: Option<&Value>,
    applied: &Value,
    writer: &Writer<'_>,
    force: bool,
) -> Result<Value, ApplyFailure> {
    refuse(types, applied, writer)?;
    let nothing = json!({});
    let old = live.unwrap_or(&nothing);
    let managers = Managers::of(types, old)
        .map_err(|error| ApplyFailure::Failed(format!("failed to decode managed fields: {error}")))?;
    let faults = check::faults(types.top(), applied);
    if !faults.is_empty() {
        let said = format!("failed to create typed patch object ({}): {}", named(applied), check::joined(&faults));
        return Err(ApplyFailure::Failed(said));
    }
    let unwritten = empty(types);
    let managers = match live {
        Some(live) if managers.entries.is_empty() => {
            let before = Writer { manager: BEFORE_FIRST_APPLY, ..*writer };
            updated(types, &unwritten, live, managers, &before)
        }
        _ => managers,
    };
    let run = |force| applied_over(types, old, applied, managers.clone(), writer, force);
    let mut object = match run(force) {
        Err(ApplyFailure::Conflicts(conflicts)) => {
            let left = last_applied::not_of_kubectl(types, old, conflicts, writer);
            if left.is_empty() { run(true)? } else { return Err(ApplyFailure::Conflicts(left)) }
        }
        other => other?,
    };
    if let Some(why) = unconvertible(types, &object) {
        let said = format!("to proper version: unable to convert unstructured object to {}: {why}", type_of(applied));
        return Err(ApplyFailure::Failed(format!("failed to convert new object ({}) {said}", named(applied))));
    }
    last_applied::keep(&mut object, applied, writer);
    Ok(object)
}

/// What is refused whatever its fields are.
fn refuse(types: Types<'_>, applied: &Value, writer: &Writer<'_>) -> Result<(), ApplyFailure> {
    if applied["apiVersion"] != writer.api_version || applied["kind"] != types.kind {
        return Err(ApplyFailure::Refused(format!("invalid object type: {}", type_of(applied))));
    }
    if applied.pointer("/metadata/managedFields").is_some_and(|entries| !entries.is_null()) {
        return Err(ApplyFailure::Refused("metadata.managedFields must be nil".into()));
    }
    Ok(())
}

/// `apps/v1, Kind=Deployment`; the core group is empty.
fn type_of(object: &Value) -> String {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let version = text("apiVersion");
    let slash = if version.contains('/') { "" } else { "/" };
    format!("{slash}{version}, Kind={}", text("kind"))
}

fn named(object: &Value) -> String {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
    format!("{}/{}; {}", text("namespace"), text("name"), type_of(object))
}

fn applied_over<'a>(
    types: Types<'a>,
    old: &'a Value,
    applied: &'a Value,
    mut managers: Managers<'a>,
    writer: &Writer<'a>,
    force: bool,
) -> Result<Value, ApplyFailure> {
    let place = types.top();
    let set = fields_of(place, applied).without(&resets(types, writer.subresource));
    let mut ours = Entry::new(writer, true, set.clone());
    let (last, last_time) = match managers.entries.iter().position(|entry| entry.is_same_writer(&ours)) {
        Some(at) => {
            let before = managers.entries.remove(at);
            (before.set(place).into_owned(), before.time)
        }
        None => (Set::default(), None),
    };
    let mut object = merge(place, Some(old), Some(applied)).unwrap_or_default();
    if !last.is_within(&set) {
        object = prune(place, object, &last, &set, &managers);
    }
    let difference = owned_difference(types, old, &object, writer.subresource);
    let conflicts = conflicts(place, &managers, &difference);
    if !force && !conflicts.is_empty() {
        return Err(ApplyFailure::Conflicts(conflicts));
    }
    take_from_others(types, &mut managers, &difference);
    if is_same(old, &object) {
        ours.time = last_time;
    }
    let set = set.difference(unowned());
    if !set.is_empty() {
        ours.put(set);
        managers.entries.push(ours);
    }
    let entries = managers.write();
    put(&mut object, entries);
    Ok(object)
}

/// What others own of the fields that are changed, by manager.
fn conflicts<'a>(place: Place<'a>, managers: &Managers<'a>, difference: &Difference<'_>) -> Vec<FieldConflict> {
    if difference.changed.is_empty() {
        return Vec::new();
    }
    let of = |entry: &Entry<'a>| {
        let manager = entry.named();
        let paths = entry.set(place).intersection(&difference.changed).paths();
        paths.into_iter().map(move |field| FieldConflict { manager: manager.clone(), field })
    };
    let mut found: Vec<FieldConflict> = managers.entries.iter().flat_map(of).collect();
    found.sort_by(|a, b| a.manager.cmp(&b.manager));
    found
}

/// Removes what the writer applied last time and does not apply now, but for what anybody owns, and what was never
/// applied.
fn prune<'a>(place: Place<'a>, merged: Value, last: &Set<'a>, set: &Set<'a>, managers: &Managers<'a>) -> Value {
    let last = last.with_named_fields(place);
    let all = managers.entries.iter().fold(set.clone(), |all, entry| all.union(&entry.set(place)));
    let said = fields_of(place, &merged).with_named_fields(place);
    let pruned = remove(place, merged.clone(), &last);
    let kept = fields_of(place, &pruned).with_named_fields(place).union(&all.with_named_fields(place));
    let pruned = remove(place, merged.clone(), &said.difference(&kept));
    let kept = fields_of(place, &pruned).with_named_fields(place);
    let lost = said.difference(&kept).intersection(&last);
    remove(place, merged.clone(), &lost)
}
