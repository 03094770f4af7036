//! What was counted before, kept between runs, so that a single look can say when a volume will be full.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::PathBuf,
};

use jiff::Timestamp;

use crate::{
    cluster::Cluster,
    context::Ctx,
    model::StorageItem,
    rules::storage::{Sample, forecast, keep},
};

/// What was not counted for so long is forgotten.
const FORGET: i64 = 60 * 86_400;

/// The samples of a cluster's volumes.
pub(super) struct Samples {
    /// None where the system names no place for state.
    file: Option<PathBuf>,
    known: BTreeMap<String, Vec<Sample>>,
}

impl Samples {
    /// Reads what is kept. What cannot be read counts as nothing: it is a memory, no record.
    pub fn open(ctx: &Ctx, cluster: &Cluster) -> Self {
        let mut hasher = DefaultHasher::new();
        cluster.server().hash(&mut hasher);
        let name = format!("storage-{:016x}.json", hasher.finish());
        let file = ctx.environment.state.as_ref().map(|folder| folder.join(name));
        let text = file.as_ref().and_then(|file| fs::read(file).ok()).unwrap_or_default();
        Self { file, known: serde_json::from_slice(&text).unwrap_or_default() }
    }

    /// Remembers how full a volume is, and says when it will be full.
    pub fn forecast(&mut self, item: &mut StorageItem) {
        let (Some(usage), Some(namespace), Some(claim)) = (&item.usage, &item.namespace, &item.claim) else { return };
        let Ok(time) = usage.time.parse::<Timestamp>() else { return };
        let volume = item.volume.as_deref().unwrap_or_default();
        let samples = self.known.entry(format!("{namespace}/{claim}/{volume}")).or_default();
        keep(samples, Sample { time: time.as_second(), used: usage.used, size: usage.size });
        item.forecast = forecast(samples, usage.free);
    }

    /// Writes the samples; says why when that is not possible.
    pub fn store(mut self, now: Timestamp) -> Option<String> {
        let oldest = now.as_second() - FORGET;
        self.known.retain(|_, samples| samples.last().is_some_and(|last| last.time >= oldest));
        let file = self.file.filter(|_| !self.known.is_empty())?;
        let write = || {
            let folder = file.parent().unwrap_or(&file);
            fs::create_dir_all(folder)?;
            // Another run must never read half a file.
            let mut new = tempfile::NamedTempFile::new_in(folder)?;
            new.write_all(&serde_json::to_vec(&self.known)?)?;
            new.persist(&file).map_err(|failed| failed.error)
        };
        let written: std::io::Result<_> = write();
        written.err().map(|cause| format!("for the next forecast, {} could not be written: {cause}", file.display()))
    }
}
