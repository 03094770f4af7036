//! Where the configuration file is.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The file's name.
pub const FILE_NAME: &str = "evolve.yaml";
/// What it may be called too; a file with the first name wins.
const FILE_NAMES: [&str; 2] = [FILE_NAME, "evolve.yml"];

/// The nearest `evolve.yaml` from a folder upward, seen from that folder; or none.
pub(super) fn find(start: &Path) -> Result<Option<PathBuf>> {
    let here = if start.as_os_str().is_empty() { Path::new(".") } else { start };
    let absolute = std::path::absolute(here)
        .map_err(|error| Error::usage(format!("the folder {} cannot be used", here.display())).because(error))?;
    let found = absolute.ancestors().enumerate().find_map(|(depth, folder)| {
        let name = FILE_NAMES.into_iter().find(|name| folder.join(name).is_file())?;
        Some(std::iter::repeat_n("..", depth).chain([name]).collect())
    });
    Ok(found)
}

/// A path that the file names, seen from where its folder is seen from. An absolute path stays as it is.
pub(super) fn below_folder(folder: &Path, path: &Path) -> PathBuf {
    let joined: PathBuf = folder.join(path).components().collect();
    if joined.as_os_str().is_empty() { PathBuf::from(".") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_upward_is_found() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b/c");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(root.path().join(FILE_NAME), "name: outer").unwrap();
        assert_eq!(find(&inner).unwrap(), Some(PathBuf::from("../../../evolve.yaml")));
        std::fs::write(root.path().join("a/b").join(FILE_NAME), "name: inner").unwrap();
        assert_eq!(find(&inner).unwrap(), Some(PathBuf::from("../evolve.yaml")));
        std::fs::write(inner.join("evolve.yml"), "name: innermost").unwrap();
        assert_eq!(find(&inner).unwrap(), Some(PathBuf::from("evolve.yml")));
    }

    #[test]
    fn a_path_is_seen_from_the_files_folder() {
        assert_eq!(below_folder(Path::new(""), Path::new("manifests")), Path::new("manifests"));
        assert_eq!(below_folder(Path::new(".."), Path::new(".")), Path::new(".."));
        assert_eq!(below_folder(Path::new(""), Path::new(".")), Path::new("."));
        assert_eq!(below_folder(Path::new("app"), Path::new("/etc/x")), Path::new("/etc/x"));
    }
}
