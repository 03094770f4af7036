//! What differs from a revision of the history.

use crate::{
    context::Ctx,
    error::{Error, Result},
    model::{DeployRequest, Plan, RevisionDifference, RollbackRequest, ScopeRequest, StatusReport},
    ops::rollback,
};

/// How the application does, and what going back to a revision would change: so it differs from it.
///
/// # Errors
/// As those of a single look and of a rollback's plan; usage, when there is no such revision.
pub async fn as_of(ctx: &Ctx, request: &ScopeRequest, revision: u64) -> Result<StatusReport> {
    let deploy = DeployRequest { target: request.target.clone(), ..DeployRequest::default() };
    let back = RollbackRequest { deploy, revision: Some(revision), ..RollbackRequest::default() };
    let plan: Plan = rollback::plan(ctx, &back).await?;
    let mut report = super::run(ctx, request).await?;
    if report.namespaces.is_empty() {
        return Err(
            Error::usage("a revision is one of an application in a namespace").hint("name it with --app and -n")
        );
    }
    report.difference = Some(RevisionDifference { revision, plan });
    Ok(report)
}
