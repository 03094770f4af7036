//! From the bytes of a stream to the lines that are wanted.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use memchr::memchr;

use super::{
    outlet::{Item, Outlet},
    plan::Plan,
    sink::LogSink,
};
use crate::{
    model::LogSource,
    rules::logs::{Chunk, Filter, Grouper, Known, Resumption, Seen, Splitter, split, to_timestamp},
};

/// How long an entry waits for further lines: those of a stack trace come together.
const ENTRY: Duration = Duration::from_millis(100);
/// How long the other logs wait for the end of a line that comes in pieces.
const LINE: Duration = Duration::from_secs(2);

/// What the lines of one log go through.
pub(super) struct Pipe<S> {
    pub source: Arc<LogSource>,
    stamped: bool,
    splitter: Splitter,
    /// What came so far, where lines have times.
    seen: Option<Seen>,
    /// Set after a cut, until everything that was seen has come again.
    resumption: Option<Resumption>,
    /// Of a line that comes in pieces after a cut: how many bytes are still to be left out.
    skip: usize,
    grouper: Option<Grouper>,
    filter: Filter,
    outlet: Outlet<S>,
}

impl<S: LogSink> Pipe<S> {
    pub fn new(source: Arc<LogSource>, plan: &Plan, outlet: Outlet<S>) -> Self {
        Self {
            source,
            stamped: plan.stamped,
            splitter: Splitter::default(),
            seen: plan.stamped.then(Seen::default),
            resumption: None,
            skip: 0,
            grouper: plan.grouped.then(Grouper::default),
            filter: plan.filter.clone(),
            outlet,
        }
    }

    /// Takes what the stream brings.
    ///
    /// # Errors
    /// When nobody reads the output any more.
    pub async fn take(&mut self, bytes: Bytes) -> io::Result<()> {
        // At most the end of a line that was held, whole lines, and the begin of another.
        let mut chunks: [Option<Chunk>; 3] = [None, None, None];
        let mut places = chunks.iter_mut();
        self.splitter.take(bytes, |chunk| {
            if let Some(place) = places.next() {
                *place = Some(chunk);
            }
        });
        for chunk in chunks.into_iter().flatten() {
            self.unseen(chunk).await?;
        }
        Ok(())
    }

    /// Whether nothing more of the log is wanted.
    pub fn is_over(&self) -> bool {
        self.filter.is_over()
    }

    /// How long what is held back may wait for more; None when nothing is held back.
    pub fn patience(&self) -> Option<Duration> {
        let entry = self.grouper.as_ref().is_some_and(|grouper| !grouper.is_empty());
        match self.outlet.is_open() {
            true => Some(LINE),
            false => entry.then_some(ENTRY),
        }
    }

    /// Gives out what is held back though it may not be whole.
    pub async fn settle(&mut self) -> io::Result<()> {
        self.outlet.let_go(&self.source);
        let held = self.grouper.as_mut().map(Grouper::finish).unwrap_or_default();
        self.filtered(whole(held)).await
    }

    /// The stream has ended, and no more will come.
    pub async fn finish(&mut self) -> io::Result<()> {
        if let Some(last) = self.splitter.finish() {
            self.unseen(last).await?;
        }
        // Nothing came after what was seen, so nothing can be missing between.
        self.resumption = None;
        self.settle().await
    }

    /// The stream was cut: what comes next begins with what was seen.
    ///
    /// # Returns
    /// The `sinceTime` to ask for; None for the same as before.
    pub fn cut(&mut self) -> Option<String> {
        self.splitter.forget();
        self.skip = 0;
        let seen = self.seen.as_ref().filter(|seen| !seen.is_empty())?;
        self.resumption = Some(seen.resume());
        seen.since()
    }

    /// Another instance of the container begins.
    pub async fn begin_anew(&mut self, source: Arc<LogSource>) -> io::Result<()> {
        self.finish().await?;
        self.seen = self.seen.is_some().then(Seen::default);
        self.source = source;
        Ok(())
    }

