//! Facts about the git work tree that the manifests come from.

use tokio::process::Command;

use crate::{context::Ctx, model::Origin};

/// Adds commit, branch and whether there are uncommitted changes; nothing where there is no git.
pub(crate) async fn described(ctx: &Ctx, origin: Origin) -> Origin {
    let mut command = Command::new("git");
    command.args(["status", "--porcelain=v2", "--branch", "--untracked-files=no"]);
    command.stdin(std::process::Stdio::null()).kill_on_drop(true);
    if !ctx.environment.folder.as_os_str().is_empty() {
        command.current_dir(&ctx.environment.folder);
    }
    match command.output().await {
        Ok(output) if output.status.success() => with_status(origin, &String::from_utf8_lossy(&output.stdout)),
        _ => origin,
    }
}

/// Reads the output of `git status --porcelain=v2 --branch`: headers, which begin with `#`, then a line for each change.
fn with_status(origin: Origin, status: &str) -> Origin {
    let header = |name: &str, none: &str| {
        let value =
            status.lines().find_map(|line| line.strip_prefix("# branch.")?.strip_prefix(name)?.strip_prefix(' '));
        value.filter(|value| *value != none).map(str::to_owned)
    };
    Origin {
        git_commit: header("oid", "(initial)"),
        git_branch: header("head", "(detached)"),
        git_dirty: status.lines().any(|line| !line.starts_with('#')),
        ..origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_commit_branch_and_changes() {
        let clean = with_status(Origin::default(), "# branch.oid 0a1b\n# branch.head main\n# branch.ab +0 -0\n");
        assert_eq!((clean.git_commit.as_deref(), clean.git_branch.as_deref()), (Some("0a1b"), Some("main")));
        assert!(!clean.git_dirty);
        let detached = with_status(Origin::default(), "# branch.oid 0a1b\n# branch.head (detached)\n1 .M N... a\n");
        assert_eq!((detached.git_branch, detached.git_dirty), (None, true));
        let empty = with_status(Origin::default(), "# branch.oid (initial)\n# branch.head main\n");
        assert_eq!((empty.git_commit, empty.git_branch.as_deref()), (None, Some("main")));
    }
}
