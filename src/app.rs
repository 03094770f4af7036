//! Parses the command line, builds the context and runs the command.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;

use crate::{
    cli::{Cli, Session, answer, asked, output::progress, tell_error},
    context::Environment,
    error::{Error, Result},
    exit,
    model::SandboxRequest,
    ops::sandbox::{Running, start},
};

/// How long an operation may take to leave things in order after Ctrl-C.
const LEAVE_IN_ORDER: Duration = Duration::from_secs(10);

/// Runs the process.
pub fn main() -> ExitCode {
    let environment = environment();
    if let Some(question) = asked(std::env::args_os().collect(), &environment) {
        return ExitCode::from(answer(question, &environment).map_or(exit::FAILED, |()| exit::DONE));
    }
    let cli = Cli::parse();
    let global = cli.global.clone();
    let ran = run(cli, environment.clone());
    ExitCode::from(ran.unwrap_or_else(|error| {
        tell_error(&error, &global, &environment);
        exit::code(&error)
    }))
}

fn run(cli: Cli, environment: Environment) -> Result<u8> {
    // Two crypto providers in the tree would make the default ambiguous; ours is named before any use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|cause| Error::failed("the process cannot start its threads").because(cause))?;
    let events = progress(&cli.global, &environment);
    let code = runtime.block_on(async {
        let mut session = Session::new(cli.global.clone(), environment, Arc::clone(&events));
        let cancel = session.ctx.cancel.clone();
        let sandbox = sandbox(&mut session).await?;
        let command = async {
            let ended = cli.command.run(&mut session).await;
            let stopped = match sandbox {
                Some(sandbox) => sandbox.stop().await,
                None => Ok(()),
            };
            ended.and_then(|code| stopped.map(|()| code))
        };
        tokio::pin!(command);
        let ended = tokio::select! {
            ended = &mut command => return ended,
            signal = interruption() => signal,
        };
        ended.map_err(|cause| Error::failed("signals cannot be listened for").because(cause))?;
        cancel.cancel();
        let interrupted =
            || Error::interrupted("interrupted before everything was left in order; run the command again");
        tokio::select! {
            ended = &mut command => ended,
            _ = interruption() => Err(interrupted()),
            () = tokio::time::sleep(LEAVE_IN_ORDER) => Err(interrupted()),
        }
    });
    events.finish();
    // A read of stdin cannot be cancelled; it must not hold the process.
    runtime.shutdown_background();
    code
}

/// The sandbox of `--sandbox`, which the command then finds instead of a cluster.
async fn sandbox(session: &mut Session) -> Result<Option<Running>> {
    let Some(name) = &session.global.sandbox else { return Ok(None) };
    let request = SandboxRequest { name: Some(name.clone()).filter(|name| !name.is_empty()), ..Default::default() };
    let running = start(&session.ctx, &request).await?;
    session.ctx.warn("this is a sandbox: its pods are simulated");
    session.ctx.connect.inline = Some(running.kubeconfig.clone());
    // Its port changes from run to run, so what is known of it is worth nothing later.
    session.ctx.connect.cache = None;
    Ok(Some(running))
}

/// Ctrl-C, or the request to end that a CI system sends before it kills.
async fn interruption() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            signal = tokio::signal::ctrl_c() => signal,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn environment() -> Environment {
    let variables: std::collections::BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let of = |name: &str| variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = of("XDG_STATE_HOME").or_else(|| of("LOCALAPPDATA")).or_else(|| Some(of("HOME")?.join(".local/state")));
    Environment {
        folder: std::env::current_dir().unwrap_or_default(),
        state: state.map(|folder| folder.join("kubectl-evolve")),
        variables,
    }
}
