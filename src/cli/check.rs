//! `kubectl evolve check`

use clap::{Args, ValueEnum};

use super::{
    Session,
    arguments::ManifestArguments,
    output::{Format, draw_check, draw_github, draw_junit, draw_sarif},
};
use crate::{
    error::Result,
    exit,
    model::{CheckReport, CheckRequest, DeployRequest, Severity},
    ops,
};

/// Check manifests before anything is sent: fields, types, names, references, images, API versions
///
/// A cluster is asked only whether it has what the manifests refer to and do not hold. Exits with 1 when there is an
/// error. Severities are set in evolve.yaml, under `checks:`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    manifests: ManifestArguments,
    /// Ask no cluster
    #[arg(long)]
    offline: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: CheckFormat,
}

/// How the report of a check is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// A line for each finding
    #[default]
    #[value(name = "table", alias = "human")]
    Human,
    Json,
    Yaml,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
    /// JUnit XML, a test case for each check
    Junit,
    /// Annotations of GitHub Actions
    Github,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let request = request(arguments.manifests.request(session), arguments.offline);
    let report = ops::check::run(&session.ctx, request).await?;
    let report_in = |session: &mut Session, format| {
        session.report("CheckReport", &report, format, |out, style| draw_check(out, style, &report))
    };
    match arguments.output {
        CheckFormat::Human => report_in(session, Format::Human)?,
        CheckFormat::Json => report_in(session, Format::Json)?,
        CheckFormat::Yaml => report_in(session, Format::Yaml)?,
        CheckFormat::Sarif => session.write(|out, _| draw_sarif(out, &report))?,
        CheckFormat::Junit => session.write(|out, _| draw_junit(out, &report))?,
        CheckFormat::Github => session.write(|out, _| draw_github(out, &report))?,
    }
    Ok(code(&report))
}

/// The request that checks what a deploy would read.
pub fn request(deploy: DeployRequest, offline: bool) -> CheckRequest {
    let DeployRequest { target, files, kustomize, selector, .. } = deploy;
    CheckRequest { target, files, kustomize, selector, offline }
}

/// The exit code of a check.
pub fn code(report: &CheckReport) -> u8 {
    if report.count(Severity::Error) == 0 { exit::DONE } else { exit::FAILED }
}
