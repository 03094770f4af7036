//! `kubectl evolve storage expand`

use std::time::Duration;

use clap::Args;

use crate::{
    cli::{
        Session,
        global::duration,
        output::{Format, draw_expand},
    },
    error::Result,
    exit,
    model::ExpandRequest,
    ops,
};

/// Make a claim larger, or all claims and the template of a StatefulSet
///
/// The class and the quotas are checked first. A StatefulSet's template cannot be changed, so it is replaced by one with a
/// larger template while its pods run on. When that is interrupted, the same command goes on.
#[derive(Debug, Args)]
pub struct Arguments {
    /// claim/NAME, statefulset/NAME, or a name alone
    #[arg(value_name = "CLAIM|STATEFULSET", id = "claims")]
    what: String,
    /// The size, such as 2Gi, or +1Gi for that much more
    #[arg(value_name = "SIZE")]
    size: String,
    /// The claim template of the StatefulSet, where it has several
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Only say what would be done, and what stands in the way
    #[arg(long)]
    dry_run: bool,
    /// Wait until the size is there; =false leaves at once
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    wait: Option<bool>,
    /// The longest wait [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    /// How long to wait for another operation on the application [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    lock_timeout: Option<Duration>,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let request = ExpandRequest {
        target: session.target(),
        what: arguments.what,
        size: arguments.size,
        template: arguments.template,
        dry_run: arguments.dry_run,
        wait: arguments.wait.unwrap_or(true),
        timeout: arguments.timeout,
        lock_timeout: arguments.lock_timeout,
    };
    let report = ops::storage::expand(&session.ctx, &request).await?;
    session.report("ExpandReport", &report, arguments.output, |out, style| draw_expand(out, style, &report))?;
    let done = report.refusals.is_empty() && (report.complete || report.dry_run || !request.wait);
    Ok(if done { exit::DONE } else { exit::FAILED })
}
