//! A connection to a port of a pod: `pods/portforward` over a websocket, one for each connection.
//!
//! Channel 0 carries the data and channel 1 an error; the first message on each is the port's number. The protocol
//! cannot tell the pod that the near end has finished writing, so a connection whose near end has is kept for as long
//! as the pod still answers.

use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use http::Method;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, ReadHalf, WriteHalf},
    sync::watch,
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::AbortOnDropHandle;

use super::{
    client::{Call, Cluster},
    discovery::Resource,
    objects::{path, query_string},
    upgrade::Socket,
};
use crate::error::Result;

const DATA: u8 = 0;

/// Bytes held between the connection and who reads or writes it.
const BUFFER: usize = 64 * 1024;
/// How often an idle connection is kept alive.
const PING: Duration = Duration::from_secs(30);
/// How long the pod may be silent after the near end has finished writing.
const LINGER: Duration = Duration::from_secs(60);

/// A connection to a port of a pod. Dropping it ends it.
///
/// Reading fails with the node's words where the port refuses the connection.
pub struct PortForward {
    stream: DuplexStream,
    refusal: Arc<OnceLock<String>>,
    _pump: AbortOnDropHandle<()>,
}

impl Cluster {
    /// Connects to a port of a pod.
    ///
    /// # Errors
    /// The server's refusal. Whether something listens at the port shows when the connection is read.
    pub async fn port_forward(&self, namespace: &str, pod: &str, port: u16) -> Result<PortForward> {
        let doing = format!("forwarding to port {port} of pod/{pod}");
        let query = query_string(&[("ports", port.to_string())]);
        let forward = path(&Resource::pods(), Some(namespace), Some(pod)) + "/portforward" + &query;
        let socket = self.upgrade(&Call::new(Method::GET, forward, &doing)).await?.into_stream();
        let (stream, far) = tokio::io::duplex(BUFFER);
        let refusal = Arc::new(OnceLock::new());
        let pump = tokio::spawn(pump(socket, far, Arc::clone(&refusal)));
        Ok(PortForward { stream, refusal, _pump: AbortOnDropHandle::new(pump) })
    }
}

async fn pump(socket: Socket, far: DuplexStream, refusal: Arc<OnceLock<String>>) {
    let (sink, stream) = socket.split();
    let (from_near, to_near) = tokio::io::split(far);
    let (finished, near_finished) = watch::channel(false);
    // Ends with the pod's side: what is still to be sent then has nobody to read it.
    tokio::select! {
        () = from_pod(stream, to_near, near_finished, refusal) => {}
        () = to_pod(sink, from_near, finished) => {}
    }
}

async fn from_pod(
    mut stream: SplitStream<Socket>,
    mut near: WriteHalf<DuplexStream>,
    mut near_finished: watch::Receiver<bool>,
    refusal: Arc<OnceLock<String>>,
) {
    // Whether the port's number has come, of data and of errors.
    let mut announced = [false; 2];
    loop {
        let linger = async {
            // An error says that the sender is gone, and with it the connection.
            let _ = near_finished.wait_for(|finished| *finished).await;
            tokio::time::sleep(LINGER).await;
        };
        let message = tokio::select! {
            message = stream.next() => message,
            () = linger => return,
        };
        let message = match message {
            Some(Ok(Message::Binary(message))) => message,
            Some(Ok(_)) => continue,
            Some(Err(_)) | None => break,
        };
        let Some((channel, bytes)) = message.split_first() else { continue };
        let Some(announced) = announced.get_mut(usize::from(*channel)) else { continue };
        if !std::mem::replace(announced, true) {
            continue;
        }
        if *channel == DATA {
            if near.write_all(bytes).await.is_err() {
                return;
            }
        } else if !bytes.is_empty() {
            let _ = refusal.set(String::from_utf8_lossy(bytes).trim().to_owned());
            break;
        }
    }
    let _ = near.shutdown().await;
}

async fn to_pod(mut sink: SplitSink<Socket, Message>, mut near: ReadHalf<DuplexStream>, finished: watch::Sender<bool>) {
    let mut buffer = vec![0; BUFFER / 2];
    buffer[0] = DATA;
    loop {
        let open = !*finished.borrow();
        let message = tokio::select! {
            read = near.read(&mut buffer[1..]), if open => match read {
                Ok(count) if count > 0 => Message::Binary(Bytes::copy_from_slice(&buffer[..=count])),
                _ => {
                    finished.send_replace(true);
                    continue;
                }
            },
            () = tokio::time::sleep(PING) => Message::Ping(Bytes::new()),
        };
        if sink.send(message).await.is_err() {
            // What the pod sent before it closed is still to be read.
            return std::future::pending().await;
        }
    }
}

impl AsyncRead for PortForward {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let ended = buffer.filled().len() == before && buffer.remaining() > 0;
        match self.refusal.get().filter(|_| ended) {
            Some(refusal) => Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionRefused, refusal.clone()))),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for PortForward {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
