//! `kubectl evolve plan`

use std::path::PathBuf;

use clap::Args;

use super::{
    Session,
    arguments::{ConsentArguments, ManifestArguments},
    deploy::print_plan,
    output::Format,
};
use crate::{error::Result, ops};

/// Make a plan to review, and to run exactly as it is with `deploy --plan`
///
/// A plan holds no value of a secret, only a keyed digest of each. The key is that of this user; to run a plan on
/// another machine, set EVOLVE_PLAN_KEY to the same secret text on both.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    manifests: ManifestArguments,
    #[command(flatten)]
    consent: ConsentArguments,
    /// Where to save the plan
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How to print the plan
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let mut request = arguments.manifests.request(session);
    arguments.consent.add_to(&mut request);
    let plan = match &arguments.out {
        Some(file) => ops::deploy::save_plan(&session.ctx, request, file).await?,
        None => ops::deploy::plan(&session.ctx, request).await?,
    };
    print_plan(session, &plan, arguments.output)
}
