//! Everything is stopped, and brought back as it was.

use serde_json::{Value, json};

use super::plan::{Plan, autoscaler, replicas};
use crate::{
    cluster::{Cluster, Resource},
    context::Ctx,
    error::Result,
    ops::scope::Found,
    rules::scaling::{ASLEEP, Asleep, Autoscaler, PAUSED_REPLICAS, Tool},
};

/// The numbers at which a workload sleeps or wakes. What it was is kept at the object before anything is stopped.
impl Plan {
    pub async fn sleep(&mut self, ctx: &Ctx, cluster: &Cluster, workload: Found) -> Result<()> {
        let current = replicas(cluster, &workload).await?;
        match current {
            0 if Asleep::of(&workload.object).is_none() => {
                self.notes.push(format!("{} had no replicas, and will not be woken", workload.reference()));
                Ok(())
            }
            _ => self.replicas(ctx, cluster, workload, current, 0).await,
        }
    }

    pub async fn wake(&mut self, ctx: &Ctx, cluster: &Cluster, workload: Found) -> Result<()> {
        let Some(Asleep { replicas: Some(before), .. }) = Asleep::of(&workload.object) else {
            self.notes.push(format!("{} was not put to sleep", workload.reference()));
            return Ok(());
        };
        let current = replicas(cluster, &workload).await?;
        // Woken by hand, or by a run that was killed: the number stays.
        let to = if current == 0 { before } else { current };
        self.replicas(ctx, cluster, workload, current, to).await
    }
}

/// Keeps how a workload was, and holds KEDA still.
pub(super) async fn lay_down(ctx: &Ctx, cluster: &Cluster, workload: &Found, from: u32) -> Result<()> {
    let at = ctx.clock.now().to_string();
    if let (Some(keda), Some(resource)) = keda(ctx, cluster, workload).await?
        && Asleep::of(&keda.object).is_none()
    {
        let paused = keda.object["metadata"]["annotations"][PAUSED_REPLICAS].as_str().map(str::to_owned);
        let mut patch = Asleep { replicas: None, paused, at: at.clone() }.patch();
        patch["metadata"]["annotations"][PAUSED_REPLICAS] = "0".into();
        write(cluster, &resource, &keda.object, &patch).await?;
    }
    if from > 0 {
        let kept = Asleep { replicas: Some(from), paused: None, at };
        write(cluster, &workload.resource, &workload.object, &kept.patch()).await?;
    }
    Ok(())
}

/// Lets KEDA go on, and forgets how the workload was.
pub(super) async fn get_up(ctx: &Ctx, cluster: &Cluster, workload: &Found) -> Result<()> {
    if let (Some(keda), Some(resource)) = keda(ctx, cluster, workload).await?
        && let Some(asleep) = Asleep::of(&keda.object)
    {
        let patch = json!({"metadata": {"annotations": {ASLEEP: null, PAUSED_REPLICAS: asleep.paused}}});
        write(cluster, &resource, &keda.object, &patch).await?;
    }
    write(cluster, &workload.resource, &workload.object, &Asleep::forget()).await
}

async fn keda(ctx: &Ctx, cluster: &Cluster, workload: &Found) -> Result<(Option<Autoscaler>, Option<Resource>)> {
    let (autoscaler, resource) = autoscaler(ctx, cluster, workload).await?;
    Ok((autoscaler.filter(|found| found.tool == Tool::Keda), resource))
}

async fn write(cluster: &Cluster, resource: &Resource, object: &Value, patch: &Value) -> Result<()> {
    let reference = crate::model::ObjectRef::of(object);
    cluster.patch(resource, reference.namespace.as_deref(), &reference.name, patch).await.map(|_| ())
}
