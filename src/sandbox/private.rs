//! Files that nobody but their owner reads.

use std::{fs::File, io, path::Path};

/// Makes a file, or empties the one that is there, for its owner alone: a sandbox's objects hold Secrets, its kubeconfig
/// a token.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
