//! `kubectl evolve completion`

use std::{io, path::PathBuf};

use clap::{Args, Subcommand};
use clap_complete::env::Shells;

use super::{
    Session,
    complete::VARIABLE,
    output::{Format, Style},
};
use crate::{
    error::{Error, Result},
    exit,
    model::{InstallReport, Installed},
    ops,
};

/// Set up completion: commands, flags, and names from the cluster
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the script that completes `kubectl-evolve` in bash
    Bash,
    /// Print the script that completes `kubectl-evolve` in zsh
    Zsh,
    /// Print the script that completes `kubectl-evolve` in fish
    Fish,
    /// Print the script that completes `kubectl-evolve` in PowerShell
    Powershell,
    /// Print the script that completes `kubectl-evolve` in elvish
    Elvish,
    /// Let kubectl's own completion complete `kubectl evolve`
    ///
    /// Places `kubectl_complete-evolve` beside the `kubectl-evolve` that is on the PATH.
    Install {
        /// The folder of the PATH to place it in
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
}

pub fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let shell = match arguments.command {
        Command::Bash => "bash",
        Command::Zsh => "zsh",
        Command::Fish => "fish",
        Command::Powershell => "powershell",
        Command::Elvish => "elvish",
        Command::Install { to, output } => {
            let program = std::env::current_exe()
                .map_err(|cause| Error::failed("the place of this program is not known").because(cause))?;
            let report = ops::completion::install(&session.ctx, &program, to.as_deref())?;
            session.report("CompletionInstall", &report, output, |out, style| draw(out, style, &report))?;
            return Ok(exit::DONE);
        }
    };
    session.write(|out, _| write_script(out, shell))?;
    Ok(exit::DONE)
}

/// The script calls this program by its name for each completion, so it never grows old.
fn write_script(out: &mut dyn io::Write, shell: &str) -> io::Result<()> {
    const NAME: &str = "kubectl-evolve";
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(shell) {
        shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script)?;
    }
    out.write_all(script.trim_ascii())?;
    writeln!(out)
}

fn draw(out: &mut dyn io::Write, style: &Style, report: &InstallReport) -> io::Result<()> {
    let completer = report.completer.display();
    match report.done {
        Installed::Placed => writeln!(out, "placed {completer}, which leads to {}", report.target.display())?,
        Installed::Already => writeln!(out, "{completer} is in place already")?,
    }
    if !report.on_path {
        let folder = report.completer.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        writeln!(out, "{} {folder} is not on the PATH, where kubectl looks", style.changed("warning:"))?;
    }
    writeln!(out, "in a shell with kubectl's completion, `kubectl evolve` and Tab now complete")?;
    writeln!(out, "without it, for example in bash: source <(kubectl completion bash)")
}
