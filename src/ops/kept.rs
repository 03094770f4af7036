//! What is kept on this machine between runs: private folders, whole files, and one process at a time.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::Path,
};

/// Held by the process that works with what is kept; the system frees it when that ends, however it ends.
pub(super) struct Held(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// Takes the lock in this file for this process; None when another has it.
pub(super) fn hold(file: &Path) -> io::Result<Option<Held>> {
    let file = File::options().create(true).truncate(false).write(true).open(file)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Held(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

/// A folder for its owner alone.
pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file for its owner alone, so that whoever reads it later finds the old text or the new, and after a crash
/// of the machine too.
pub(super) fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text)?;
    new.as_file().sync_all()?;
    new.persist(file).map(drop).map_err(|error| error.error)
}
