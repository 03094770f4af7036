//! A command in a container: `pods/exec`, as the subprotocol `v5.channel.k8s.io` has it. Each message is the number of
//! a channel and what is written to it; the message 255 and a channel's number ends that channel.

use std::time::Duration;

use bytes::Bytes;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use http::Method;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::AbortOnDropHandle;

use super::{
    client::{Call, Cluster},
    discovery::Resource,
    objects::{path, query_string},
    upgrade::Socket,
};
use crate::error::{Error, Result};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

/// Bytes that a stream holds between the connection and who reads or writes it.
const BUFFER: usize = 64 * 1024;
/// How often an idle connection is kept alive: load balancers before API servers drop them after a minute or more.
const PING: Duration = Duration::from_secs(30);

/// What is run, and which of its streams are wanted.
#[derive(Debug, Clone, Default)]
pub struct ExecRequest {
    /// The only one of the pod when absent.
    pub container: Option<String>,
    pub command: Vec<String>,
    pub stdin: bool,
    /// With a terminal there is no stderr of its own: all comes on stdout.
    pub tty: bool,
}

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    pub width: u16,
    pub height: u16,
}

/// A command that runs. Dropping it closes the connection; the command sees its streams end.
///
/// Whoever wants its status reads both outputs to their ends, side by side: the connection waits for its reader.
pub struct Execution {
    /// There when it was asked for. Shutting it down, or dropping it, ends the command's input.
    pub stdin: Option<DuplexStream>,
    pub stdout: DuplexStream,
    pub stderr: DuplexStream,
    sizes: mpsc::Sender<TerminalSize>,
    reader: AbortOnDropHandle<Result<i32>>,
    _writer: AbortOnDropHandle<()>,
}

impl Execution {
    /// Tells the terminal's size; nothing happens where the command has ended.
    pub async fn resize(&self, size: TerminalSize) {
        // An error says that the command has ended, which its status tells better.
        let _ = self.sizes.send(size).await;
    }

    /// What resizes the terminal from elsewhere.
    pub fn sizes(&self) -> mpsc::Sender<TerminalSize> {
        self.sizes.clone()
    }

    /// The command's exit code, when it has ended.
    ///
    /// # Errors
    /// Failed with the server's words when the command could not be run, and when the connection broke off.
    pub async fn status(&mut self) -> Result<i32> {
        match (&mut self.reader).await {
            Ok(status) => status,
            Err(cause) => Err(Error::failed("the command's status is lost").because(cause)),
        }
    }
}

impl Cluster {
    /// Runs a command in a container.
    ///
    /// # Errors
    /// The server's refusal; failed where input is to end and the server cannot be told so (before Kubernetes 1.30).
    pub async fn exec(&self, namespace: &str, pod: &str, request: &ExecRequest) -> Result<Execution> {
        let program = request.command.first().map_or("a command", String::as_str);
        let doing = format!("running {program} in pod/{pod}");
        let mut parameters: Vec<(&str, String)> = vec![
            ("stdin", request.stdin.to_string()),
            ("stdout", "true".into()),
            ("stderr", (!request.tty).to_string()),
            ("tty", request.tty.to_string()),
        ];
        parameters.extend(request.container.iter().map(|name| ("container", name.clone())));
        parameters.extend(request.command.iter().map(|word| ("command", word.clone())));
        let exec = path(&Resource::pods(), Some(namespace), Some(pod)) + "/exec" + &query_string(&parameters);
        let connection = self.upgrade(&Call::new(Method::GET, exec, &doing)).await?;
        let closes = connection.supports_stream_close();
        if request.stdin && !request.tty && !closes {
            return Err(Error::failed(format!("{doing}: the server cannot be told where the input ends"))
                .hint("that takes Kubernetes 1.30 or newer; `kubectl exec` can"));
        }
        Ok(start(connection.into_stream(), request.stdin, closes, doing))
    }
}

fn start(socket: Socket, with_stdin: bool, closes: bool, doing: String) -> Execution {
    let (sink, stream) = socket.split();
    let (input, stdin) = tokio::io::duplex(BUFFER);
    let (stdout, to_stdout) = tokio::io::duplex(BUFFER);
    let (stderr, to_stderr) = tokio::io::duplex(BUFFER);
    let (sizes, sized) = mpsc::channel(1);
    let writer = write(sink, with_stdin.then_some(input), closes, sized);
    let reader = read(stream, to_stdout, to_stderr, doing);
    Execution {
        stdin: with_stdin.then_some(stdin),
        stdout,
        stderr,
        sizes,
        reader: AbortOnDropHandle::new(tokio::spawn(reader)),
        _writer: AbortOnDropHandle::new(tokio::spawn(writer)),
    }
}

