//! `kubectl evolve diff`

use clap::Args;

use super::{
    Session,
    arguments::{ConsentArguments, ManifestArguments},
    deploy::print_plan,
    output::Format,
};
use crate::{error::Result, exit, ops};

/// The exit code for a difference, as that of kubectl diff and diff(1).
const DIFFERS: u8 = 1;
/// The least exit code for an error with `--exit-code`, so that it is never taken for a difference.
const ERROR: u8 = 2;

/// Show what a deploy would change, field by field
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    manifests: ManifestArguments,
    #[command(flatten)]
    consent: ConsentArguments,
    /// Exit with 1 when something differs, and with 2 or more for every error
    #[arg(long)]
    exit_code: bool,
    /// How to print the plan
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let mut request = arguments.manifests.request(session);
    arguments.consent.add_to(&mut request);
    let planned = ops::deploy::plan(&session.ctx, request).await;
    let printed = planned.and_then(|plan| {
        let code = print_plan(session, &plan, arguments.output)?;
        Ok(match arguments.exit_code {
            true if plan.changes_something() => DIFFERS,
            true => exit::DONE,
            false => code,
        })
    });
    match printed {
        Err(error) if arguments.exit_code && exit::code(&error) < ERROR => {
            session.tell_error(&error);
            Ok(ERROR)
        }
        printed => printed,
    }
}
