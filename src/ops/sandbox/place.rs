//! Where a named sandbox is kept, and the lock that lets one process run it at a time.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::PathBuf,
};

use crate::{
    context::Environment,
    error::{Error, Result},
    ops::kept::{Held, hold, private_folder},
};

/// The files of one named sandbox.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub name: String,
    folder: PathBuf,
}

impl Place {
    /// # Errors
    /// Usage, when the name could not be a file's everywhere, or the system names no place for state.
    pub fn of(environment: &Environment, name: &str) -> Result<Self> {
        let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if name.is_empty() || name.len() > 63 || !name.chars().all(letter) || name.starts_with('-') {
            return Err(Error::usage(format!("{name:?} cannot be a sandbox's name"))
                .hint("up to 63 small letters, digits and dashes, such as rehearsal-1"));
        }
        Ok(Self { name: name.into(), folder: root(environment)?.join(name) })
    }

    /// The objects.
    pub fn journal(&self) -> PathBuf {
        self.folder.join("objects.jsonl")
    }

    /// The kubeconfig of the process that runs it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    pub fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Takes the sandbox for this process; None when another runs it.
    pub fn hold(&self) -> Result<Option<Held>> {
        let cannot = |cause: io::Error| {
            Error::failed(format!("the sandbox {} cannot be kept in {}", self.name, self.folder.display()))
                .because(cause)
        };
        private_folder(&self.folder).map_err(cannot)?;
        hold(&self.folder.join("lock")).map_err(cannot)
    }

    /// Whether a process runs it, found without making anything.
    pub fn is_running(&self) -> bool {
        let Ok(file) = File::options().write(true).open(self.folder.join("lock")) else { return false };
        matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    }

    pub fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

/// The names of all sandboxes that are kept.
pub(super) fn names(environment: &Environment) -> Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(root(environment)?) else { return Ok(Vec::new()) };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Place::of(environment, name).is_ok_and(|place| place.exists()))
        .collect();
    names.sort();
    Ok(names)
}

fn root(environment: &Environment) -> Result<PathBuf> {
    let state = environment.state.as_ref().ok_or_else(|| {
        Error::usage("there is no place to keep a sandbox: neither HOME nor XDG_STATE_HOME is set")
            .hint("a sandbox without a name needs none")
    })?;
    Ok(state.join("sandboxes"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn environment(folder: &Path) -> Environment {
        Environment { state: Some(folder.into()), ..Environment::default() }
    }

    #[test]
    fn one_process_runs_a_sandbox_at_a_time() {
        let state = tempfile::tempdir().unwrap();
        let place = Place::of(&environment(state.path()), "rehearsal").unwrap();
        assert!(!place.is_running());
        let held = place.hold().unwrap();
        assert!(held.is_some() && place.is_running());
        assert!(place.hold().unwrap().is_none());
        drop(held);
        assert!(!place.is_running());
        assert_eq!(names(&environment(state.path())).unwrap(), ["rehearsal"]);
    }

    #[test]
    fn a_name_stays_in_its_folder() {
        let environment = environment(Path::new("/state"));
        for name in ["", "..", "a/b", "A", "-a", &"a".repeat(64)] {
            assert!(Place::of(&environment, name).is_err(), "{name:?}");
        }
    }
}
