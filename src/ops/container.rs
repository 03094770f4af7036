//! Commands in containers: short ones, and streams out of and into them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    cluster::{Cluster, ExecRequest},
    error::{Error, Result},
    rules::redact::Redactor,
};

/// What a short command may say; more is cut off.
const LONGEST_ANSWER: usize = 1 << 20;
const LONGEST_COMPLAINT: usize = 64 << 10;
const PIECE: usize = 64 << 10;

/// A container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    pub namespace: String,
    pub pod: String,
    pub container: String,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// The answer of a command that did what it was asked.
    ///
    /// # Errors
    /// Failed, with the last line of what it complained about.
    pub fn succeeded(self, doing: &str) -> Result<String> {
        match self.code {
            0 => Ok(self.stdout),
            code => Err(complaint(doing, code, &self.stderr)),
        }
    }
}

/// The error of a command that ended with a code.
pub(crate) fn complaint(doing: &str, code: i32, stderr: &str) -> Error {
    let lines = Redactor::default().lines(stderr);
    let said = lines.iter().rev().find(|line| !line.trim().is_empty()).cloned().unwrap_or_default();
    let error = Error::failed(format!("{doing}: exit code {code}: {said}"));
    match code {
        126 | 127 => error.hint("the image of the container does not have the program"),
        _ => error,
    }
}

impl Spot {
    fn request(&self, command: &[&str], stdin: bool) -> ExecRequest {
        ExecRequest {
            container: Some(self.container.clone()),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            stdin,
            tty: false,
        }
    }

    /// Runs a short command.
    pub async fn ask(&self, cluster: &Cluster, command: &[&str]) -> Result<Answer> {
        let mut stdout = Vec::new();
        let keep = |piece: &[u8]| {
            let room = LONGEST_ANSWER.saturating_sub(stdout.len());
            stdout.extend_from_slice(&piece[..piece.len().min(room)]);
            Ok(())
        };
        let (code, stderr) = self.read(cluster, command, keep).await?;
        Ok(Answer { code, stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr })
    }

    /// Runs a command and hands out what it writes, piece by piece. Returns its exit code and its complaints.
    pub async fn read(
        &self,
        cluster: &Cluster,
        command: &[&str],
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<(i32, String)> {
        let mut execution = cluster.exec(&self.namespace, &self.pod, &self.request(command, false)).await?;
        let mut stdout = std::mem::replace(&mut execution.stdout, tokio::io::duplex(1).0);
        let stderr = std::mem::replace(&mut execution.stderr, tokio::io::duplex(1).0);
        let output = async {
            let mut piece = vec![0; PIECE];
            loop {
                match stdout.read(&mut piece).await.map_err(broken)? {
                    0 => return Ok::<_, Error>(()),
                    length => each(&piece[..length])?,
                }
            }
        };
        let (read, complaints) = tokio::join!(output, complaints(stderr));
        read?;
        Ok((execution.status().await?, complaints))
    }

    /// Runs a command that reads what `next` gives, until that is None. Returns its exit code and its complaints.
    pub async fn write(
        &self,
        cluster: &Cluster,
        command: &[&str],
        mut next: impl FnMut() -> Result<Option<Vec<u8>>>,
    ) -> Result<Answer> {
        let mut execution = cluster.exec(&self.namespace, &self.pod, &self.request(command, true)).await?;
        let stdin = execution.stdin.take();
        let stdout = std::mem::replace(&mut execution.stdout, tokio::io::duplex(1).0);
        let stderr = std::mem::replace(&mut execution.stderr, tokio::io::duplex(1).0);
        let input = async {
            let Some(mut stdin) = stdin else { return Ok(()) };
            while let Some(piece) = next()? {
                // A command that reads no more has failed, which its status tells better.
                if stdin.write_all(&piece).await.is_err() {
                    return Ok(());
                }
            }
            let _ = stdin.shutdown().await;
            Ok::<_, Error>(())
        };
        let (written, stdout, stderr) = tokio::join!(input, complaints(stdout), complaints(stderr));
        written?;
        Ok(Answer { code: execution.status().await?, stdout, stderr })
    }
}

fn broken(cause: std::io::Error) -> Error {
    Error::failed("the connection to the pod broke off").because(cause)
}

/// Everything that is said, to its end; what is too long is cut in front.
async fn complaints(mut stream: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut text: Vec<u8> = Vec::new();
    let mut piece = vec![0; 4096];
    while let Ok(length) = stream.read(&mut piece).await {
        if length == 0 {
            break;
        }
        text.extend_from_slice(&piece[..length]);
        let over = text.len().saturating_sub(LONGEST_COMPLAINT);
        text.drain(..over);
    }
    String::from_utf8_lossy(&text).into_owned()
}
