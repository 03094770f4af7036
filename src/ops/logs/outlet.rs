//! Where the lines of one log go: to the sink, or to the merge.

use std::{io, sync::Arc};

use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

use super::sink::{Lines, LogSink};
use crate::{model::LogSource, rules::logs::Chunk};

/// Ends a line that was left open.
pub(super) const CLOSE: Lines<'static> = Lines { bytes: b"", begins: false, ends: true, stamped: false };

/// What a log brings.
#[derive(Debug)]
pub(super) enum Item {
    Lines { chunk: Chunk, stamped: bool },
    Gap(String),
}

/// Where the lines of one log go.
pub(super) enum Outlet<S> {
    /// To the sink at once. While a line is open, no other log may write.
    Direct { floor: Arc<Mutex<S>>, held: Option<OwnedMutexGuard<S>> },
    /// To be put in order with the others.
    Merged(mpsc::Sender<Item>),
}

impl<S: LogSink> Outlet<S> {
    pub async fn give(&mut self, source: &LogSource, item: Item) -> io::Result<()> {
        let (floor, held) = match self {
            Self::Merged(merge) => return merge.send(item).await.map_err(|_| nobody_reads()),
            Self::Direct { floor, held } => (floor, held),
        };
        let mut sink = match held.take() {
            Some(sink) => sink,
            None => Arc::clone(floor).lock_owned().await,
        };
        let open = put(&mut *sink, source, &item);
        sink.flush().await?;
        if open {
            *held = Some(sink);
        }
        Ok(())
    }

    /// Whether others wait for the end of a line of this log.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Direct { held: Some(_), .. })
    }

    /// Ends the open line, whatever comes of it, so that others can go on.
    pub fn let_go(&mut self, source: &LogSource) {
        if let Self::Direct { held, .. } = self
            && let Some(mut sink) = held.take()
        {
            sink.put(source, CLOSE);
        }
    }
}

/// Puts an item into the sink, and says whether it leaves a line open.
pub(super) fn put<S: LogSink>(sink: &mut S, source: &LogSource, item: &Item) -> bool {
    match item {
        Item::Gap(why) => {
            sink.gap(source, why);
            false
        }
        Item::Lines { chunk, stamped } => {
            let Chunk { bytes, begins, ends } = chunk;
            sink.put(source, Lines { bytes, begins: *begins, ends: *ends, stamped: *stamped });
            !ends
        }
    }
}

/// The reader of the output went away, which ends the reading of logs.
pub(super) fn nobody_reads() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}
