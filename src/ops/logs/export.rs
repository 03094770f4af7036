//! One file for each container, and an index.

use std::{
    collections::HashMap,
    fs::{self, File},
    future::Future,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{
    run::run,
    sink::{Lines, LogSink},
};
use crate::{
    context::Ctx,
    error::{Error, Result},
    model::{API_VERSION, LogExport, LogFile, LogSource, LogsRequest},
};

/// How many files are open at once.
const OPEN: usize = 64;

/// Writes each log into a file of its own below a folder, `NAMESPACE/POD/CONTAINER.log`, and `index.json` last.
///
/// # Errors
/// As [`run`]; failed, when a file is there already or cannot be written.
pub async fn export(ctx: &Ctx, request: &LogsRequest, folder: &Path) -> Result<LogExport> {
    let cannot =
        |path: &Path, cause: io::Error| Error::failed(format!("{} cannot be written", path.display())).because(cause);
    let index = folder.join("index.json");
    if index.exists() {
        return Err(Error::usage(format!("{} holds an export already", folder.display()))
            .hint("name another folder, or remove it"));
    }
    fs::create_dir_all(folder).map_err(|cause| cannot(folder, cause))?;
    let request = LogsRequest { follow: false, sort: false, timeline: false, ..request.clone() };
    let sink = Files { folder: folder.to_owned(), shown: request.timestamps, ..Files::default() };
    ctx.phase("export", format!("writing logs to {}", folder.display()));
    let (read, files) = run(ctx, &request, sink).await?;
    let report = files.finish(folder, read.failed).map_err(|cause| cannot(folder, cause))?;
    if read.interrupted {
        return Err(Error::interrupted("interrupted while writing logs: there is no index"));
    }
    let mut value = serde_json::to_value(&report).unwrap_or_default();
    value["apiVersion"] = API_VERSION.into();
    value["kind"] = "LogExport".into();
    let text = serde_json::to_string_pretty(&value).unwrap_or_default() + "\n";
    fs::write(&index, text).map_err(|cause| cannot(&index, cause))?;
    Ok(report)
}

/// The files of an export.
#[derive(Default)]
struct Files {
    folder: PathBuf,
    /// Whether lines keep their times.
    shown: bool,
    open: HashMap<usize, BufWriter<File>>,
    /// By the number of the source.
    written: HashMap<usize, LogFile>,
    failure: Option<io::Error>,
}

impl LogSink for Files {
    fn put(&mut self, source: &LogSource, lines: Lines<'_>) {
        if self.failure.is_none()
            && let Err(error) = self.write(source, lines)
        {
            self.failure = Some(error);
        }
    }

    fn is_full(&self) -> bool {
        false
    }

    fn flush(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        std::future::ready(self.failure.take().map_or(Ok(()), Err))
    }
}

impl Files {
    fn write(&mut self, source: &LogSource, lines: Lines<'_>) -> io::Result<()> {
        if !self.open.contains_key(&source.number) {
            self.begin(source)?;
        }
        let (Some(file), Some(known)) = (self.open.get_mut(&source.number), self.written.get_mut(&source.number))
        else {
            return Ok(());
        };
        known.lines += memchr::memchr_iter(b'\n', lines.bytes).count() as u64;
        if self.shown || !lines.stamped || !lines.begins {
            known.bytes += lines.bytes.len() as u64;
            return file.write_all(lines.bytes);
        }
        for line in lines.bytes.split_inclusive(|letter| *letter == b'\n') {
            let text = crate::rules::logs::split(line).map_or(line, |(_, text)| text);
            known.bytes += text.len() as u64;
            file.write_all(text)?;
        }
        Ok(())
    }

    /// Opens the file of a source, anew or to go on with it.
    fn begin(&mut self, source: &LogSource) -> io::Result<()> {
        if self.open.len() >= OPEN
            && let Some(number) = self.open.keys().next().copied()
            && let Some(mut file) = self.open.remove(&number)
        {
            file.flush()?;
        }
        let name = name(source);
        let path = self.folder.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let known = self.written.contains_key(&source.number);
        let file = match known {
            true => File::options().append(true).open(&path)?,
            false => File::create_new(&path)?,
        };
        self.open.insert(source.number, BufWriter::with_capacity(32 * 1024, file));
        self.written.entry(source.number).or_insert_with(|| LogFile {
            file: name,
            source: source.clone(),
            ..LogFile::default()
        });
        Ok(())
    }

    fn finish(mut self, folder: &Path, failed: Vec<String>) -> io::Result<LogExport> {
        for file in self.open.values_mut() {
            file.flush()?;
        }
        let mut files: Vec<LogFile> = self.written.into_values().collect();
        files.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(LogExport { folder: folder.display().to_string(), files, failed })
    }
}

/// Names of Kubernetes hold no slashes; what a server says otherwise stays within the folder all the same.
fn name(source: &LogSource) -> String {
    let part = |text: &str| {
        let plain: String =
            text.chars().map(|letter| if matches!(letter, '/' | '\\' | ':') { '_' } else { letter }).collect();
        if plain.starts_with('.') { format!("_{plain}") } else { plain }
    };
    let previous = if source.previous { ".previous" } else { "" };
    format!("{}/{}/{}{previous}.log", part(&source.namespace), part(&source.pod), part(&source.container))
}
