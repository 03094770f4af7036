//! `kubectl evolve forward`

use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr},
};

use clap::Args;
use tokio::process::Command;

use super::{
    Session,
    output::{Format, Style},
};
use crate::{
    context::Ctx,
    error::{Error, Result},
    exit,
    model::{ForwardReport, ForwardRequest},
    ops::{self, forward::Forward},
};

/// Reach a port of a Service, a workload or a pod from this machine
///
/// The address is printed; Ctrl-C ends it. When the pod is replaced, new connections go to the one that follows.
#[derive(Debug, Args)]
#[command(override_usage = "kubectl evolve forward [OPTIONS] <TARGET> [[LOCAL:]PORT]... [-- COMMAND...]")]
pub struct Arguments {
    /// KIND/NAME, or a name alone: a Service, a workload or a pod
    #[arg(value_name = "TARGET")]
    target: String,
    /// A number or a name, as in 80, http, 8080:http or :http for any free local port [default: its only port]
    #[arg(value_name = "[LOCAL:]PORT")]
    ports: Vec<String>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Run a command meanwhile, with EVOLVE_URL and EVOLVE_PORT set to where the first port is, and end with it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// How to print where is listened
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let request = ForwardRequest {
        target: session.target(),
        of: arguments.target,
        ports: arguments.ports,
        address: arguments.address.to_string(),
    };
    let forward = ops::forward::open(&session.ctx, &request).await?;
    let Some((program, words)) = arguments.command.split_first() else {
        let report = forward.report.clone();
        session.report("ForwardReport", &report, arguments.output, |out, style| draw(out, style, &report))?;
        forward.serve(&session.ctx).await?;
        return Ok(exit::INTERRUPTED);
    };
    alongside(&session.ctx, forward, program, words).await
}

/// Runs a command for as long as it takes, and passes its exit code on.
async fn alongside(ctx: &Ctx, forward: Forward, program: &str, words: &[String]) -> Result<u8> {
    let mut command = Command::new(program);
    command.args(words).kill_on_drop(true);
    if let Some(port) = forward.report.ports.first() {
        command.env("EVOLVE_URL", &port.url).env("EVOLVE_PORT", port.local.to_string());
    }
    let mut child =
        command.spawn().map_err(|cause| Error::usage(format!("{program} cannot be started")).because(cause))?;
    let waiting = async {
        let status = child.wait().await;
        status.map_err(|cause| Error::failed(format!("{program} cannot be waited for")).because(cause))
    };
    tokio::select! {
        served = forward.serve(ctx) => served.map(|()| exit::INTERRUPTED),
        ended = waiting => Ok(ended?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::FAILED)),
    }
}

fn draw(out: &mut dyn Write, style: &Style, report: &ForwardReport) -> std::io::Result<()> {
    for port in &report.ports {
        match (style.width, port.name.as_str()) {
            (None, _) => writeln!(out, "{}", port.url)?,
            (Some(_), "") => writeln!(out, "{} → {} port {}", port.url, report.target, port.port)?,
            (Some(_), name) => writeln!(out, "{} → {} port {name} ({})", port.url, report.target, port.port)?,
        }
    }
    Ok(())
}
