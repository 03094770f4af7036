//! Facts about the git work tree that the manifests come from.

use tokio::process::Command;

use crate::{context::Ctx, model::Origin};

/// Adds commit, branch and whether there are uncommitted changes; nothing where there is no git.
pub(crate) async fn described(ctx: &Ctx, origin: Origin) -> Origin {
    let (commit, branch, changes) = tokio::join!(
        git(ctx, &["rev-parse", "HEAD"]),
        git(ctx, &["symbolic-ref", "--short", "-q", "HEAD"]),
        git(ctx, &["status", "--porcelain", "--untracked-files=no"]),
    );
    Origin { git_commit: commit, git_branch: branch, git_dirty: changes.is_some(), ..origin }
}

/// The output of a git command; None when it fails or says nothing.
async fn git(ctx: &Ctx, words: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(words).stdin(std::process::Stdio::null()).kill_on_drop(true);
    if !ctx.environment.folder.as_os_str().is_empty() {
        command.current_dir(&ctx.environment.folder);
    }
    let output = command.output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
