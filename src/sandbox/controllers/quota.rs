//! Quotas: what a namespace uses, counted anew. Admission counts what is made meanwhile.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    action::{Decision, View},
    tables::Key,
};
use crate::{rules::quantity::Quantity, sandbox::kinds::usage};

/// What a quota needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(quota) = view.cache.get(key) else { return decision };
    let Some(hard) = quota.pointer("/spec/hard").and_then(Value::as_object) else { return decision };
    let used: BTreeMap<&String, String> =
        hard.keys().filter_map(|limit| Some((limit, used(view, &quota, key.namespace(), limit)?))).collect();
    let mut changed = quota.clone();
    changed["status"] = json!({"hard": hard, "used": used});
    if changed["status"] != quota["status"] {
        decision.status(key, changed);
    }
    decision
}

/// How much of a resource a namespace uses; None where it is not one that is counted.
fn used(view: &View<'_>, quota: &Value, namespace: &str, limit: &str) -> Option<String> {
    let (group, plural) = usage::table(limit)?;
    let table = view.cache.tables.find(group, plural)?;
    let objects = view.cache.all(table, Some(namespace)).map(|(_, entry)| entry.object());
    let about = objects.filter(|object| usage::is_about(quota, object));
    Some(about.fold(Quantity::of(0), |sum, object| sum.plus(&usage::of(&object, limit))).to_string())
}
