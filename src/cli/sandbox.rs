//! `kubectl evolve sandbox`

use std::{io, io::Write, path::PathBuf};

use clap::{Args, Subcommand};

use super::{
    Session,
    output::{Format, Style, draw_sandboxes},
};
use crate::{
    error::{Error, Result},
    exit,
    model::{SandboxReport, SandboxRequest},
    ops::{self, sandbox::Running},
};

/// Run a cluster inside this program, with simulated pods, for rehearsals, lessons and tests
///
/// It listens on the loopback address and prints its kubeconfig. It runs until Ctrl-C, or, after --, for as long as
/// another command that finds it in KUBECONFIG.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    start: StartArguments,
}

#[derive(Debug, Args)]
struct StartArguments {
    /// Keep it under this name between runs
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Write the kubeconfig to this file, for as long as the sandbox runs
    #[arg(short, long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// The port on the loopback address [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Let time jump to what happens next
    #[arg(long)]
    fast: bool,
    /// How pods behave: a file of rules
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Faults of the API server: a file of rules
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// How to print where it is
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// A command to run with the sandbox in KUBECONFIG, whose exit code becomes this one's
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the named sandboxes
    #[command(visible_alias = "ls")]
    List {
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Remove a named sandbox and everything in it
    #[command(visible_alias = "rm")]
    Delete {
        #[arg(value_name = "NAME")]
        name: String,
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    match arguments.command {
        None => start(arguments.start, session).await,
        Some(Command::List { output }) => {
            let report = ops::sandbox::list(&session.ctx)?;
            session.report("SandboxList", &report, output, |out, style| draw_sandboxes(out, style, &report))?;
            Ok(exit::DONE)
        }
        Some(Command::Delete { name, output }) => {
            let report = ops::sandbox::remove(&session.ctx, &name)?;
            session.report("SandboxRemoval", &report, output, |out, _| writeln!(out, "removed {}", report.name))?;
            Ok(exit::DONE)
        }
    }
}

async fn start(arguments: StartArguments, session: &mut Session) -> Result<u8> {
    let StartArguments { name, write, port, fast, scenario, faults, output, command } = arguments;
    let request = SandboxRequest { name, port, fast, scenario, faults, write };
    let running = ops::sandbox::start(&session.ctx, &request).await?;
    let ended = match command.split_first() {
        Some((program, arguments)) => beside(session, &running, program, arguments).await,
        None => until_interrupted(session, &running, output).await,
    };
    let stopped = running.stop().await;
    ended.and_then(|code| stopped.map(|()| code))
}

/// Prints where the sandbox is and lets it run; one that another process runs is only told.
async fn until_interrupted(session: &mut Session, running: &Running, output: Format) -> Result<u8> {
    let report = &running.report;
    session.report("Sandbox", report, output, |out, style| draw(out, style, report))?;
    let milliseconds = report.ready_milliseconds;
    if !running.is_own() {
        session.ctx.phase("sandbox", format!("another process runs it, at {}", report.url));
        return Ok(exit::DONE);
    }
    let ends = "Ctrl-C ends it";
    session
        .ctx
        .phase("sandbox", format!("ready at {} after {milliseconds} ms; pods are simulated; {ends}", report.url));
    session.ctx.cancel.cancelled().await;
    Ok(exit::INTERRUPTED)
}

/// The kubeconfig itself, or how to use the file that holds it.
fn draw(out: &mut dyn Write, _: &Style, report: &SandboxReport) -> io::Result<()> {
    match (&report.kubeconfig, &report.kubeconfig_file) {
        (Some(text), _) => write!(out, "{text}"),
        (None, Some(file)) => writeln!(out, "export KUBECONFIG={}", file.display()),
        (None, None) => Ok(()),
    }
}

/// Runs a command with the sandbox in KUBECONFIG and returns its exit code.
async fn beside(session: &Session, running: &Running, program: &str, arguments: &[String]) -> Result<u8> {
    let kubeconfig = tempfile::Builder::new()
        .prefix("sandbox-")
        .suffix(".kubeconfig")
        .tempfile()
        .and_then(|mut file| file.write_all(running.kubeconfig.as_bytes()).map(|()| file))
        .map_err(|cause| Error::failed("the sandbox's kubeconfig cannot be written").because(cause))?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env("KUBECONFIG", kubeconfig.path())
        .kill_on_drop(true)
        .spawn()
        .map_err(|cause| Error::usage(format!("{program} cannot be run")).because(cause))?;
    // Ctrl-C reaches the command too, which ends in its own way; the sandbox stays until it has.
    let status = child.wait().await.map_err(|cause| Error::failed(format!("{program} is lost")).because(cause))?;
    if session.ctx.cancel.is_cancelled() {
        return Ok(exit::INTERRUPTED);
    }
    // A command that a signal ended has no code.
    Ok(status.code().and_then(|code| code.try_into().ok()).unwrap_or(exit::FAILED))
}
