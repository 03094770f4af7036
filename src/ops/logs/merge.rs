//! Many logs as one, in the order of time.
//!
//! Each log is in order by itself; of the logs' next entries the earliest comes first. That is certain once every log
//! has shown its next entry. A log that is followed may stay silent, so an entry waits for the others no longer than a
//! window, counted from its time: history, which is older, does not wait.

use std::{cmp::Reverse, collections::BinaryHeap, io, sync::Arc, time::Duration};

use bytes::{Buf, Bytes};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Mutex, mpsc},
    time::Instant,
};

use super::{
    outlet::{CLOSE, Item, put},
    sink::{Lines, LogSink},
};
use crate::{
    context::Clock,
    model::LogSource,
    rules::logs::{Chunk, Entries, Stamp, split},
};

/// How long an entry waits for earlier ones of other logs while following.
pub(super) const WINDOW: Duration = Duration::from_millis(500);
/// How long the others wait for the end of a line that comes in pieces.
const STALL: Duration = Duration::from_secs(2);
/// How many chunks of a log wait to be put in order.
pub(super) const AHEAD: usize = 2;

/// A log to be merged.
pub(super) struct Lane {
    pub source: Arc<LogSource>,
    pub items: mpsc::Receiver<Item>,
}

/// A log whose next entry is known.
struct Ready {
    lane: Lane,
    /// The lines that were not given out yet.
    rest: Bytes,
    stamped: bool,
    ends: bool,
    /// The time of the next entry, never before that of the last.
    key: Stamp,
    arrived: Instant,
}

type Awaited = FuturesUnordered<BoxFuture<'static, (Lane, Stamp, Option<Item>)>>;

/// Puts logs in order until all have ended and no more can come.
pub(super) struct Merge<S> {
    sink: Arc<Mutex<S>>,
    clock: Arc<dyn Clock>,
    /// None: entries wait for the others for as long as it takes.
    window: Option<Duration>,
    ready: Vec<Option<Ready>>,
    order: BinaryHeap<Reverse<(Stamp, usize)>>,
    awaited: Awaited,
}

impl<S: LogSink> Merge<S> {
    pub fn new(sink: Arc<Mutex<S>>, clock: Arc<dyn Clock>, window: Option<Duration>) -> Self {
        let (ready, order, awaited) = (Vec::new(), BinaryHeap::new(), FuturesUnordered::new());
        Self { sink, clock, window, ready, order, awaited }
    }

