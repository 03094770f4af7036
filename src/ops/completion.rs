//! Sets up kubectl's own completion for `kubectl evolve`.

use std::path::{Path, PathBuf};

use crate::{
    context::Ctx,
    error::{Error, Result},
    model::{InstallReport, Installed},
};

/// What kubectl looks for on the PATH when `kubectl evolve` is completed.
pub const COMPLETER: &str = "kubectl_complete-evolve";
const PLUGIN: &str = "kubectl-evolve";

/// Places the completer beside the `kubectl-evolve` that kubectl finds on the PATH, or in `folder`.
/// `program` is the file of this process.
///
/// # Errors
/// Usage, when another file has the name; failed, when the folder cannot be written.
pub fn install(ctx: &Ctx, program: &Path, folder: Option<&Path>) -> Result<InstallReport> {
    let path = ctx.environment.variables.get("PATH").map(String::as_str).unwrap_or_default();
    let searched: Vec<PathBuf> = std::env::split_paths(path).collect();
    let plugin = format!("{PLUGIN}{}", std::env::consts::EXE_SUFFIX);
    let beside = searched.iter().find(|folder| folder.join(&plugin).is_file());
    let (place, target) = match (folder, beside) {
        (Some(folder), _) => (ctx.environment.folder.join(folder), program.to_owned()),
        // By name, so that it lives on when the plugin is replaced by a newer one.
        (None, Some(beside)) => (beside.clone(), PathBuf::from(&plugin)),
        (None, None) => (program.parent().unwrap_or(Path::new("")).to_owned(), program.to_owned()),
    };
    let completer = place.join(if cfg!(windows) { format!("{COMPLETER}.cmd") } else { COMPLETER.to_owned() });
    let done = place_completer(&completer, &target)?;
    Ok(InstallReport { completer, target, done, on_path: searched.contains(&place) })
}

#[cfg(unix)]
fn place_completer(completer: &Path, target: &Path) -> Result<Installed> {
    match std::fs::read_link(completer) {
        Ok(now) if now == target => return Ok(Installed::Already),
        // A link of ours that has become stale, or to another copy.
        Ok(now) if now.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PLUGIN)) => {
            std::fs::remove_file(completer).map_err(|cause| refused(completer, target, cause))?;
        }
        Ok(_) => return Err(taken(completer)),
        Err(_) if completer.symlink_metadata().is_ok() => return Err(taken(completer)),
        Err(_) => {}
    }
    std::os::unix::fs::symlink(target, completer).map_err(|cause| refused(completer, target, cause))?;
    Ok(Installed::Placed)
}

/// Windows asks for a privilege to make a link, and a copy would grow old; a script does neither.
#[cfg(not(unix))]
fn place_completer(completer: &Path, target: &Path) -> Result<Installed> {
    let target_words =
        if target.is_absolute() { target.display().to_string() } else { format!("%~dp0{}", target.display()) };
    let script = format!("@\"{target_words}\" __complete %*\r\n");
    match std::fs::read_to_string(completer) {
        Ok(now) if now == script => return Ok(Installed::Already),
        Ok(now) if !now.contains(PLUGIN) => return Err(taken(completer)),
        Ok(_) | Err(_) => {}
    }
    std::fs::write(completer, script).map_err(|cause| refused(completer, target, cause))?;
    Ok(Installed::Placed)
}

fn taken(completer: &Path) -> Error {
    Error::usage(format!("{} exists and is not ours", completer.display()))
        .hint("remove it, or choose another folder of the PATH with --to FOLDER")
}

fn refused(completer: &Path, target: &Path, cause: std::io::Error) -> Error {
    Error::failed(format!("{} cannot be made", completer.display()))
        .because(cause)
        .hint(format!("`sudo ln -s {} {}` makes it by hand", target.display(), completer.display()))
        .hint("or choose a folder of the PATH that you may write with --to FOLDER")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{fs, sync::Arc};

    use super::*;
    use crate::{cluster::ConnectOptions, context::Environment, event::Silent};

    fn ctx(folders: &[&Path]) -> Ctx {
        let path = std::env::join_paths(folders).unwrap().into_string().unwrap();
        let environment = Environment { variables: [("PATH".into(), path)].into(), ..Environment::default() };
        Ctx::new(Arc::new(Silent), environment, ConnectOptions::default())
    }

    #[test]
    fn the_completer_stands_beside_the_plugin_that_kubectl_finds() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(second.path().join(PLUGIN), "").unwrap();
        let ctx = ctx(&[first.path(), second.path()]);
        let report = install(&ctx, Path::new("/store/v1/kubectl-evolve"), None).unwrap();
        assert_eq!((report.done, report.on_path), (Installed::Placed, true));
        assert_eq!(fs::read_link(second.path().join(COMPLETER)).unwrap(), Path::new(PLUGIN));
        let again = install(&ctx, Path::new("/store/v2/kubectl-evolve"), None).unwrap();
        assert_eq!(again.done, Installed::Already);
    }

    #[test]
    fn a_stale_link_is_replaced_and_a_foreign_file_left() {
        let folder = tempfile::tempdir().unwrap();
        let completer = folder.path().join(COMPLETER);
        std::os::unix::fs::symlink("/gone/kubectl-evolve", &completer).unwrap();
        let report = install(&ctx(&[]), &folder.path().join(PLUGIN), None).unwrap();
        assert_eq!((report.done, report.on_path), (Installed::Placed, false));
        fs::remove_file(&completer).unwrap();
        fs::write(&completer, "mine").unwrap();
        assert!(install(&ctx(&[]), &folder.path().join(PLUGIN), None).is_err());
        assert_eq!(fs::read_to_string(&completer).unwrap(), "mine");
    }

    #[test]
    fn a_folder_that_cannot_be_written_gets_a_hint() {
        let error = install(&ctx(&[]), Path::new("/p/kubectl-evolve"), Some(Path::new("/proc/nowhere"))).unwrap_err();
        assert!(error.hints()[0].contains("ln -s /p/kubectl-evolve /proc/nowhere/kubectl_complete-evolve"));
    }
}