/// Sends what is written, until the connection ends.
async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut stdin: Option<DuplexStream>,
    closes: bool,
    mut sizes: mpsc::Receiver<TerminalSize>,
) {
    let mut buffer = vec![0; BUFFER / 2];
    loop {
        let input = async {
            match stdin.as_mut() {
                Some(stdin) => stdin.read(&mut buffer[1..]).await,
                None => std::future::pending().await,
            }
        };
        let message = tokio::select! {
            read = input => match read {
                Ok(count) if count > 0 => {
                    buffer[0] = STDIN;
                    Bytes::copy_from_slice(&buffer[..=count])
                }
                _ => {
                    stdin = None;
                    if !closes {
                        continue;
                    }
                    Bytes::from_static(&[CLOSE, STDIN])
                }
            },
            Some(size) = sizes.recv() => resize_message(size),
            () = tokio::time::sleep(PING) => {
                if sink.send(Message::Ping(Bytes::new())).await.is_err() {
                    return;
                }
                continue;
            }
        };
        if sink.send(Message::Binary(message)).await.is_err() {
            return;
        }
    }
}

fn resize_message(size: TerminalSize) -> Bytes {
    let size = serde_json::json!({"Width": size.width, "Height": size.height});
    let mut message = vec![RESIZE];
    message.extend(size.to_string().into_bytes());
    message.into()
}

/// Hands out what comes, until the connection ends, and returns the exit code.
async fn read(
    mut stream: SplitStream<Socket>,
    mut stdout: DuplexStream,
    mut stderr: DuplexStream,
    doing: String,
) -> Result<i32> {
    let mut status = None;
    let broken = loop {
        let message = match stream.next().await {
            Some(Ok(Message::Binary(message))) => message,
            Some(Ok(_)) => continue,
            Some(Err(cause)) => break Some(cause),
            None => break None,
        };
        let Some((channel, bytes)) = message.split_first() else { continue };
        match *channel {
            // An output that nobody reads any more must not keep the status from being told.
            STDOUT => drop(stdout.write_all(bytes).await),
            STDERR => drop(stderr.write_all(bytes).await),
            STATUS => status = Some(exit_code(bytes, &doing)),
            _ => {}
        }
    };
    match (status, broken) {
        (Some(status), _) => status,
        (None, cause) => {
            let error = Error::failed(format!("{doing}: the connection ended before the command did"));
            Err(match cause {
                Some(cause) => error.because(cause),
                None => error,
            })
        }
    }
}

/// The exit code in the `Status` that ends a command: a failure for the reason `NonZeroExitCode` holds it as a cause
/// (k8s.io/apimachinery/pkg/util/remotecommand).
fn exit_code(bytes: &[u8], doing: &str) -> Result<i32> {
    let unreadable = |cause| Error::failed(format!("{doing}: the command's status cannot be read")).because(cause);
    let status: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
    if status["status"] == "Success" {
        return Ok(0);
    }
    let causes = status["details"]["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let code = causes.iter().find(|cause| cause["reason"] == "ExitCode").and_then(|cause| cause["message"].as_str());
    if status["reason"] == "NonZeroExitCode"
        && let Some(code) = code.and_then(|code| code.parse().ok())
    {
        return Ok(code);
    }
    Err(Error::failed(format!("{doing}: {}", status["message"].as_str().unwrap_or("the server does not say why"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_read_from_the_status() {
        assert_eq!(exit_code(br#"{"status":"Success"}"#, "x").unwrap(), 0);
        let failed = br#"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"42"}]}}"#;
        assert_eq!(exit_code(failed, "x").unwrap(), 42);
    }

    #[test]
    fn a_command_that_cannot_run_is_told_in_the_words_of_the_server() {
        let failed = br#"{"status":"Failure","reason":"InternalError","message":"no such file"}"#;
        assert_eq!(exit_code(failed, "running x").unwrap_err().message(), "running x: no such file");
        assert!(exit_code(b"oh", "running x").is_err());
    }

    #[test]
    fn a_size_is_sent_as_kubectl_sends_it() {
        let message = resize_message(TerminalSize { width: 80, height: 24 });
        assert_eq!(&message[..], b"\x04{\"Width\":80,\"Height\":24}");
    }
}
