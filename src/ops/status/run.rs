//! One look.

use serde_json::Value;

use super::{
    gather::{Needed, gather, needed},
    members::custom,
};
use crate::{
    context::Ctx,
    error::Result,
    model::{ScopeRequest, StatusReport},
    ops::scope::{Scope, WORKLOADS, resolve},
    rules::status::{Scene, report},
};

/// How everything does that the request means.
///
/// It sends one list for each kind and namespace, narrowed to the pods of what is meant; ten thousand pods are read
/// page by page, and little is kept of each.
///
/// # Errors
/// Usage, when what is named is not there; failed, when workloads or pods may not be read.
pub async fn run(ctx: &Ctx, request: &ScopeRequest) -> Result<StatusReport> {
    let cluster = ctx.cluster().await?;
    let scope = resolve(ctx, &cluster, request, WORKLOADS).await?;
    let members = custom(ctx, &cluster, request, &scope).await;
    let (mut scene, lists) = set(request, scope, false);
    add_members(&mut scene, members)?;
    ctx.unless_cancelled("reading the status", gather(&cluster, &mut scene, &lists)).await?;
    Ok(report(&scene, ctx.clock.now()))
}

/// Adds custom resources; that they may not be read leaves them out.
pub(super) fn add_members(scene: &mut Scene, members: Result<Vec<Value>>) -> Result<()> {
    match members {
        Ok(members) => members.into_iter().for_each(|object| scene.add(object)),
        Err(error) if error.code() == 403 => scene.note(format!("custom resources are not shown: {error}")),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The empty scene of a scope, and the lists that fill it.
pub(super) fn set(request: &ScopeRequest, scope: Scope, goes_on: bool) -> (Scene, Vec<Needed>) {
    let whole = scope.application.is_none() && request.words.is_empty() && request.selector.is_none();
    let everything = whole || scope.found.iter().any(|found| found.resource.kind == "Node");
    let lists = needed(&scope, whole, goes_on && request.words.is_empty());
    let mut scene = Scene::of(scope.application, scope.namespaces, everything);
    scope.found.into_iter().for_each(|found| scene.add(found.object));
    (scene, lists)
}
