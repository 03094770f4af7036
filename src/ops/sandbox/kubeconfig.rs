//! The kubeconfig of a sandbox in a file, for as long as the sandbox runs.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    sandbox::private_file,
};

/// The first line of every kubeconfig that we write, by which it is known again.
const MARK: &str = "# A kubectl-evolve sandbox; it is gone when that ends.\n";

/// A written kubeconfig. It goes away with this value.
pub(in crate::ops) struct Written(PathBuf);

impl Written {
    /// Writes the kubeconfig for its owner alone.
    ///
    /// # Errors
    /// Usage, when a file is there that no sandbox wrote: other clusters' access must not be lost.
    pub fn to(path: &Path, kubeconfig: &str) -> Result<Self> {
        if fs::read_to_string(path).is_ok_and(|text| !text.is_empty() && !text.starts_with(MARK)) {
            return Err(Error::usage(format!("{} is there already, and no sandbox wrote it", path.display()))
                .hint("name a file of its own; KUBECONFIG may list several"));
        }
        let write = || -> io::Result<()> {
            // A new file beside it and a rename: nobody reads half a kubeconfig, and the mode holds from the start.
            let mut fresh = path.as_os_str().to_owned();
            fresh.push(format!(".{}.new", std::process::id()));
            let mut file = private_file(Path::new(&fresh))?;
            file.write_all(MARK.as_bytes())?;
            file.write_all(kubeconfig.as_bytes())?;
            drop(file);
            fs::rename(&fresh, path)
        };
        write().map_err(|cause| Error::failed(format!("{} cannot be written", path.display())).because(cause))?;
        Ok(Self(path.into()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // One that is left names a server that is gone, and is written over by the next.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_replaces_what_no_sandbox_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, "apiVersion: v1\n").unwrap();
        let error = Written::to(&path, "mine").err().unwrap();
        assert!(error.to_string().contains("no sandbox wrote it"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "apiVersion: v1\n");
    }

    #[test]
    fn it_goes_away_with_the_sandbox() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sandbox.kubeconfig");
        let first = Written::to(&path, "mine: 1\n").unwrap();
        std::mem::forget(first);
        let second = Written::to(&path, "mine: 2\n").unwrap();
        assert!(fs::read_to_string(second.path()).unwrap().ends_with("mine: 2\n"));
        drop(second);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
