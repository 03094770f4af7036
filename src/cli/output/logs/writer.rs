//! A thread that writes to stdout, so that a slow reader holds up neither the connections nor Ctrl-C.

use std::{
    io::{self, Write},
    sync::mpsc::{Receiver as Returned, Sender as Return, channel},
    thread,
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

/// A buffer that holds this much is handed to the thread.
pub(super) const FULL: usize = 64 * 1024;
/// How many buffers wait for the reader of the output.
const WAITING: usize = 4;
/// How long the end of the program waits for a reader that is stuck.
const STUCK: Duration = Duration::from_secs(2);

/// Hands buffers to the thread that writes them.
pub(super) struct Writer {
    buffers: Option<mpsc::Sender<Vec<u8>>>,
    /// Buffers that were written, to be filled again.
    returned: Returned<Vec<u8>>,
    ended: oneshot::Receiver<io::Result<()>>,
    failed: bool,
}

impl Writer {
    /// Starts the thread.
    pub fn start(out: impl Write + Send + 'static) -> Self {
        let (buffers, taken) = mpsc::channel(WAITING);
        let (give_back, returned) = channel();
        let (end, ended) = oneshot::channel();
        thread::spawn(move || {
            // Nobody may be left to be told.
            let _ = end.send(write(out, taken, &give_back));
        });
        Self { buffers: Some(buffers), returned, ended, failed: false }
    }

    /// Hands over a buffer and returns an empty one.
    pub async fn write(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        if buffer.is_empty() {
            return Ok(());
        }
        let empty = self.returned.try_recv().unwrap_or_default();
        let full = std::mem::replace(buffer, empty);
        let Some(buffers) = &self.buffers else { return Err(io::ErrorKind::BrokenPipe.into()) };
        if buffers.send(full).await.is_err() && !self.failed {
            self.failed = true;
            self.buffers = None;
            let ended = (&mut self.ended).await.unwrap_or(Ok(()));
            return Err(ended.err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()));
        }
        Ok(())
    }

    /// Waits until everything is written; not for ever, if the reader does not read.
    pub async fn finish(mut self) -> io::Result<()> {
        self.buffers = None;
        if self.failed {
            return Ok(());
        }
        match tokio::time::timeout(STUCK, self.ended).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

fn write(mut out: impl Write, mut taken: mpsc::Receiver<Vec<u8>>, give_back: &Return<Vec<u8>>) -> io::Result<()> {
    while let Some(mut buffer) = taken.blocking_recv() {
        out.write_all(&buffer)?;
        if taken.is_empty() {
            out.flush()?;
        }
        buffer.clear();
        // Large buffers of long lines are not kept.
        buffer.shrink_to(2 * FULL);
        let _ = give_back.send(buffer);
    }
    out.flush()
}
