//! `kubectl evolve rollback`

use clap::Args;

use super::{Session, arguments::WaitArguments, deploy, output::Format};
use crate::{
    error::Result,
    model::{DeployRequest, RollbackRequest},
    ops,
};

/// Go back to an earlier revision, and wait until it is healthy
///
/// What was changed since is changed back, what was pruned is created, and what was created is pruned. The manifests
/// are those of the revision, so no file is read.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The number of the revision [default: the newest that was deployed before the current one]
    #[arg(value_name = "REVISION")]
    number: Option<u64>,
    /// Hold images to the digests that they ran with, also when a tag has moved
    #[arg(long)]
    pin: bool,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: WaitArguments,
    /// Take fields that another manager owns
    #[arg(long)]
    force_conflicts: bool,
    /// Delete and create again what cannot be changed; never a claim
    #[arg(long)]
    recreate: bool,
    /// Prune claims too, whose data goes with them
    #[arg(long)]
    prune_claims: bool,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let (dry_run, format) = (arguments.dry_run, arguments.output);
    let request = arguments.request(session);
    if dry_run {
        let plan = ops::rollback::plan(&session.ctx, &request).await?;
        return deploy::print_plan(session, &plan, format);
    }
    let report = ops::rollback::run(&session.ctx, &request).await?;
    session.report("DeployReport", &report, format, |out, style| deploy::draw(out, style, &report))?;
    Ok(deploy::code(&report))
}

impl Arguments {
    fn request(self, session: &Session) -> RollbackRequest {
        let mut deploy = DeployRequest {
            target: session.target(),
            force_conflicts: self.force_conflicts,
            recreate: self.recreate,
            create_namespace: true,
            prune_claims: self.prune_claims,
            ..DeployRequest::default()
        };
        self.wait.add_to(&mut deploy);
        RollbackRequest { deploy, revision: self.number, pin: self.pin }
    }
}
