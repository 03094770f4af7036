//! `kubectl evolve storage backup`, `restore` and `du`

use clap::Args;

use crate::{
    cli::{
        Session,
        output::{Format, draw_backup, draw_disk_use, draw_restore},
    },
    error::Result,
    exit,
    model::{BackupRequest, DiskUseRequest, RestoreRequest},
    ops,
};

/// Save volumes, and a PostgreSQL in them as a dump, into files with checksums
///
/// A PostgreSQL is dumped by its own pg_dump, of one moment, while it runs; other volumes become an archive of their files.
/// The data streams through this machine, compressed. A file has its name only when it is whole and was read again; the
/// manifest beside it holds its checksums.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// A claim, or a workload or pod that mounts claims
    #[arg(value_name = "NAME|CLAIM", id = "claims")]
    what: String,
    /// A folder (a file for each volume, with its name and the time), or a file
    #[arg(long, value_name = "FILE")]
    to: String,
    /// Save the files of the volume, also of a database that runs
    #[arg(long, conflicts_with = "database")]
    files: bool,
    /// The database to dump [default: the one of the container's environment]
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Restore it into a scratch database or a scratch volume, as a proof
    #[arg(long)]
    verify: bool,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Bring a backup back
///
/// The checksums are checked first. A database that has tables, and a volume that has files, are touched with --overwrite
/// only; the database that was there is then kept under another name.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The file of a backup; its manifest is beside it
    #[arg(value_name = "FILE")]
    file: String,
    /// The claim, workload or pod to restore into [default: where the backup is from]
    #[arg(value_name = "NAME|CLAIM", id = "claims")]
    to: Option<String>,
    /// Take the place of what is there
    #[arg(long, conflicts_with = "verify")]
    overwrite: bool,
    /// Only into a scratch database or a scratch volume, as a proof
    #[arg(long)]
    verify: bool,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Show what fills a volume
#[derive(Debug, Args)]
pub struct DiskUseArguments {
    /// A claim, or a workload or pod that mounts claims
    #[arg(value_name = "NAME|CLAIM", id = "claims")]
    what: String,
    /// How many folders deep
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    depth: u32,
    /// How many folders of each volume
    #[arg(long, value_name = "NUMBER", default_value_t = 15)]
    top: usize,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn backup(arguments: BackupArguments, session: &mut Session) -> Result<u8> {
    let request = BackupRequest {
        target: session.target(),
        what: arguments.what,
        to: arguments.to,
        files: arguments.files,
        database: arguments.database,
        verify: arguments.verify,
    };
    let report = ops::storage::backup(&session.ctx, &request).await?;
    session.report("BackupReport", &report, arguments.output, |out, style| draw_backup(out, style, &report))?;
    Ok(exit::DONE)
}

pub async fn restore(arguments: RestoreArguments, session: &mut Session) -> Result<u8> {
    let request = RestoreRequest {
        target: session.target(),
        file: arguments.file,
        to: arguments.to,
        overwrite: arguments.overwrite,
        verify: arguments.verify,
    };
    let report = ops::storage::restore(&session.ctx, &request).await?;
    session.report("RestoreReport", &report, arguments.output, |out, style| draw_restore(out, style, &report))?;
    Ok(exit::DONE)
}

pub async fn disk_use(arguments: DiskUseArguments, session: &mut Session) -> Result<u8> {
    let request =
        DiskUseRequest { target: session.target(), what: arguments.what, depth: arguments.depth, top: arguments.top };
    let report = ops::storage::disk_use(&session.ctx, &request).await?;
    session.report("DiskUseReport", &report, arguments.output, |out, style| draw_disk_use(out, style, &report))?;
    Ok(exit::DONE)
}
