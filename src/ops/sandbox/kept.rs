//! The named sandboxes: listed and removed.

use jiff::Timestamp;

use super::place::{Place, names};
use crate::{
    context::Ctx,
    error::{Error, Result},
    model::{KeptSandbox, SandboxList, SandboxRemoval},
};

/// All named sandboxes, by name.
pub fn list(ctx: &Ctx) -> Result<SandboxList> {
    let kept = |name: String| {
        let place = Place::of(&ctx.environment, &name).ok()?;
        let journal = place.journal().metadata().ok();
        let changed = journal.as_ref().and_then(|file| Timestamp::try_from(file.modified().ok()?).ok());
        Some(KeptSandbox {
            kubeconfig_file: place.is_running().then(|| place.kubeconfig()),
            bytes: journal.map_or(0, |file| file.len()),
            changed: changed.map(|time| format!("{time:.0}")).unwrap_or_default(),
            name,
        })
    };
    Ok(SandboxList { sandboxes: names(&ctx.environment)?.into_iter().filter_map(kept).collect() })
}

/// Removes a named sandbox with everything in it.
///
/// # Errors
/// Usage, when there is none of that name; failed, while a process runs it.
pub fn remove(ctx: &Ctx, name: &str) -> Result<SandboxRemoval> {
    let place = Place::of(&ctx.environment, name)?;
    if !place.exists() {
        let names = names(&ctx.environment)?;
        let known = if names.is_empty() { "there is none".into() } else { format!("there are {}", names.join(", ")) };
        return Err(Error::usage(format!("there is no sandbox {name}")).hint(known));
    }
    let Some(held) = place.hold()? else {
        return Err(Error::failed(format!("the sandbox {name} is running")).hint("end the process that runs it"));
    };
    let bytes = place.journal().metadata().map_or(0, |file| file.len());
    place.remove().map_err(|cause| Error::failed(format!("the sandbox {name} cannot be removed")).because(cause))?;
    drop(held);
    Ok(SandboxRemoval { name: name.into(), bytes })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{cluster::ConnectOptions, context::Environment, event::Silent};

    #[test]
    fn a_sandbox_is_removed_only_when_nothing_runs_it() {
        let state = tempfile::tempdir().unwrap();
        let environment = Environment { state: Some(state.path().into()), ..Environment::default() };
        let ctx = Ctx::new(Arc::new(Silent), environment, ConnectOptions::default());
        let place = Place::of(&ctx.environment, "lesson").unwrap();
        let held = place.hold().unwrap();
        std::fs::write(place.journal(), "12345").unwrap();
        assert!(remove(&ctx, "lesson").unwrap_err().to_string().contains("is running"));
        drop(held);
        let listed = list(&ctx).unwrap().sandboxes;
        assert_eq!((listed[0].name.as_str(), listed[0].bytes, &listed[0].kubeconfig_file), ("lesson", 5, &None));
        assert_eq!(remove(&ctx, "lesson").unwrap(), SandboxRemoval { name: "lesson".into(), bytes: 5 });
        assert!(remove(&ctx, "lesson").unwrap_err().to_string().contains("there is no sandbox lesson"));
        assert_eq!(list(&ctx).unwrap(), SandboxList::default());
    }
}
