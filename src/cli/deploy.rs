//! `kubectl evolve deploy`

use std::io::Write;

use clap::{Args, ValueEnum};

use super::{
    Session,
    arguments::{ConsentArguments, ManifestArguments, WaitArguments},
    check,
    output::{Format, Style, counts, draw_check, draw_evidence, draw_plan},
};
use crate::{
    error::Result,
    exit,
    model::{DeployOutcome, DeployReport, DeployRequest, OnFailure, Plan},
    ops,
};

/// Apply manifests, wait until they are healthy, and say why when they are not
///
/// Without -f or -k, the manifests of evolve.yaml are used, else those in manifests/, k8s/, deploy/ or of a
/// kustomization.yaml in this folder.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    manifests: ManifestArguments,
    /// Only say what would change: =server asks the cluster, =client only checks the manifests
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "server")]
    dry_run: Option<DryRun>,
    #[command(flatten)]
    wait: WaitArguments,
    /// What to do after a failure, when its evidence is stored [default: rollback, for a first deploy keep]
    #[arg(long, value_name = "WHAT")]
    on_failure: Option<FailureChoice>,
    #[command(flatten)]
    consent: ConsentArguments,
    /// Run exactly the plan that `plan --out` saved
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "kustomize", "selector", "dry_run"])]
    plan: Option<String>,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DryRun {
    None,
    Client,
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailureChoice {
    /// Leave everything as it is
    Keep,
    /// Put the last good revision back
    Rollback,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let dry_run = arguments.dry_run;
    let format = arguments.output;
    let request = arguments.request(session);
    match dry_run {
        Some(DryRun::Server) => {
            let plan = ops::deploy::plan(&session.ctx, request).await?;
            print_plan(session, &plan, format)
        }
        Some(DryRun::Client) => {
            let report = ops::check::run(&session.ctx, check::request(request, true)).await?;
            session.report("CheckReport", &report, format, |out, style| draw_check(out, style, &report))?;
            Ok(check::code(&report))
        }
        None | Some(DryRun::None) => {
            let report = ops::deploy::run(&session.ctx, request).await?;
            session.report("DeployReport", &report, format, |out, style| draw(out, style, &report))?;
            Ok(code(&report))
        }
    }
}

impl Arguments {
    fn request(self, session: &Session) -> DeployRequest {
        let mut request = self.manifests.request(session);
        self.consent.add_to(&mut request);
        self.wait.add_to(&mut request);
        DeployRequest {
            on_failure: self.on_failure.map(|choice| match choice {
                FailureChoice::Keep => OnFailure::Keep,
                FailureChoice::Rollback => OnFailure::Rollback,
            }),
            plan: self.plan,
            ..request
        }
    }
}

/// Prints a plan; a plan that would be refused is a negative verdict.
pub fn print_plan(session: &mut Session, plan: &Plan, format: Format) -> Result<u8> {
    session.report("Plan", plan, format, |out, style| draw_plan(out, style, plan))?;
    Ok(if plan.is_blocked() { exit::FAILED } else { exit::DONE })
}

/// The exit code of a deploy.
pub fn code(report: &DeployReport) -> u8 {
    match report.outcome {
        DeployOutcome::Unchanged | DeployOutcome::Deployed | DeployOutcome::Applied => exit::DONE,
        DeployOutcome::Refused | DeployOutcome::Failed | DeployOutcome::RolledBack => exit::FAILED,
    }
}

/// Draws a deploy's end: the verdict, the causes, and what to do next.
pub fn draw(out: &mut dyn Write, style: &Style, report: &DeployReport) -> std::io::Result<()> {
    let plan = &report.plan;
    let name = &plan.application;
    if report.outcome == DeployOutcome::Refused {
        draw_plan(out, style, plan)?;
    }
    for evidence in &report.evidence {
        draw_evidence(out, style, evidence)?;
    }
    for note in &report.notes {
        writeln!(out, "{} {note}", style.faint("note:"))?;
    }
    let revision = report.revision.map(|number| format!(" as revision {number}")).unwrap_or_default();
    let verdict = match report.outcome {
        DeployOutcome::Unchanged => style.good(format!("{name} is as wanted: {}", counts(plan))),
        DeployOutcome::Deployed => style.good(format!("{name} is deployed and healthy{revision}")),
        DeployOutcome::Applied => style.good(format!("{name} is applied{revision}; not waited for")),
        DeployOutcome::Refused => style.bad(format!("{name} was not deployed: nothing was changed")),
        DeployOutcome::Failed => style.bad(format!("{name} failed{revision}; what was applied is kept")),
        DeployOutcome::RolledBack => {
            let back = report.restored.map(|number| format!(" to revision {number}")).unwrap_or_default();
            style.bad(format!("{name} failed{revision}, and was rolled back{back}"))
        }
    };
    writeln!(out, "{verdict} {}", style.faint(format!("({:.1} s, {} requests)", report.seconds, report.requests)))
}
