//! Brings a backup back, without losing what is there.

use std::path::Path;

use super::{
    super::choose::{Mounted, mounted},
    database,
    file::{Content, read_manifest, verify},
    run::Meter,
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::{Backup, BackupMethod, RestoreReport, RestoreRequest, Target},
};

/// Restores a backup. A database that has tables and a volume that has files are touched with consent only; a database is
/// then kept under another name.
///
/// # Errors
/// Usage, without consent; failed, when the file is not what its manifest says, or the tools in the pod fail.
pub async fn run(ctx: &Ctx, request: &RestoreRequest) -> Result<RestoreReport> {
    let path = ctx.environment.folder.join(&request.file);
    let backup = read_manifest(&path)?;
    ctx.phase("check", format!("checking {}", path.display()));
    verify(&path, &backup)?;
    let cluster = ctx.cluster().await?;
    let target = match &request.target.namespace {
        Some(_) => request.target.clone(),
        None => Target { namespace: Some(backup.namespace.clone()), ..request.target.clone() },
    };
    let word = request.to.clone().unwrap_or_else(|| match (&backup.method, &backup.claim) {
        (BackupMethod::Tar, Some(claim)) => format!("claim/{claim}"),
        _ => format!("pod/{}", backup.pod),
    });
    let looking = mounted(ctx, &cluster, &target, &word);
    let found = ctx.unless_cancelled("looking for the place", looking).await?;
    let Some(place) = found.first() else { return Err(Error::failed(format!("nothing mounts {word}"))) };
    let report = RestoreReport {
        namespace: place.spot.namespace.clone(),
        pod: place.spot.pod.clone(),
        backup: backup.clone(),
        ..RestoreReport::default()
    };
    let restoring = async {
        match backup.method {
            BackupMethod::Postgresql => of_database(ctx, &cluster, request, place, &path, report).await,
            BackupMethod::Tar => of_files(ctx, &cluster, request, place, &path, report).await,
        }
    };
    ctx.unless_cancelled("restoring", restoring).await
}

async fn of_database(
    ctx: &Ctx,
    cluster: &Cluster,
    request: &RestoreRequest,
    place: &Mounted,
    path: &Path,
    mut report: RestoreReport,
) -> Result<RestoreReport> {
    let (_, spot) = place
        .database()
        .ok_or_else(|| Error::usage(format!("pod/{} has no PostgreSQL to restore into", place.spot.pod)))?;
    if request.verify {
        report.done = database::prove(ctx, cluster, &spot, path, &report.backup).await?;
        return Ok(report);
    }
    // The environment of this container says which database is its application's.
    let name = match report.backup.namespace == spot.namespace && report.backup.pod == spot.pod {
        true => report.backup.database.clone().unwrap_or_default(),
        false => database::query(cluster, &spot, "", "select current_database()").await?,
    };
    let name = database::checked(&name)?.to_owned();
    let tables = database::tables(cluster, &spot, &name).await?;
    if tables == 0 {
        ctx.phase("restore", format!("restoring into {name} in pod/{}", spot.pod));
        database::load(ctx, cluster, &spot, &name, path).await?;
        report.done = format!("{name} in pod/{} was restored", spot.pod);
        return Ok(report);
    }
    if !request.overwrite {
        return Err(Error::usage(format!("{name} in pod/{} has {tables} tables already", spot.pod))
            .hint(
                "--overwrite puts the restored database in its place; the one that is there is kept under another name",
            )
            .hint("--verify restores into a scratch database only"));
    }
    let stamp = ctx.clock.now().strftime("%Y%m%d%H%M%S").to_string();
    let short: String = name.chars().take(30).collect();
    let (fresh, kept) = (format!("{short}_restored_{stamp}"), format!("{short}_before_{stamp}"));
    ctx.phase("restore", format!("restoring into {fresh}, which then takes the place of {name}"));
    database::create(cluster, &spot, &fresh).await?;
    if let Err(error) = database::load(ctx, cluster, &spot, &fresh, path).await {
        let _ = database::query(cluster, &spot, "postgres", &format!("drop database if exists \"{fresh}\"")).await;
        return Err(error.hint(format!("{name} is as it was")));
    }
    database::swap(cluster, &spot, &name, &fresh, &kept).await?;
    report.done = format!("{name} in pod/{} was restored", spot.pod);
    report.notes.push(format!("what was there is the database {kept} now; drop it when it is not needed"));
    report.kept = Some(kept);
    Ok(report)
}

async fn of_files(
    ctx: &Ctx,
    cluster: &Cluster,
    request: &RestoreRequest,
    place: &Mounted,
    path: &Path,
    mut report: RestoreReport,
) -> Result<RestoreReport> {
    if request.verify {
        report.done = prove_files(ctx, cluster, place, path, &report.backup).await?;
        return Ok(report);
    }
    let listed = place.spot.ask(cluster, &["ls", "-A", &place.path]).await?;
    let listed = listed.succeeded(&format!("looking into {} of pod/{}", place.path, place.spot.pod))?;
    let there = listed.lines().filter(|name| !matches!(*name, "" | "lost+found")).count();
    if there > 0 && !request.overwrite {
        return Err(Error::usage(format!("claim/{} has {there} files and folders already", place.claim))
            .hint("--overwrite writes the files of the backup over them; files that only the volume has stay")
            .hint("stop what uses the volume first: it would see files change under it"));
    }
    ctx.phase("restore", format!("restoring into claim/{}", place.claim));
    unpack(ctx, cluster, place, &place.path, path).await?;
    let files = report.backup.files.unwrap_or(0);
    report.done = format!("{files} files were restored into claim/{}", place.claim);
    Ok(report)
}

async fn unpack(ctx: &Ctx, cluster: &Cluster, place: &Mounted, folder: &str, path: &Path) -> Result<()> {
    let mut content = Content::open(path)?;
    let mut meter = Meter::new(ctx, format!("restoring {}", place.claim));
    let next = || {
        let piece = content.next()?;
        meter.count(piece.as_ref().map_or(0, Vec::len));
        Ok(piece)
    };
    let answer = place.spot.write(cluster, &["tar", "-C", folder, "-xf", "-"], next).await?;
    answer.succeeded(&format!("unpacking into {folder} of pod/{}", place.spot.pod)).map(drop)
}

/// Unpacks an archive in a scratch volume beside the pod, counts its files, and removes it again.
pub(super) async fn prove_files(
    ctx: &Ctx,
    cluster: &Cluster,
    place: &Mounted,
    path: &Path,
    backup: &Backup,
) -> Result<String> {
    let scratch = super::scratch::Scratch::make(ctx, cluster, place, backup).await?;
    let proven = async {
        unpack(ctx, cluster, &scratch.mounted, &scratch.mounted.path, path).await?;
        let counted = scratch.mounted.spot.ask(cluster, &["find", &scratch.mounted.path, "-type", "f"]).await?;
        let files = counted.succeeded("counting the restored files")?.lines().count() as u64;
        let wanted = backup.files.unwrap_or(0);
        match files == wanted {
            true => Ok(format!("{} was restored into a scratch volume: {files} files", place.claim)),
            false => Err(Error::failed(format!("of {wanted} files, {files} came out of the archive"))),
        }
    };
    let proven = proven.await;
    let removed = scratch.remove(cluster).await;
    proven.and_then(|words| removed.map(|()| words))
}