    /// Marks that lines may be missing.
    pub async fn gap(&mut self, why: String) -> io::Result<()> {
        self.settle().await?;
        self.outlet.give(&self.source, Item::Gap(why)).await
    }

    /// Leaves out what was seen before a cut, and remembers the rest.
    async fn unseen(&mut self, chunk: Chunk) -> io::Result<()> {
        if self.skip > 0 && !chunk.begins {
            return self.skipped(chunk).await;
        }
        self.skip = 0;
        if self.resumption.is_none() || !chunk.begins {
            return self.remembered(chunk).await;
        }
        let mut rest = chunk.bytes;
        while !rest.is_empty() {
            let Some(resumption) = &mut self.resumption else { break };
            let end = memchr(b'\n', &rest).map_or(rest.len(), |end| end + 1);
            if resumption.is_over(&rest[..end]) {
                self.close_resumption().await?;
                continue;
            }
            let line = rest.split_to(end);
            let known = resumption.know(&line);
            let ends = chunk.ends || !rest.is_empty();
            match known {
                Known::New => self.remembered(Chunk { bytes: line, begins: true, ends }).await?,
                Known::Whole => self.skip = if ends { 0 } else { usize::MAX },
                Known::Begin(length) => {
                    let stamp = split(&line).map_or(0, |(_, text)| line.len() - text.len());
                    self.skip = stamp + length;
                    self.skipped(Chunk { bytes: line, begins: false, ends }).await?;
                }
            }
        }
        match rest.is_empty() {
            true => Ok(()),
            false => self.remembered(Chunk { bytes: rest, begins: true, ends: chunk.ends }).await,
        }
    }

    /// Leaves out the begin of a line that was seen in part.
    async fn skipped(&mut self, mut chunk: Chunk) -> io::Result<()> {
        let cut = self.skip.min(chunk.bytes.len());
        if self.skip != usize::MAX {
            self.skip -= cut;
        }
        chunk.bytes = chunk.bytes.split_off(cut);
        if chunk.ends {
            self.skip = 0;
        }
        match chunk.bytes.is_empty() {
            true => Ok(()),
            false => self.remembered(chunk).await,
        }
    }

    async fn close_resumption(&mut self) -> io::Result<()> {
        let Some(resumption) = self.resumption.take() else { return Ok(()) };
        match self.seen.as_ref().and_then(Seen::newest).filter(|_| resumption.has_gap()) {
            Some(newest) => {
                let after = to_timestamp(newest);
                self.gap(format!("the log was rotated or removed: lines after {after} may be missing")).await
            }
            None => Ok(()),
        }
    }

    async fn remembered(&mut self, chunk: Chunk) -> io::Result<()> {
        if let Some(seen) = &mut self.seen {
            match (chunk.begins, chunk.ends) {
                (true, true) => seen.record(&chunk.bytes),
                (begins, ends) => {
                    seen.record_piece(&chunk.bytes, begins);
                    if ends {
                        seen.end_piece();
                    }
                }
            }
        }
        let Some(grouper) = &mut self.grouper else { return self.filtered(chunk).await };
        if chunk.begins && chunk.ends {
            let entries = grouper.take(chunk.bytes, self.stamped);
            return self.filtered(whole(entries)).await;
        }
        let held = grouper.finish();
        self.filtered(whole(held)).await?;
        self.filtered(chunk).await
    }

    async fn filtered(&mut self, mut chunk: Chunk) -> io::Result<()> {
        if !self.filter.is_idle() {
            chunk.bytes = self.filter.keep(&chunk, self.stamped);
        }
        match chunk.bytes.is_empty() {
            true => Ok(()),
            false => self.outlet.give(&self.source, Item::Lines { chunk, stamped: self.stamped }).await,
        }
    }
}

fn whole(bytes: Bytes) -> Chunk {
    Chunk { bytes, begins: true, ends: true }
}
