//! How full the volumes are.

use crate::{
    context::Ctx,
    error::{Error, Result},
    model::{ObjectRef, ScopeRequest, StorageRequest},
    ops::storage,
    rules::alerts::VolumeFact,
};

/// The volumes of the scope that could be measured.
///
/// # Errors
/// When the claims cannot be listed, or none can be measured.
pub(super) async fn volumes(ctx: &Ctx, scope: &ScopeRequest) -> Result<Vec<VolumeFact>> {
    let request = StorageRequest { scope: scope.clone(), ..StorageRequest::default() };
    let report = storage::run_again(ctx, &request).await?;
    let mounted = report.items.iter().filter(|item| !item.pods.is_empty()).count();
    let facts: Vec<VolumeFact> = report
        .items
        .into_iter()
        .filter_map(|item| {
            let claim = ObjectRef {
                api_version: "v1".into(),
                kind: "PersistentVolumeClaim".into(),
                namespace: item.namespace,
                name: item.claim?,
            };
            // What cannot be written to is no free space.
            let usage = item.usage?;
            Some(VolumeFact { claim, used_bytes: usage.used, capacity_bytes: usage.used.saturating_add(usage.free) })
        })
        .collect();
    if facts.is_empty() && mounted > 0 {
        return Err(Error::failed(report.notes.into_iter().next().unwrap_or_else(|| "none could be measured".into())));
    }
    Ok(facts)
}
