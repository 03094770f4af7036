//! The ledger of a scope, as it is kept between runs.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::{
    context::Ctx,
    error::{Error, Result},
    model::ScopeRequest,
    ops::kept::{self, Held},
    rules::alerts::Ledger,
};

/// A ledger that this process alone works with.
pub(super) struct Record {
    pub ledger: Ledger,
    file: PathBuf,
    _held: Held,
}

impl Record {
    /// Opens the ledger of a scope on a cluster, or begins one.
    ///
    /// # Errors
    /// Usage, when the system names no place for it; failed, when another process watches the same, or the ledger
    /// cannot be read.
    pub fn open(ctx: &Ctx, server: &str, namespaces: &[String], scope: &ScopeRequest) -> Result<Self> {
        let state = ctx.environment.state.as_ref().ok_or_else(|| {
            Error::usage("there is no place to keep what was told: neither HOME nor XDG_STATE_HOME is set")
        })?;
        let folder = state.join("watch");
        let name = name(server, namespaces, scope);
        let file = folder.join(format!("{name}.json"));
        let cannot = |cause: std::io::Error| {
            Error::failed(format!("what was told cannot be kept in {}", file.display())).because(cause)
        };
        kept::private_folder(&folder).map_err(cannot)?;
        let held = kept::hold(&folder.join(format!("{name}.lock"))).map_err(cannot)?.ok_or_else(|| {
            Error::failed("another process watches the same already")
                .hint("one process tells each alert once; end the other, or watch something else")
        })?;
        let ledger = match std::fs::read(&file) {
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ledger::default(),
            read => serde_json::from_slice(&read.map_err(cannot)?).map_err(|cause| {
                Error::failed(format!("what was told before cannot be read from {}", file.display()))
                    .because(cause)
                    .hint("remove the file to begin anew; what lasts is then told again")
            })?,
        };
        Ok(Self { ledger, file, _held: held })
    }

    /// Keeps the ledger as it is now.
    pub fn keep(&self) -> Result<()> {
        let text = serde_json::to_vec(&self.ledger).map_err(std::io::Error::other);
        text.and_then(|text| kept::write(&self.file, &text)).map_err(|cause| {
            Error::failed(format!("what was told cannot be kept in {}", self.file.display())).because(cause)
        })
    }
}

/// The same for the same scope of the same cluster.
fn name(server: &str, namespaces: &[String], scope: &ScopeRequest) -> String {
    let what =
        format!("{server}\n{namespaces:?}\n{:?}\n{:?}\n{:?}", scope.target.application, scope.selector, scope.words);
    Sha256::digest(what).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
