//! One connection from this machine to a pod.

use std::{io, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    cluster::{Cluster, PortForward},
    error::Error,
    event::{Event, Sink},
    model::ObjectRef,
    rules::{pods::choice, ports::Port},
};

/// How long a connection waits for a pod, as one does while pods are replaced.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long for a ready one, where another runs.
const READY: Duration = Duration::from_secs(10);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// The pod that connections go to.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub name: String,
    pub ready: bool,
    object: Value,
}

impl Pod {
    pub fn of(object: Value) -> Self {
        Self { name: ObjectRef::of(&object).name, ready: choice::is_ready(&object), object }
    }
}

/// A client that was accepted.
pub(super) struct Connection {
    pub near: TcpStream,
    pub port: Port,
    pub pod: watch::Receiver<Option<Pod>>,
    pub cluster: Arc<Cluster>,
    pub namespace: String,
    pub events: Arc<dyn Sink>,
}

impl Connection {
    /// Connects it, and moves bytes until either side has ended.
    pub async fn carry(mut self) {
        // Small answers are not to wait for more.
        let _ = self.near.set_nodelay(true);
        match self.connect().await {
            Ok((far, pod)) => {
                if let Err(cause) = exchange(&mut self.near, far).await {
                    self.warn(format!("the connection to port {} of pod/{pod} ended: {cause}", self.port.number));
                }
            }
            Err(error) => self.warn(format!("a connection was given up: {error}")),
        }
    }

    async fn connect(&mut self) -> Result<(PortForward, String), Error> {
        let begin = Instant::now();
        let mut last = None;
        loop {
            let ready = timeout_at(begin + READY, self.pod.wait_for(|pod| pod.as_ref().is_some_and(|pod| pod.ready)));
            let ready = ready.await.ok().and_then(Result::ok).and_then(|pod| pod.clone());
            let pod = match ready {
                Some(pod) => Some(pod),
                None => {
                    let any = timeout_at(begin + PATIENCE, self.pod.wait_for(Option::is_some)).await;
                    any.ok().and_then(Result::ok).and_then(|pod| pod.clone())
                }
            };
            let Some(pod) = pod else {
                return Err(
                    last.unwrap_or_else(|| Error::failed(format!("no pod runs after {} s", PATIENCE.as_secs())))
                );
            };
            let Some(number) = self.port.in_pod(&pod.object) else {
                return Err(Error::failed(format!("pod/{} has no port {}", pod.name, self.port.name)));
            };
            match self.cluster.port_forward(&self.namespace, &pod.name, number).await {
                Ok(far) => return Ok((far, pod.name)),
                Err(error) if error.code() == 403 => return Err(error),
                Err(error) if begin.elapsed() >= PATIENCE => return Err(error),
                // It is being replaced; the watch will tell by what.
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn warn(&self, message: String) {
        self.events.emit(Event::Warning { message });
    }
}

/// Moves bytes both ways, until the pod's side ends.
async fn exchange(near: &mut TcpStream, far: PortForward) -> io::Result<()> {
    let (mut from_near, mut to_near) = near.split();
    let (mut from_far, mut to_far) = tokio::io::split(far);
    let there = async {
        let copied = tokio::io::copy(&mut from_near, &mut to_far).await;
        if copied.is_ok() {
            to_far.shutdown().await?;
            // The client may have finished writing and still read.
            std::future::pending::<()>().await;
        }
        copied.map(|_| ())
    };
    let back = async {
        tokio::io::copy(&mut from_far, &mut to_near).await?;
        to_near.shutdown().await
    };
    tokio::select! {
        // A client that breaks off is its own affair.
        _ = there => Ok(()),
        ended = back => match ended {
            Err(cause) if matches!(cause.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(()),
            ended => ended,
        },
    }
}
