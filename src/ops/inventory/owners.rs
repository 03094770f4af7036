//! The locks of the applications that objects belong to.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::application_of;
use crate::{
    cluster::Cluster, context::Ctx, error::Result, model::ObjectRef, ops::lock::LockRequest, rules::applyset::PART_OF,
};

/// The locks to hold while these objects are changed; objects of no application need none. `purpose` is a verb.
pub async fn locks<'o>(
    ctx: &Ctx,
    cluster: &Cluster,
    objects: impl IntoIterator<Item = &'o Value>,
    purpose: &str,
    timeout: Duration,
) -> Result<Vec<LockRequest>> {
    let sets: BTreeSet<(String, String)> = objects
        .into_iter()
        .filter_map(|object| {
            let set = object["metadata"]["labels"][PART_OF].as_str()?;
            Some((set.to_owned(), ObjectRef::of(object).namespace?))
        })
        .collect();
    let mut owners = BTreeSet::new();
    for (set, namespace) in sets {
        match application_of(cluster, &set, &namespace).await {
            Ok(owner) => owners.extend(owner),
            Err(error) if error.code() == 403 => {
                ctx.warn(format!("no lock was taken, because the application could not be looked up: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    let request = |(application, namespace)| LockRequest { application, namespace, purpose: purpose.into(), timeout };
    Ok(owners.into_iter().map(request).collect())
}
