//! A backup's file and the manifest beside it. Neither has its name before it is whole.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::{
    error::{Error, Result},
    model::Backup,
};

const PIECE: usize = 64 << 10;

/// Hashes and counts what is written through it.
struct Counted<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(piece)?;
        self.hash.update(&piece[..length]);
        self.bytes += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A backup that is being written.
pub(super) struct Writer {
    path: PathBuf,
    encoder: GzEncoder<Counted<NamedTempFile>>,
    content: Sha256,
    content_bytes: u64,
}

impl Writer {
    /// # Errors
    /// Usage, when the file exists; failed, when none can be made there.
    pub fn create(path: &Path) -> Result<Self> {
        if path.exists() {
            return Err(Error::usage(format!("{} exists already, and backups are not overwritten", path.display())));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = fs::create_dir_all(folder).and_then(|()| {
            // Only its owner reads it: it holds the application's data.
            tempfile::Builder::new().prefix(".evolve-").suffix(".partial").tempfile_in(folder)
        });
        let file = file.map_err(|cause| cannot("written", path, cause))?;
        let counted = Counted { inner: file, hash: Sha256::new(), bytes: 0 };
        let encoder = GzEncoder::new(counted, Compression::default());
        Ok(Self { path: path.to_owned(), encoder, content: Sha256::new(), content_bytes: 0 })
    }

    pub fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.content.update(piece);
        self.content_bytes += piece.len() as u64;
        self.encoder.write_all(piece).map_err(|cause| cannot("written", &self.path, cause))
    }

    /// Ends the file, reads it again to see that it holds what was written, and gives it its name; the manifest follows.
    pub fn finish(self, mut backup: Backup) -> Result<Backup> {
        let Self { path, encoder, content, content_bytes } = self;
        let failed = |cause| cannot("written", &path, cause);
        let counted = encoder.finish().map_err(failed)?;
        let (file, bytes, sha256) = (counted.inner, counted.bytes, hex(counted.hash));
        file.as_file().sync_all().map_err(failed)?;
        let content_sha256 = hex(content);
        backup.file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        backup = Backup { bytes, sha256, content_bytes, content_sha256, ..backup };
        verify(file.path(), &backup)?;
        let text = serde_json::to_vec_pretty(&backup)
            .map_err(|cause| Error::failed("a manifest cannot be written").because(cause))?;
        file.persist_noclobber(&path).map_err(|refused| failed(refused.error))?;
        write_whole(&manifest(&path), &text).map_err(failed)?;
        Ok(backup)
    }
}

/// Writes a file that appears whole or not at all.
fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|refused| refused.error)
}

/// The manifest of a backup's file.
pub(super) fn manifest(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".manifest.json");
    PathBuf::from(name)
}

/// Reads the manifest beside a file.
///
/// # Errors
/// Usage, when there is none: the file is not a whole backup.
pub(super) fn read_manifest(path: &Path) -> Result<Backup> {
    let manifest = manifest(path);
    let text = fs::read(&manifest).map_err(|cause| {
        Error::usage(format!("{} has no manifest {}", path.display(), manifest.display()))
            .because(cause)
            .hint("a backup without its manifest is not known to be whole, and is not restored")
    })?;
    serde_json::from_slice(&text)
        .map_err(|cause| Error::usage(format!("{} is no manifest of a backup", manifest.display())).because(cause))
}

/// Holds a file to its manifest: its bytes, and what is in it.
///
/// # Errors
/// Failed, when it is not what was written.
pub(super) fn verify(path: &Path, backup: &Backup) -> Result<()> {
    let mut content = Content::open(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    while let Some(piece) = content.next()? {
        hash.update(&piece);
        bytes += piece.len() as u64;
    }
    let (file_hash, file_bytes) = content.ended()?;
    let same = (file_bytes, file_hash.as_str()) == (backup.bytes, backup.sha256.as_str());
    if same && (bytes, hex(hash)) == (backup.content_bytes, backup.content_sha256.clone()) {
        return Ok(());
    }
    Err(Error::failed(format!("{} is not what its manifest says: its checksum differs", path.display()))
        .hint("it was changed or damaged after it was written; use another backup"))
}

/// What is in a backup's file, piece by piece.
pub(super) struct Content {
    path: PathBuf,
    decoder: GzDecoder<BufReader<Hashed>>,
}

struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.hash.update(&buffer[..length]);
        self.bytes += length as u64;
        Ok(length)
    }
}

impl Content {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|cause| cannot("read", path, cause))?;
        let hashed = Hashed { file, hash: Sha256::new(), bytes: 0 };
        Ok(Self { path: path.to_owned(), decoder: GzDecoder::new(BufReader::with_capacity(PIECE, hashed)) })
    }

    /// The next piece; None at the end.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut piece = vec![0; PIECE];
        let length = self.decoder.read(&mut piece).map_err(|cause| cannot("read", &self.path, cause))?;
        piece.truncate(length);
        Ok((length > 0).then_some(piece))
    }

    /// The checksum and the length of the file, read to its end.
    fn ended(self) -> Result<(String, u64)> {
        let mut rest = self.decoder.into_inner();
        io::copy(&mut rest, &mut io::sink()).map_err(|cause| cannot("read", &self.path, cause))?;
        let hashed = rest.into_inner();
        Ok((hex(hashed.hash), hashed.bytes))
    }
}

fn cannot(what: &str, path: &Path, cause: io::Error) -> Error {
    Error::failed(format!("{} cannot be {what}", path.display())).because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path) -> (PathBuf, Backup) {
        let path = folder.join("data.tar.gz");
        let mut writer = Writer::create(&path).unwrap();
        (0..200).for_each(|number| writer.write(format!("line {number}\n").repeat(100).as_bytes()).unwrap());
        assert!(!path.exists(), "a file that is not whole has its name");
        let backup = writer.finish(Backup::default()).unwrap();
        (path, backup)
    }

    #[test]
    fn a_backup_is_read_as_it_was_written_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (path, backup) = written(folder.path());
        assert_eq!(read_manifest(&path).unwrap(), backup);
        verify(&path, &backup).unwrap();
        assert!(Writer::create(&path).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_changed_a_cut_and_an_abandoned_file_are_no_backups() {
        let folder = tempfile::tempdir().unwrap();
        let (path, backup) = written(folder.path());
        let bytes = fs::read(&path).unwrap();
        for end in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..end]).unwrap();
            assert!(verify(&path, &backup).is_err(), "{end}");
        }
        fs::write(&path, [bytes.as_slice(), b"more"].concat()).unwrap();
        assert!(verify(&path, &backup).is_err());
        let other = folder.path().join("other.tar.gz");
        let mut writer = Writer::create(&other).unwrap();
        writer.write(b"half").unwrap();
        drop(writer);
        assert!(!other.exists() && read_manifest(&other).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
