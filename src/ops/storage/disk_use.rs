//! What fills volumes: `du` in the containers that mount them.

use super::choose::mounted;
use crate::{
    context::Ctx,
    error::{Error, Result},
    model::{DiskUseReport, DiskUseRequest, VolumeFolders},
    rules::{redact::Redactor, storage::folders},
};

/// The largest folders of the volumes that a word means.
///
/// # Errors
/// Usage, when the word means nothing; failed, when no volume could be looked into.
pub async fn run(ctx: &Ctx, request: &DiskUseRequest) -> Result<DiskUseReport> {
    let cluster = ctx.cluster().await?;
    let looking = async {
        let found = mounted(ctx, &cluster, &request.target, &request.what).await?;
        let mut report = DiskUseReport::default();
        for volume in &found {
            ctx.phase("du", format!("counting {} in pod/{}", volume.path, volume.spot.pod));
            let depth = request.depth.to_string();
            let answer = volume.spot.ask(&cluster, &["du", "-k", "-x", "-d", &depth, &volume.path]).await?;
            // What some folders refuse does not make the others wrong.
            let counted = folders(&answer.stdout, &volume.path, request.top);
            let Some((total, mut folders)) = counted else {
                let error = answer.succeeded(&format!("counting {}", volume.claim)).err();
                let why = error.map_or_else(|| "du said nothing".to_owned(), |error| error.message().to_owned());
                report.notes.push(format!("claim/{}: {why}", volume.claim));
                continue;
            };
            if !answer.stderr.trim().is_empty() {
                let lines = answer.stderr.lines().count();
                report.notes.push(format!("claim/{}: {lines} folders could not be counted", volume.claim));
            }
            let redactor = Redactor::default();
            folders.iter_mut().for_each(|folder| folder.path = redactor.line(&folder.path));
            report.volumes.push(VolumeFolders {
                claim: volume.claim.clone(),
                pod: volume.spot.pod.clone(),
                path: volume.path.clone(),
                total,
                folders,
            });
        }
        Ok(report)
    };
    let report = ctx.unless_cancelled("counting", looking).await?;
    match report.notes.first() {
        Some(why) if report.volumes.is_empty() => {
            Err(Error::failed(why.clone()).hint("du has to be in the image of the container"))
        }
        _ => Ok(report),
    }
}
