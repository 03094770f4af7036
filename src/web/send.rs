//! One request, through the proxy that the environment names for it.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::{
        legacy::{
            Client,
            connect::{Connect, HttpConnector, proxy::Tunnel},
        },
        proxy::matcher::Matcher,
    },
    rt::TokioExecutor,
};

use super::address::{is_loopback, shown};
use crate::error::{Error, Result};

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("kubectl-evolve/", env!("CARGO_PKG_VERSION")));

/// Sends a request and returns the beginning of the answer, whatever its status.
///
/// # Errors
/// Unreachable, when nothing answers.
pub(super) async fn send(mut request: Request<Bytes>) -> Result<Response<Incoming>> {
    request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    let target = request.uri();
    let proxy = if is_loopback(target) { None } else { Matcher::from_env().intercept(target) };
    match proxy {
        None => exchange(connector, request).await,
        Some(proxy) => {
            let tunnel = Tunnel::new(proxy.uri().clone(), connector);
            match proxy.basic_auth() {
                Some(authorization) => exchange(tunnel.with_auth(authorization.clone()), request).await,
                None => exchange(tunnel, request).await,
            }
        }
    }
}

async fn exchange<C>(connector: C, request: Request<Bytes>) -> Result<Response<Incoming>>
where
    HttpsConnector<C>: Connect + Clone + Send + Sync + 'static,
{
    let name = shown(&request.uri().to_string());
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| Error::failed("this system's certificates cannot be read").because(error))?
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    let sent = Client::builder(TokioExecutor::new()).build(connector).request(request.map(Full::new)).await;
    sent.map_err(|error| Error::unreachable(format!("{name} did not answer")).because(error))
}
