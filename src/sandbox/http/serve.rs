//! Connections: accepted on the loopback address, encrypted, and ended together.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::{certificate::Identity, faults::Faults, handle};
use crate::{
    error::{Error, Result},
    sandbox::api::Api,
};

/// How many requests may be under way on one connection; each watch is one.
const STREAMS: u32 = 1000;

/// How long a client may take to agree on encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may wait for its next request, as long as at the real server.
const IDLE: Duration = Duration::from_secs(90);

/// What answers requests.
#[derive(Debug, Clone)]
pub struct Server(pub(super) Arc<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub api: Api,
    pub token: String,
    pub faults: Faults,
    /// Whether it listens, and since when: a connection of an earlier run is cut.
    pub run: watch::Sender<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Up(u64),
    /// Nothing is accepted, as while a server restarts.
    Down(u64),
    Ended,
}

/// A server that listens.
#[derive(Debug)]
pub struct Listener {
    server: Server,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub fn new(api: Api, identity: &Identity, faults: Faults) -> Self {
        Self(Arc::new(Parts { api, token: identity.token.clone(), faults, run: watch::Sender::new(Run::Up(0)) }))
    }

    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Cuts every connection, refuses new ones for that long, and listens again.
    pub fn restart(&self, down: Duration) {
        let run = match *self.0.run.borrow() {
            Run::Up(run) | Run::Down(run) => run + 1,
            Run::Ended => return,
        };
        self.0.run.send_replace(Run::Down(run));
        let parts = self.0.clone();
        tokio::spawn(async move {
            tokio::time::sleep(down).await;
            parts.run.send_if_modified(|now| {
                let waits = *now == Run::Down(run);
                if waits {
                    *now = Run::Up(run);
                }
                waits
            });
        });
    }
}

impl Listener {
    /// Begins to listen; port 0 takes any that is free.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(server: Server, identity: &Identity, port: u16) -> Result<Self> {
        let listener = bind(port).await?;
        let address = listener.local_addr().map_err(|error| Error::failed("no address to listen on").because(error))?;
        let acceptor = TlsAcceptor::from(identity.tls.clone());
        let task = tokio::spawn(accept(server.clone(), acceptor, listener, address.port()));
        Ok(Self { server, address, task })
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Ends all connections and stops listening.
    pub async fn stop(self) {
        self.server.0.run.send_replace(Run::Ended);
        let _ = self.task.await;
    }
}

async fn bind(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        Error::failed(format!("cannot listen on port {port}")).because(error).hint("choose another port, or 0 for any")
    })
}

async fn accept(server: Server, acceptor: TlsAcceptor, listener: TcpListener, port: u16) {
    let mut run = server.0.run.subscribe();
    let mut listener = Some(listener);
    loop {
        let now = *run.borrow_and_update();
        match (now, &mut listener) {
            (Run::Ended, _) => return,
            (Run::Down(_), listener) => {
                *listener = None;
                let _ = run.changed().await;
            }
            (Run::Up(_), None) => match bind(port).await {
                Ok(bound) => listener = Some(bound),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            (Run::Up(_), Some(bound)) => tokio::select! {
                _ = run.changed() => {}
                accepted = bound.accept() => match accepted {
                    Ok((stream, _)) => drop(tokio::spawn(connection(server.clone(), acceptor.clone(), stream))),
                    // Out of file descriptors: those that end make room.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
            },
        }
    }
}

async fn connection(server: Server, acceptor: TlsAcceptor, stream: TcpStream) {
    let mut run = server.0.run.subscribe();
    let began = *run.borrow_and_update();
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let parts = server.0.clone();
    let service = service_fn(move |request| {
        let parts = parts.clone();
        async move { handle::handle(&parts, request).await }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS).max_header_list_size(64 * 1024);
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    let ended = async { while *run.borrow_and_update() == began && run.changed().await.is_ok() {} };
    tokio::select! {
        // A connection that was cut is an error, and nobody is left to tell.
        _ = serving => {}
        () = ended => {}
    }
}
