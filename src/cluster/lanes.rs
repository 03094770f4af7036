//! Connections for logs, apart from that of the other requests.
//!
//! A server bears about a hundred streams on a connection (kube-apiserver: 100, Go's own default: 250); what is beyond
//! waits in the client without a word, so further streams get further connections.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use kube::Config;

use super::{
    connect::chain,
    transport::{self, Use, Windows},
};
use crate::error::{Error, Result};

/// What all streams of a connection may send before it is read, in bytes. A connection takes no more streams than have
/// their windows in it, so that one that is not read, because others come first in order, never holds up another.
const AHEAD: u32 = 4 * 1024 * 1024;
/// The window of one stream is never smaller, so that a connection never has more than 64.
const NARROWEST: u32 = 64 * 1024;
const WIDEST: u32 = 1024 * 1024;
const FRAME: u32 = 64 * 1024;

/// The connections for logs to one server.
pub(super) struct Lanes {
    config: Config,
    lanes: Mutex<Vec<Lane>>,
}

struct Lane {
    client: kube::Client,
    streams: Arc<AtomicUsize>,
    most: usize,
}

/// A place on a connection, given back when it is dropped.
pub(super) struct Place {
    pub client: kube::Client,
    streams: Arc<AtomicUsize>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lanes {
    pub fn new(config: Config) -> Self {
        Self { config, lanes: Mutex::new(Vec::new()) }
    }

    /// A place on a connection that has one left, or on a new one. `expected` is how many streams will be open at
    /// once, as far as is known; it decides how far each may run ahead of its reader.
    pub fn place(&self, expected: usize) -> Result<Place> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let free = lanes.iter().find(|lane| lane.streams.load(Ordering::Relaxed) < lane.most);
        let (client, streams) = match free {
            Some(lane) => (lane.client.clone(), Arc::clone(&lane.streams)),
            None => {
                let sharing = u32::try_from(expected).unwrap_or(u32::MAX).max(1);
                let answer = (AHEAD / sharing).clamp(NARROWEST, WIDEST);
                let windows = Windows { answer, connection: AHEAD, frame: FRAME };
                let client = transport::client(self.config.clone(), Use::Logs(windows)).map_err(|error| {
                    Error::failed(format!("a connection for logs cannot be made: {}", chain(&error)))
                })?;
                let streams = Arc::new(AtomicUsize::new(0));
                let most = (AHEAD / answer) as usize;
                lanes.push(Lane { client: client.clone(), streams: Arc::clone(&streams), most });
                (client, streams)
            }
        };
        streams.fetch_add(1, Ordering::Relaxed);
        Ok(Place { client, streams })
    }
}
