//! The file of a named sandbox: a line for each change, so that a process that is killed loses nothing it has written.
//!
//! A line is a header in JSON, a tab, and the object as it is at rest; nothing follows the tab of a deleted one. Compact
//! JSON holds neither tabs nor line ends. At each start the lines that were overtaken are dropped.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::private::private_file;
use super::store::{Change, ChangeKind, Restored, Subscription, Table};

/// One change: the object after it, or None where it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    header: Header,
    object: Option<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    revision: u64,
    group: String,
    plural: String,
    key: String,
}

/// What a file holds: the newest revision, and the objects as they were.
pub(super) struct Kept {
    pub revision: u64,
    pub objects: Vec<Restored>,
}

/// Writes changes.
pub(super) struct Journal {
    file: BufWriter<File>,
}

impl Journal {
    /// Reads what is kept, in the order of the revisions, and goes on writing behind it.
    ///
    /// # Errors
    /// A file that cannot be read or written, and one that is no journal. A last line that was not written whole is no
    /// error: its change was never confirmed.
    pub fn open(path: &Path) -> io::Result<(Self, Kept)> {
        let kept = match File::open(path) {
            Ok(file) => read(BufReader::new(file))?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(cause) => return Err(cause),
        };
        let fresh = beside(path);
        let mut journal = Self { file: BufWriter::new(private_file(&fresh)?) };
        for line in &kept {
            journal.put(line)?;
        }
        journal.file.flush()?;
        fs::rename(&fresh, path)?;
        let revision = kept.iter().map(|line| line.header.revision).max().unwrap_or_default();
        let object = |Line { header: Header { group, plural, key, .. }, object }| {
            Some(Restored { group, plural, key, bytes: object? })
        };
        Ok((journal, Kept { revision, objects: kept.into_iter().filter_map(object).collect() }))
    }

    /// Writes every change of a store until `end`, and then those that are left.
    ///
    /// # Errors
    /// The file cannot be written, or the store has forgotten changes before they were.
    pub async fn follow(mut self, mut changes: Subscription, end: CancellationToken) -> io::Result<()> {
        loop {
            let found = tokio::select! {
                biased;
                found = changes.next() => found,
                () = end.cancelled() => {
                    self.write(&changes.take().map_err(|_| forgotten())?)?;
                    return Ok(());
                }
            };
            self.write(&found.map_err(|_| forgotten())?)?;
        }
    }

    /// Hands changes to the system, which keeps them when this process is killed.
    fn write(&mut self, changes: &[Arc<Change>]) -> io::Result<()> {
        for change in changes {
            let Table { group, plural } = &*change.table;
            let header = Header {
                revision: change.revision,
                group: group.clone(),
                plural: plural.clone(),
                key: change.key.to_string(),
            };
            let object = (change.kind != ChangeKind::Deleted).then(|| change.bytes.clone());
            self.put(&Line { header, object })?;
        }
        self.file.flush()
    }

    fn put(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, &line.header)?;
        self.file.write_all(b"\t")?;
        self.file.write_all(line.object.as_deref().unwrap_or_default())?;
        self.file.write_all(b"\n")
    }
}

fn forgotten() -> io::Error {
    io::Error::other("objects change faster than they can be written to the sandbox's file")
}

/// The last change of each object, in the order of the revisions. Of those that are gone the newest is kept too, because
/// its revision is the newest of all.
fn read(mut lines: impl BufRead) -> io::Result<Vec<Line>> {
    let mut newest: BTreeMap<(String, String, String), Line> = BTreeMap::new();
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        lines.read_until(b'\n', &mut text)?;
        if text.pop() != Some(b'\n') {
            break;
        }
        let line = parse(&text).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {number} is not one of a sandbox's file"))
        })?;
        let Header { group, plural, key, .. } = line.header.clone();
        newest.insert((group, plural, key), line);
    }
    let last = newest.values().map(|line| line.header.revision).max();
    let mut kept: Vec<Line> =
        newest.into_values().filter(|line| line.object.is_some() || Some(line.header.revision) == last).collect();
    kept.sort_by_key(|line| line.header.revision);
    Ok(kept)
}

fn parse(line: &[u8]) -> Option<Line> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (header, object) = (line.get(..tab)?, line.get(tab + 1..)?);
    let object = (!object.is_empty()).then(|| Bytes::copy_from_slice(object));
    Some(Line { header: serde_json::from_slice(header).ok()?, object })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(revision: u64, name: &str, object: Option<&'static str>) -> Line {
        let header =
            Header { revision, group: String::new(), plural: "configmaps".into(), key: format!("default/{name}") };
        Line { header, object: object.map(|text| Bytes::from_static(text.as_bytes())) }
    }

    #[test]
    fn what_was_overtaken_is_dropped_and_a_torn_line_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("objects.jsonl");
        let (mut journal, kept) = Journal::open(&path).unwrap();
        assert_eq!((kept.revision, kept.objects.len()), (0, 0));
        let text = r#"{"a":"x\ty\n"}"#;
        for line in [line(1, "a", Some("{}")), line(2, "b", Some("{}")), line(3, "a", Some(text)), line(5, "b", None)] {
            journal.put(&line).unwrap();
        }
        journal.file.flush().unwrap();
        let mut torn = File::options().append(true).open(&path).unwrap();
        torn.write_all(br#"{"revision":6,"group":"#).unwrap();
        let (_, kept) = Journal::open(&path).unwrap();
        assert_eq!(kept.revision, 5);
        let [object] = kept.objects.as_slice() else { panic!("{:?}", kept.objects) };
        assert_eq!((object.key.as_str(), &object.bytes[..]), ("default/a", text.as_bytes()));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn another_file_is_refused_and_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("objects.jsonl");
        fs::write(&path, "something else\n").unwrap();
        let error = Journal::open(&path).err().unwrap();
        assert!(error.to_string().contains("line 1"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "something else\n");
    }
}
