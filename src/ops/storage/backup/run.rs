//! Saves what a word means.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{
    super::choose::{Mounted, mounted},
    database,
    file::Writer,
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{API_VERSION, Backup, BackupMethod, BackupReport, BackupRequest},
    ops::container::complaint,
    rules::storage::TarScan,
};

/// How many bytes lie between two words about how far it is.
const TOLD: u64 = 16 << 20;

/// Saves the volumes that a word means, and a PostgreSQL in them as a dump. A file has its name only when it is whole and
/// was read again.
///
/// # Errors
/// Usage, when the word means nothing or a file exists; failed, when the tools in the pod fail.
pub async fn run(ctx: &Ctx, request: &BackupRequest) -> Result<BackupReport> {
    let cluster = ctx.cluster().await?;
    ctx.unless_cancelled("saving", save(ctx, &cluster, request)).await
}

async fn save(ctx: &Ctx, cluster: &Cluster, request: &BackupRequest) -> Result<BackupReport> {
    let found = mounted(ctx, cluster, &request.target, &request.what).await?;
    let mut report = BackupReport::default();
    let mut dumped = Vec::new();
    let several = found.len() > 1;
    for volume in &found {
        let created = ctx.clock.now();
        let database = volume.database().filter(|_| !request.files);
        if database.is_some() && dumped.contains(&volume.spot.pod) {
            continue;
        }
        let ending = if database.is_some() { "sql.gz" } else { "tar.gz" };
        let name = if database.is_some() { &volume.spot.pod } else { &volume.claim };
        let path = place(&ctx.environment.folder.join(&request.to), &request.to, name, ending, created, several)?;
        let mut writer = Writer::create(&path)?;
        ctx.phase("backup", format!("saving {name} to {}", path.display()));
        let backup = match &database {
            Some((server, spot)) => {
                dumped.push(volume.spot.pod.clone());
                let name = database::dump(ctx, cluster, spot, request.database.as_deref(), &mut writer).await?;
                Backup {
                    method: BackupMethod::Postgresql,
                    database: Some(name),
                    image: server.image.clone(),
                    ..described(volume, created)
                }
            }
            None => {
                if volume.database().is_some() {
                    report.notes.push(format!("{name} holds a database that runs: its files are not of one moment"));
                }
                let scan = archive(ctx, cluster, volume, &mut writer, &mut report.notes).await?;
                Backup { method: BackupMethod::Tar, files: Some(scan.files), ..described(volume, created) }
            }
        };
        let backup = writer.finish(backup)?;
        if request.verify {
            report.verified.push(match &database {
                Some((_, spot)) => database::prove(ctx, cluster, spot, &path, &backup).await?,
                None => super::restore::prove_files(ctx, cluster, volume, &path, &backup).await?,
            });
        }
        report.paths.push(path.display().to_string());
        report.backups.push(backup);
    }
    Ok(report)
}

fn described(volume: &Mounted, created: Timestamp) -> Backup {
    Backup {
        api_version: API_VERSION.into(),
        kind: "Backup".into(),
        created: created.to_string(),
        namespace: volume.spot.namespace.clone(),
        pod: volume.spot.pod.clone(),
        claim: Some(volume.claim.clone()),
        image: volume.image(),
        ..Backup::default()
    }
}

/// Where a backup is written: into a folder under a name with the time, or to the file that is named.
fn place(to: &Path, said: &str, name: &str, ending: &str, created: Timestamp, several: bool) -> Result<PathBuf> {
    if to.is_dir() || said.ends_with('/') {
        return Ok(to.join(format!("{name}-{}.{ending}", created.strftime("%Y%m%dT%H%M%SZ"))));
    }
    match several {
        true => Err(Error::usage(format!("several volumes are meant, and {said} is one file"))
            .hint("--to FOLDER/ makes a file for each")),
        false => Ok(to.to_owned()),
    }
}

/// Tells now and then how far it is.
pub(super) struct Meter<'c> {
    ctx: &'c Ctx,
    what: String,
    bytes: u64,
    told: u64,
}

impl<'c> Meter<'c> {
    pub fn new(ctx: &'c Ctx, what: impl Into<String>) -> Self {
        Self { ctx, what: what.into(), bytes: 0, told: 0 }
    }

    pub fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.bytes - self.told >= TOLD {
            self.told = self.bytes;
            self.ctx.emit(Event::Waiting { message: format!("{}: {} MiB", self.what, self.bytes >> 20) });
        }
    }
}

async fn archive(
    ctx: &Ctx,
    cluster: &Cluster,
    volume: &Mounted,
    writer: &mut Writer,
    notes: &mut Vec<String>,
) -> Result<TarScan> {
    let doing = format!("reading {} in pod/{}", volume.path, volume.spot.pod);
    let mut scan = TarScan::default();
    let mut meter = Meter::new(ctx, &volume.claim);
    let keep = |piece: &[u8]| {
        scan.feed(piece);
        meter.count(piece.len());
        writer.write(piece)
    };
    let (code, stderr) = volume.spot.read(cluster, &["tar", "-C", &volume.path, "-cf", "-", "."], keep).await?;
    let changed = code == 1 && stderr.lines().all(|line| line.contains("changed as we read it") || line.is_empty());
    if code != 0 && !changed {
        return Err(complaint(&doing, code, &stderr));
    }
    if changed {
        notes.push(format!("files of {} changed while they were read", volume.claim));
    }
    if !scan.is_whole() {
        return Err(Error::failed(format!("{doing}: the archive ended early")));
    }
    Ok(scan)
}
