//! The reference application, as files that a deploy reads.

use std::{fs, io, path::Path};

/// The application's files, by their path from its folder.
const FILES: [(&str, &str); 6] = [
    ("evolve.yaml", include_str!("../../../evolve.yaml")),
    ("manifests/namespace.yaml", include_str!("../../../manifests/namespace.yaml")),
    ("manifests/database.yaml", include_str!("../../../manifests/database.yaml")),
    (BACKEND, include_str!("../../../manifests/backend.yaml")),
    (FRONTEND, include_str!("../../../manifests/frontend.yaml")),
    ("manifests/network.yaml", include_str!("../../../manifests/network.yaml")),
];
const BACKEND: &str = "manifests/backend.yaml";
const FRONTEND: &str = "manifests/frontend.yaml";

/// A mistake in one of the files: what stands there, and what somebody made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mistake {
    pub file: &'static str,
    right: &'static str,
    wrong: &'static str,
}

/// A tag that was never built.
pub(super) const BAD_IMAGE: Mistake =
    Mistake { file: FRONTEND, right: "image: todo-frontend:1\n", wrong: "image: todo-frontend:2\n" };

/// The password in the manifest instead of the one in the Secret, and the wrong one.
pub(super) const WRONG_PASSWORD: Mistake = Mistake {
    file: BACKEND,
    right: "              valueFrom:
                secretKeyRef:
                  name: database
                  key: password
",
    wrong: "              value: guessed\n",
};

/// Writes the application, with a mistake or without.
pub(super) fn write(folder: &Path, mistake: Option<Mistake>) -> io::Result<()> {
    for (name, text) in FILES {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match mistake.filter(|mistake| mistake.file == name) {
            Some(mistake) => fs::write(path, text.replacen(mistake.right, mistake.wrong, 1))?,
            None => fs::write(path, text)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_in_its_file_once() {
        for mistake in [BAD_IMAGE, WRONG_PASSWORD] {
            let (_, text) = FILES.iter().find(|(name, _)| *name == mistake.file).unwrap();
            assert_eq!(text.matches(mistake.right).count(), 1, "{mistake:?}");
        }
    }
}
