//! `kubectl evolve config`

use clap::{Args, Subcommand};

use super::{
    Session,
    output::{Format, draw_config, draw_config_check},
};
use crate::{error::Result, exit, model::ConfigRequest, ops};

/// Check and show the configuration, evolve.yaml
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every problem in the configuration, in all profiles
    ///
    /// Exits with 2 when there is one.
    Check {
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Show the settings in force, with where each one comes from
    Show {
        /// How to print
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Print the JSON Schema of evolve.yaml, for editors
    Schema,
}

pub fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let file = session.global.config.as_ref().map(|file| file.display().to_string());
    let request = ConfigRequest { file, profile: session.global.profile.clone() };
    match arguments.command {
        Command::Check { output } => {
            let report = ops::config::check(&session.ctx, &request)?;
            session.report("ConfigCheck", &report, output, |out, style| draw_config_check(out, style, &report))?;
            Ok(if report.problems.is_empty() { exit::DONE } else { exit::USAGE })
        }
        Command::Show { output } => {
            let report = ops::config::show(&session.ctx, &request)?;
            session.report("Config", &report, output, |out, style| draw_config(out, style, &report))?;
            Ok(exit::DONE)
        }
        Command::Schema => {
            session.write(|out, _| {
                serde_json::to_writer_pretty(&mut *out, &ops::config::schema())?;
                writeln!(out)
            })?;
            Ok(exit::DONE)
        }
    }
}
