//! `kubectl kustomize`: kustomizations are built by kubectl itself.

use std::{io, path::Path, process::Stdio};

use tokio::process::Command;

use crate::{
    error::{Error, Result},
    web,
};

/// The objects of the kustomization at `target`, a folder relative to `base` or an address, as YAML.
///
/// # Errors
/// A usage error with kubectl's own words when it refuses the kustomization, or when there is no kubectl.
pub(super) async fn build(base: &Path, target: &Path) -> Result<Vec<u8>> {
    build_with("kubectl", base, target).await
}

async fn build_with(kubectl: &str, base: &Path, target: &Path) -> Result<Vec<u8>> {
    let output = Command::new(kubectl)
        .arg("kustomize")
        .arg(target)
        .current_dir(if base.as_os_str().is_empty() { Path::new(".") } else { base })
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::usage("kustomizations are built by kubectl, and there is none")
                .hint("install kubectl, or build with kustomize: kustomize build DIR | kubectl evolve deploy -f -"),
            _ => Error::failed("kubectl cannot be started").because(error),
        })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let words = words.trim().trim_start_matches("error: ");
    Err(Error::usage(format!("kubectl kustomize {} failed: {words}", web::shown(&target.display().to_string()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_kubectl_is_said() {
        let error = build_with("no-kubectl-here", Path::new(""), Path::new(".")).await.unwrap_err();
        assert!(error.to_string().contains("built by kubectl") && error.hints().len() == 1, "{error}");
    }
}
