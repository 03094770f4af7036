//! What an operation is given instead of ambient state: clock, cancellation, events, environment, clients.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::{Cluster, ConnectOptions},
    error::{Error, Result},
    event::{Event, Sink},
};

/// Tells the time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The surroundings of the process, read once at its start.
#[derive(Clone, Default)]
pub struct Environment {
    /// The working directory.
    pub folder: PathBuf,
    /// The environment variables. They hold secrets, so nothing prints them.
    pub variables: BTreeMap<String, String>,
    /// Where state that outlives a run may be kept (keys of plans); None where the system names no place.
    pub state: Option<PathBuf>,
}

/// Everything an operation needs besides its request.
pub struct Ctx {
    pub clock: Arc<dyn Clock>,
    /// Cancelled when the user interrupts; waits end, and what is begun is left in a state that can be told.
    pub cancel: CancellationToken,
    pub events: Arc<dyn Sink>,
    pub environment: Environment,
    pub connect: ConnectOptions,
    cluster: OnceCell<Arc<Cluster>>,
}

impl Ctx {
    pub fn new(events: Arc<dyn Sink>, environment: Environment, connect: ConnectOptions) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            cancel: CancellationToken::new(),
            events,
            environment,
            connect,
            cluster: OnceCell::new(),
        }
    }

    /// The cluster, connected at the first call.
    pub async fn cluster(&self) -> Result<Arc<Cluster>> {
        let connect = async || self.connect.connect().await.map(Arc::new);
        self.cluster.get_or_try_init(connect).await.cloned()
    }

    pub fn emit(&self, event: Event) {
        self.events.emit(event);
    }

    pub fn warn(&self, message: impl Into<String>) {
        self.emit(Event::Warning { message: message.into() });
    }

    pub fn note(&self, message: impl Into<String>) {
        self.emit(Event::Note { message: message.into() });
    }

    pub fn phase(&self, name: &'static str, message: impl Into<String>) {
        self.emit(Event::Phase { name, message: message.into() });
    }

    /// Runs a step unless the user interrupts; then it ends with what was being done.
    pub async fn unless_cancelled<T>(&self, doing: &str, step: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::interrupted(format!("interrupted while {doing}"))),
            done = step => done,
        }
    }
}
