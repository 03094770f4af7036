//! Reads what is there of one log.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{pipe::Pipe, plan::Plan, sink::LogSink};
use crate::{
    cluster::{Cluster, LogQuery},
    error::Error,
    model::LogSource,
};

/// How often a log that breaks off is gone on with, unless something came meanwhile.
const ATTEMPTS: u32 = 6;
/// How much is compared to know that a log read again is the same.
const COMPARED: usize = 512;

/// Why a log is not read any more.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody reads the output.
    Output(std::io::Error),
    /// The log cannot be read.
    Log(Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

/// What of a log is asked for at first.
pub(super) fn first_query(plan: &Plan, source: &LogSource) -> LogQuery {
    LogQuery {
        namespace: source.namespace.clone(),
        pod: source.pod.clone(),
        container: source.container.clone(),
        previous: plan.previous,
        follow: false,
        timestamps: plan.stamped,
        since: plan.since.clone(),
        tail: plan.tail,
    }
}

/// Reads a log to its end, through cuts.
pub(super) async fn read<S: LogSink>(
    cluster: &Cluster,
    plan: &Plan,
    expected: usize,
    pipe: &mut Pipe<S>,
) -> std::result::Result<(), Stop> {
    let source = Arc::clone(&pipe.source);
    let mut query = first_query(plan, &source);
    let mut before = Before::default();
    let mut failures = 0;
    loop {
        let why = match pass(cluster, &query, expected, pipe, &mut before).await? {
            None => break,
            Some(why) => why,
        };
        failures = if before.grew() { 1 } else { failures + 1 };
        if failures >= ATTEMPTS {
            return Err(Stop::Log(Error::failed(format!("the log of {source} broke off: {why}"))));
        }
        tokio::time::sleep(Duration::from_millis(50 << failures)).await;
        if plan.stamped {
            if let Some(since) = pipe.cut() {
                query = LogQuery { since: Some(since), tail: None, ..query };
            }
            before = Before::default();
        } else {
            before.rewind();
        }
    }
    pipe.finish().await?;
    Ok(())
}

/// One answer to its end.
///
/// # Returns
/// Why it broke off; None when it ended as it should.
async fn pass<S: LogSink>(
    cluster: &Cluster,
    query: &LogQuery,
    expected: usize,
    pipe: &mut Pipe<S>,
    before: &mut Before,
) -> std::result::Result<Option<String>, Stop> {
    let mut stream = cluster.log(query, expected).await.map_err(Stop::Log)?;
    while let Some(next) = stream.next().await {
        let bytes = match next {
            Ok(bytes) => bytes,
            Err(why) => return Ok(Some(why)),
        };
        match before.new_part(bytes) {
            Some(new) if !new.is_empty() => pipe.take(new).await?,
            Some(_) => {}
            None => {
                let why = format!("the log of {} broke off, and is another one now", pipe.source);
                return Err(Stop::Log(Error::failed(why).hint("it was rotated meanwhile; read it again")));
            }
        }
        if pipe.is_over() {
            break;
        }
    }
    Ok(None)
}

/// How much of a log was read, where its lines have no times: a log that is read again begins with the same bytes.
#[derive(Debug, Default)]
struct Before {
    read: u64,
    /// The last bytes that were read.
    last: Vec<u8>,
    /// How much of it has come again.
    again: u64,
    grown: bool,
}

impl Before {
    /// What was not read before; None when the bytes differ from those that were.
    fn new_part(&mut self, mut bytes: Bytes) -> Option<Bytes> {
        let known = usize::try_from(self.read - self.again).unwrap_or(usize::MAX).min(bytes.len());
        if known > 0 {
            // The end of what was read is compared.
            let from = self.read - self.last.len() as u64;
            for (place, byte) in (self.again..).zip(&bytes[..known]) {
                let differs = place >= from && self.last.get(usize::try_from(place - from).ok()?) != Some(byte);
                if differs {
                    return None;
                }
            }
            self.again += known as u64;
            bytes = bytes.split_off(known);
        }
        if !bytes.is_empty() {
            self.read += bytes.len() as u64;
            self.again = self.read;
            self.grown = true;
            let end = &bytes[bytes.len().saturating_sub(COMPARED)..];
            self.last.extend_from_slice(end);
            self.last.drain(..self.last.len().saturating_sub(COMPARED));
        }
        Some(bytes)
    }

    fn rewind(&mut self) {
        self.again = 0;
    }

    /// Whether something new has come since this was last asked.
    fn grew(&mut self) -> bool {
        std::mem::take(&mut self.grown)
    }
}

/// Whether a log that cannot be read stands for all others too.
pub(super) fn is_refused(error: &Error) -> bool {
    error.code() == 403
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_read_again_goes_on_where_it_broke_off() {
        let mut before = Before::default();
        let take = |before: &mut Before, bytes: &'static str| before.new_part(Bytes::from(bytes));
        assert_eq!(take(&mut before, "one\ntw").unwrap(), "one\ntw");
        assert!(before.grew() && !before.grew());
        before.rewind();
        assert_eq!(take(&mut before, "one\n").unwrap(), "");
        assert_eq!(take(&mut before, "two\nthree").unwrap(), "o\nthree");
        before.rewind();
        assert!(take(&mut before, "one\nTwo").is_none());
    }
}
