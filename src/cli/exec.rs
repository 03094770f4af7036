//! `kubectl evolve exec`

use std::io::{self, IsTerminal, Read, Write};

use clap::Args;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

use super::{
    Session,
    terminal::{RawMode, follow_size},
};
use crate::{
    cluster::Execution,
    error::{Error, Result},
    exit,
    model::CommandRequest,
    ops,
};

/// Bytes that are moved at once.
const CHUNK: usize = 32 * 1024;

/// Run a command in a container
///
/// The exit code is the command's own.
#[derive(Debug, Args)]
#[command(override_usage = "kubectl evolve exec [OPTIONS] <TARGET> -- <COMMAND>...")]
pub struct Arguments {
    /// KIND/NAME, or a name alone: a pod, or what has pods
    #[arg(value_name = "TARGET")]
    target: String,
    /// The container [default: that of the annotation kubectl.kubernetes.io/default-container, else the first]
    #[arg(short, long, value_name = "CONTAINER")]
    container: Option<String>,
    /// Hand this command's input to it
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let tty = arguments.tty && io::stdin().is_terminal();
    if arguments.tty && !tty {
        session.ctx.warn("the input is no terminal, so the command gets none either");
    }
    let request = CommandRequest {
        target: session.target(),
        of: arguments.target,
        container: arguments.container,
        command: arguments.command,
        stdin: arguments.stdin,
        tty,
    };
    attach(&request, session).await
}

/// Runs a command with this process's streams, and returns its exit code.
pub(super) async fn attach(request: &CommandRequest, session: &mut Session) -> Result<u8> {
    let tty = request.tty;
    let mut execution = ops::exec::start(&session.ctx, request).await?;
    session.ctx.events.finish();
    // Held until the end of the function, whichever way it ends.
    let _raw = match tty {
        true => {
            Some(RawMode::enter().map_err(|cause| Error::failed("the terminal cannot be taken over").because(cause))?)
        }
        false => None,
    };
    let sizes = execution.sizes();
    let resizing = async {
        match tty {
            true => follow_size(sizes).await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = exchange(&mut execution) => ended,
        () = resizing => Ok(exit::FAILED),
        () = session.ctx.cancel.cancelled() => Ok(exit::INTERRUPTED),
    }
}

/// Moves the streams until the command has ended.
async fn exchange(execution: &mut Execution) -> Result<u8> {
    let input = execution.stdin.take();
    let feeding = async {
        if let Some(mut stdin) = input {
            let mut read = input_of_process();
            while let Some(bytes) = read.recv().await {
                // The command may end, or close its input, before it has read everything.
                if stdin.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            let _ = stdin.shutdown().await;
        }
        std::future::pending::<()>().await;
    };
    let outputs = async {
        let stdout = pass_on(&mut execution.stdout, io::stdout());
        let stderr = pass_on(&mut execution.stderr, io::stderr());
        tokio::try_join!(stdout, stderr)
    };
    let passed = tokio::select! {
        () = feeding => return Ok(exit::FAILED),
        passed = outputs => passed,
    };
    match passed {
        // A reader that went away has all that it wanted.
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => return Ok(exit::DONE),
        Err(cause) => return Err(Error::failed("the output cannot be written").because(cause)),
        Ok(_) => {}
    }
    let code = execution.status().await?;
    // A process of another system may end with a code that ours cannot.
    Ok(u8::try_from(code).unwrap_or(exit::FAILED))
}

/// What the process reads, until its input ends. A read cannot be cancelled, so a thread of its own does it, which the
/// end of the process does not wait for.
fn input_of_process() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut buffer = vec![0; CHUNK];
        loop {
            match io::stdin().lock().read(&mut buffer) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) if count > 0 && sender.blocking_send(buffer[..count].to_vec()).is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

/// Copies, and hands on at once what has come, as a prompt without a line end has to be.
async fn pass_on(from: &mut (impl AsyncRead + Unpin), mut to: impl Write) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        // A slow reader holds this thread; the other ones go on with the connection.
        tokio::task::block_in_place(|| to.write_all(&buffer[..count]).and_then(|()| to.flush()))?;
    }
}
