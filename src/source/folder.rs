//! The manifests below a folder.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::read::Input;
use crate::error::{Error, Result};

const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const CONFIGURATIONS: [&str; 2] = ["evolve.yaml", "evolve.yml"];
/// The folders that are looked for when nothing is named.
const USUAL: [&str; 3] = ["manifests", "k8s", "deploy"];

/// What to deploy in a folder (relative to `base`) where the user named nothing: its kustomization, else its
/// `manifests/`, `k8s/` or `deploy/`. None when it has none of them.
pub fn discover(base: &Path, folder: &Path) -> Option<Vec<Input>> {
    if is_kustomization(&base.join(folder)) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        return Some(vec![Input::Kustomize(folder.into())]);
    }
    let found = USUAL.iter().map(|name| folder.join(name)).find(|path| base.join(path).is_dir())?;
    Some(vec![Input::File(found)])
}

/// Whether `kubectl kustomize` takes this folder.
pub(super) fn is_kustomization(folder: &Path) -> bool {
    KUSTOMIZATIONS.iter().any(|name| folder.join(name).is_file())
}

/// Refuses a file that tells kustomize what to build, and is no manifest itself.
pub(super) fn refuse_kustomization(file: &Path) -> Result<()> {
    if !file.file_name().is_some_and(|name| KUSTOMIZATIONS.iter().any(|known| name == *known)) {
        return Ok(());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Err(Error::usage(format!("{} is a kustomization, not a manifest", file.display()))
        .hint(format!("build it: -k {}", folder.display())))
}

/// The manifests below `folder` in the order of their names, folders after the files beside them.
///
/// # Errors
/// A usage error for a folder that cannot be read, or that is not a set of manifests (a chart, a kustomization).
pub(super) fn manifests(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut walk = Walk::default();
    walk.folder(folder)?;
    Ok(walk.found)
}

#[derive(Default)]
struct Walk {
    found: Vec<PathBuf>,
    /// The folders seen, links resolved: a link may lead back up.
    seen: HashSet<PathBuf>,
}

impl Walk {
    fn folder(&mut self, folder: &Path) -> Result<()> {
        if !self.seen.insert(folder.canonicalize().map_err(|error| unreadable(folder, error))?) {
            return Ok(());
        }
        if folder.join("Chart.yaml").is_file() {
            return Err(Error::usage(format!("{} is a Helm chart, whose files are templates", folder.display()))
                .hint(format!("render it: helm template NAME {} | kubectl evolve deploy -f -", folder.display())));
        }
        if self.seen.len() > 1 && is_kustomization(folder) {
            return Err(Error::usage(format!("{} is a kustomization inside the folder", folder.display()))
                .hint(format!("name the one that is wanted: -k {}", folder.display())));
        }
        let mut folders = Vec::new();
        for path in entries(folder)? {
            // A link to nothing, as editors leave them, is neither a file nor a folder.
            if path.is_dir() {
                folders.push(path);
            } else if is_manifest(&path) && path.is_file() {
                self.found.push(path);
            }
        }
        folders.iter().try_for_each(|folder| self.folder(folder))
    }
}

/// What is in the folder and not hidden, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                paths.push(entry.path());
            }
        }
        Ok(paths)
    };
    let mut paths = read().map_err(|error| unreadable(folder, error))?;
    paths.sort_unstable();
    Ok(paths)
}

fn is_manifest(path: &Path) -> bool {
    let known =
        path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known));
    known && !path.file_name().is_some_and(|name| CONFIGURATIONS.iter().any(|known| name == *known))
}

pub(super) fn unreadable(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::usage(format!("{} does not exist", path.display())),
        io::ErrorKind::PermissionDenied => Error::usage(format!("{} may not be read by this user", path.display())),
        _ => Error::usage(format!("{} cannot be read", path.display())).because(error),
    }
}
