//! Backups, what was restored, and what fills volumes.

use std::io::{self, Write};

use super::{Style, amount::size, table};
use crate::model::{BackupMethod, BackupReport, DiskUseReport, RestoreReport};

/// Draws what was saved, and where.
pub fn draw_backup(out: &mut dyn Write, style: &Style, report: &BackupReport) -> io::Result<()> {
    for (backup, path) in report.backups.iter().zip(&report.paths) {
        let what = match (&backup.method, &backup.database, &backup.claim) {
            (BackupMethod::Postgresql, Some(database), _) => format!("the database {database} of pod/{}", backup.pod),
            (_, _, claim) => {
                let claim = claim.as_deref().unwrap_or_default();
                format!("{} of claim/{claim}", files(backup.files.unwrap_or(0)))
            }
        };
        let sizes = format!("{}, {} compressed", size(backup.content_bytes), size(backup.bytes));
        writeln!(out, "{} ({sizes}): {path}", style.good(what))?;
        writeln!(out, "  sha256 {}", style.faint(&backup.sha256))?;
    }
    for proof in &report.verified {
        writeln!(out, "{} {proof}", style.good("verified:"))?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "{} {note}", style.faint("note:")))
}

fn files(count: u64) -> String {
    if count == 1 { "1 file".into() } else { format!("{count} files") }
}

/// Draws what was restored.
pub fn draw_restore(out: &mut dyn Write, style: &Style, report: &RestoreReport) -> io::Result<()> {
    writeln!(out, "{}", style.good(&report.done))?;
    report.notes.iter().try_for_each(|note| writeln!(out, "{} {note}", style.faint("note:")))
}

/// Draws the largest folders of each volume.
pub fn draw_disk_use(out: &mut dyn Write, style: &Style, report: &DiskUseReport) -> io::Result<()> {
    for (position, volume) in report.volumes.iter().enumerate() {
        if position > 0 {
            writeln!(out)?;
        }
        let name = style.strong(format!("claim/{}", volume.claim));
        writeln!(out, "{name}: {} in {} of pod/{}", size(volume.total), volume.path, volume.pod)?;
        let share = |bytes: u64| {
            let percent = (u128::from(bytes) * 100).checked_div(u128::from(volume.total)).unwrap_or(0);
            format!("{percent}%")
        };
        let row =
            |folder: &crate::model::FolderSize| vec![size(folder.bytes), share(folder.bytes), folder.path.clone()];
        table(out, style, &["SIZE", "SHARE", "FOLDER"], volume.folders.iter().map(row).collect())?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "{} {note}", style.faint("note:")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Backup, FolderSize, VolumeFolders};

    fn drawn(draw: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        draw(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_backup_names_its_file_and_checksum() {
        let backup = Backup {
            pod: "database-0".into(),
            database: Some("todo".into()),
            bytes: 1000,
            content_bytes: 4096,
            sha256: "ab12".into(),
            ..Backup::default()
        };
        let report = BackupReport {
            backups: vec![backup],
            paths: vec!["backups/database-0.sql.gz".into()],
            verified: vec!["todo was restored".into()],
            ..BackupReport::default()
        };
        assert_eq!(
            drawn(|out| draw_backup(out, &Style::default(), &report)),
            "the database todo of pod/database-0 (4Ki, 1000 compressed): backups/database-0.sql.gz\n  sha256 ab12\n\
             verified: todo was restored\n"
        );
    }

    #[test]
    fn folders_have_their_share() {
        let folder = FolderSize { path: "/data/log".into(), bytes: 3 << 20 };
        let volume = VolumeFolders {
            claim: "data".into(),
            pod: "db-0".into(),
            path: "/data".into(),
            total: 4 << 20,
            folders: vec![folder],
        };
        let report = DiskUseReport { volumes: vec![volume], ..DiskUseReport::default() };
        assert_eq!(
            drawn(|out| draw_disk_use(out, &Style::default(), &report)),
            "claim/data: 4Mi in /data of pod/db-0\nSIZE   SHARE   FOLDER\n3Mi    75%     /data/log\n"
        );
    }
}
