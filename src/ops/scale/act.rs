//! The plan is carried out, step by step; each may be repeated.

use super::{
    plan::Step,
    sleep::{get_up, lay_down},
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{Action, ScaleRequest, Scaling, Size},
    rules::scaling::Record,
};

/// Carries one step out. What it was before is recorded first, so that a process that is killed in between leaves a
/// record of what is still there.
pub(super) async fn carry_out(ctx: &Ctx, cluster: &Cluster, request: &ScaleRequest, step: &Step) -> Result<()> {
    let object = &step.change.object;
    let namespace = object.namespace.as_deref().unwrap_or_default();
    match (&request.scaling, step.change.from) {
        (Scaling::ToZero, Size::Replicas(from)) => lay_down(ctx, cluster, &step.workload, from).await?,
        (Scaling::Wake, _) => {}
        _ if step.change.from != step.change.to => record(ctx, cluster, step).await?,
        _ => {}
    }
    match (&step.patch, step.change.from, step.change.to) {
        (Some(patch), ..) => {
            cluster.patch(&step.resource, Some(namespace), &object.name, patch).await?;
        }
        (None, Size::Replicas(from), Size::Replicas(to)) if from != to => {
            cluster.set_scale(&step.resource, namespace, &object.name, (from, to), false).await?;
        }
        _ => {}
    }
    if request.scaling == Scaling::Wake {
        get_up(ctx, cluster, &step.workload).await?;
    }
    let action = if step.change.from == step.change.to { Action::Keep } else { Action::Change };
    ctx.emit(Event::Done { object: object.clone(), action });
    Ok(())
}

/// Asks the server whether it would take a step.
pub(super) async fn try_out(cluster: &Cluster, step: &Step) -> Result<()> {
    let object = &step.change.object;
    let namespace = object.namespace.as_deref().unwrap_or_default();
    match (step.change.from, step.change.to) {
        (Size::Replicas(from), Size::Replicas(to)) if from != to => {
            cluster.set_scale(&step.resource, namespace, &object.name, (from, to), true).await
        }
        _ => Ok(()),
    }
}

/// Without the right to write the object itself, only the way back is lost.
async fn record(ctx: &Ctx, cluster: &Cluster, step: &Step) -> Result<()> {
    let object = &step.change.object;
    let record = Record { from: step.change.from, to: step.change.to, at: ctx.clock.now().to_string() };
    let written = cluster.patch(&step.resource, object.namespace.as_deref(), &object.name, &record.patch()).await;
    match written {
        Err(error) if error.code() == 403 => {
            let error: Error = error;
            ctx.warn(format!("--undo will not know that {object} was at {}: {error}", step.change.from));
            Ok(())
        }
        written => written.map(|_| ()),
    }
}
