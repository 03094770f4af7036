//! The versions of this program and of the cluster.

use crate::{
    context::Ctx,
    error::Result,
    model::{ServerVersion, VersionReport},
};

/// Asks the server for its version unless `client_only`.
pub async fn run(ctx: &Ctx, client_only: bool) -> Result<VersionReport> {
    let client = env!("CARGO_PKG_VERSION").to_owned();
    if client_only {
        return Ok(VersionReport { client, server: None });
    }
    let cluster = ctx.cluster().await?;
    let version = ctx.unless_cancelled("asking for the server's version", cluster.version()).await?;
    Ok(VersionReport { client, server: Some(ServerVersion { url: cluster.server().to_owned(), version }) })
}
