//! The connections to the API server.
//!
//! kube's own builder speaks HTTP/1.1, so each request in flight costs a connection and a TLS handshake, and it leaves
//! Nagle's algorithm on, which holds small requests back for some 40 ms. Here one HTTP/2 connection carries all, where
//! the server speaks it. Websockets to pods take over the connection that asked for them, which HTTP/1.1 alone allows,
//! so there is a second client for those.

use std::time::Duration;

use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use kube::{
    Config,
    client::{ClientBuilder, ConfigExt},
};
use tower::{BoxError, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

/// How long a connection may be silent before it is tried, and how long its answer may then take: a server that
/// vanished must not hold the connection that all requests share.
const PING: Duration = Duration::from_secs(10);

/// What the requests of a client are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Requests that are answered.
    Requests,
    /// Requests that take over their connection.
    Upgrades,
    /// Answers that are read while they are sent.
    Logs(Windows),
}

/// How much the server may send before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    /// Bytes of one answer.
    pub answer: u32,
    /// Bytes of all answers of a connection.
    pub connection: u32,
    /// The longest frame, in bytes: each costs a step of work.
    pub frame: u32,
}

/// A client as the configuration asks for. Sends no request.
///
/// # Errors
/// For certificates and keys that cannot be used, and for credentials that cannot be had.
pub(super) fn client(config: Config, purpose: Use) -> kube::Result<kube::Client> {
    if config.proxy_url.is_some() {
        return Ok(ClientBuilder::try_from(config)?.build());
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(config.connect_timeout);
    if purpose == Use::Upgrades {
        // No HTTP/2 ping tells that the server vanished behind these.
        tcp.set_keepalive(Some(PING));
        tcp.set_keepalive_interval(Some(PING));
        tcp.set_keepalive_retries(Some(3));
    }
    let mut tls = HttpsConnectorBuilder::new().with_tls_config(config.rustls_client_config()?).https_or_http();
    if let Some(name) = config.tls_server_name.clone() {
        let name = name.try_into().map_err(|cause| kube::Error::Service(BoxError::from(cause)))?;
        tls = tls.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    let mut connections = Client::builder(TokioExecutor::new());
    connections.timer(TokioTimer::new()).http2_keep_alive_interval(PING).http2_keep_alive_timeout(PING);
    if let Use::Logs(windows) = purpose {
        connections
            .http2_initial_stream_window_size(windows.answer)
            .http2_initial_connection_window_size(windows.connection)
            .http2_max_frame_size(windows.frame);
    }
    let connections = connections.build(match purpose {
        Use::Requests | Use::Logs(_) => tls.enable_all_versions().wrap_connector(tcp),
        Use::Upgrades => tls.enable_http1().wrap_connector(tcp),
    });
    let compressed = !config.disable_compression && !is_on_this_machine(&config);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(compressed))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(connections);
    Ok(ClientBuilder::new(service, config.default_namespace).build())
}

/// Whether the server is this machine, to which compressing takes longer than sending.
fn is_on_this_machine(config: &Config) -> bool {
    let host = config.cluster_url.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