    /// Merges the logs that are there, and those that come.
    pub async fn run(mut self, mut lanes: mpsc::UnboundedReceiver<Lane>) -> io::Result<()> {
        let floor = Arc::clone(&self.sink);
        let mut sink = floor.lock().await;
        let mut more = true;
        while let Ok(lane) = lanes.try_recv() {
            self.wait_for(lane, Stamp::MIN);
        }
        loop {
            let due = self.give_out(&mut *sink).await?;
            sink.flush().await?;
            if !more && self.order.is_empty() && self.awaited.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some((lane, key, item)) = self.awaited.next() => self.came(&mut *sink, lane, key, item).await,
                lane = lanes.recv(), if more => match lane {
                    Some(lane) => self.wait_for(lane, Stamp::MIN),
                    None => more = false,
                },
                () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => {}
            }
        }
    }

    fn wait_for(&mut self, mut lane: Lane, key: Stamp) {
        let waiting = async move {
            let item = lane.items.recv().await;
            (lane, key, item)
        };
        self.awaited.push(waiting.boxed());
    }

    /// Takes what a log has brought.
    async fn came(&mut self, sink: &mut S, mut lane: Lane, mut key: Stamp, mut item: Option<Item>) {
        loop {
            match item {
                None => return,
                Some(Item::Gap(_)) => {
                    if let Some(gap) = &item {
                        put(sink, &lane.source, gap);
                    }
                }
                Some(Item::Lines { chunk, stamped }) if !chunk.begins => {
                    Self::pieces(sink, &mut lane, Item::Lines { chunk, stamped }).await;
                }
                Some(Item::Lines { chunk, stamped }) => {
                    let Chunk { bytes: rest, ends, .. } = chunk;
                    key = key_of(&rest, stamped, key);
                    return self.insert(Ready { lane, rest, stamped, ends, key, arrived: Instant::now() });
                }
            }
            item = match lane.items.try_recv() {
                Ok(item) => Some(item),
                Err(mpsc::error::TryRecvError::Empty) => return self.wait_for(lane, key),
                Err(mpsc::error::TryRecvError::Disconnected) => None,
            };
        }
    }

    fn insert(&mut self, ready: Ready) {
        let key = ready.key;
        let place = match self.ready.iter().position(Option::is_none) {
            Some(place) => {
                self.ready[place] = Some(ready);
                place
            }
            None => {
                self.ready.push(Some(ready));
                self.ready.len() - 1
            }
        };
        self.order.push(Reverse((key, place)));
    }

    /// Gives out every entry whose turn has come.
    ///
    /// # Returns
    /// When the next is due, if it waits for logs that may stay silent.
    async fn give_out(&mut self, sink: &mut S) -> io::Result<Option<Duration>> {
        while let Some(Reverse((key, place))) = self.order.peek().copied() {
            let Some(ready) = self.ready[place].as_mut() else {
                self.order.pop();
                continue;
            };
            if !self.awaited.is_empty() {
                let Some(window) = self.window else { return Ok(None) };
                let wait = patience(&*self.clock, window, key, ready.arrived);
                if !wait.is_zero() {
                    return Ok(Some(wait));
                }
            }
            self.order.pop();
            let next = self.order.peek().map_or(Stamp::MAX, |Reverse((key, _))| *key);
            let limit = if self.awaited.is_empty() { next } else { key };
            if ready.give(sink, limit) {
                self.order.push(Reverse((ready.key, place)));
            } else if let Some(ready) = self.ready[place].take() {
                self.exhausted(sink, ready).await;
            }
            if sink.is_full() {
                sink.flush().await?;
            }
        }
        Ok(None)
    }

    /// Goes on with a log whose chunk was given out.
    async fn exhausted(&mut self, sink: &mut S, ready: Ready) {
        let Ready { mut lane, key, ends, .. } = ready;
        if !ends {
            Self::finish_line(sink, &mut lane).await;
        }
        match lane.items.try_recv() {
            Ok(item) => self.came(sink, lane, key, Some(item)).await,
            Err(mpsc::error::TryRecvError::Empty) => self.wait_for(lane, key),
            Err(mpsc::error::TryRecvError::Disconnected) => {}
        }
    }

    async fn pieces(sink: &mut S, lane: &mut Lane, item: Item) {
        if put(sink, &lane.source, &item) {
            Self::finish_line(sink, lane).await;
        }
    }

    /// Gives out the pieces of a line until it ends; the others wait for it.
    async fn finish_line(sink: &mut S, lane: &mut Lane) {
        loop {
            // A sink that is closed shows at the next flush.
            let _ = sink.flush().await;
            match tokio::time::timeout(STALL, lane.items.recv()).await {
                Ok(Some(item)) => {
                    if !put(sink, &lane.source, &item) {
                        return;
                    }
                }
                Ok(None) | Err(_) => return sink.put(&lane.source, CLOSE),
            }
        }
    }
}

impl Ready {
    /// Gives out entries up to a time, and says whether some are left.
    fn give(&mut self, sink: &mut impl LogSink, limit: Stamp) -> bool {
        loop {
            let length = match self.ends {
                true => Entries::new(&self.rest, self.stamped).next().map_or(0, |entry| entry.bytes.len()),
                false => self.rest.len(),
            };
            let lines = Lines { bytes: &self.rest[..length], begins: true, ends: self.ends, stamped: self.stamped };
            sink.put(&self.lane.source, lines);
            self.rest.advance(length);
            if self.rest.is_empty() {
                return false;
            }
            self.key = key_of(&self.rest, self.stamped, self.key);
            if self.key > limit || sink.is_full() {
                return true;
            }
        }
    }
}

fn key_of(lines: &[u8], stamped: bool, before: Stamp) -> Stamp {
    split(lines).filter(|_| stamped).map_or(before, |(stamp, _)| stamp.max(before))
}

/// How much longer an entry waits for earlier ones of logs that are silent.
fn patience(clock: &dyn Clock, window: Duration, key: Stamp, arrived: Instant) -> Duration {
    let here = window.saturating_sub(arrived.elapsed());
    let age = clock.now().as_nanosecond().saturating_sub(key.into());
    let age = Duration::from_nanos(u64::try_from(age).unwrap_or(0));
    here.min(window.saturating_sub(age))
}
