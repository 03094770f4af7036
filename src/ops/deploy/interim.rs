//! Waits for health by asking again, until `ops/wait` watches.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    cluster::Cluster,
    context::Ctx,
    error::Result,
    model::{Evidence, ObjectHealth, ObjectRef, Status},
    rules::readiness::health,
};

pub(super) async fn wait(
    ctx: &Ctx,
    cluster: &Cluster,
    objects: Vec<ObjectRef>,
    timeout: Duration,
) -> Result<(Vec<ObjectHealth>, Vec<Evidence>)> {
    let deadline = Instant::now() + timeout;
    let mut report = Vec::new();
    for object in objects {
        if ["ConfigMap", "Secret", "Namespace"].contains(&object.kind.as_str()) {
            continue;
        }
        let Some(resource) = cluster.resource(&object.api_version, &object.kind).await? else { continue };
        loop {
            let step = cluster.get(&resource, object.namespace.as_deref(), &object.name);
            let live = ctx.unless_cancelled("waiting", step).await?.unwrap_or_default();
            let health = health(&live);
            match health.status {
                Status::Current => {
                    report.push(ObjectHealth { object, health });
                    break;
                }
                Status::InProgress if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(300)).await,
                _ => {
                    let evidence = Evidence {
                        object,
                        reason: health.reason.clone(),
                        summary: health.message.clone(),
                        ..Evidence::default()
                    };
                    return Ok((report, vec![evidence]));
                }
            }
        }
    }
    Ok((report, Vec::new()))
}
