//! Manifests from the web.

use std::{net::IpAddr, time::Duration};

use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
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

use crate::error::{Error, Result};

/// The largest answer that is read, in bytes.
const SIZE_LIMIT: usize = 64 << 20;
/// How long everything together may take.
const TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 10;

/// An answer, with its body when it is a success.
struct Answer {
    status: StatusCode,
    /// Where a redirect leads.
    location: Option<String>,
    body: Vec<u8>,
}

/// What `url` answers, redirects followed.
///
/// # Errors
/// A usage error for what is no web address or answers 4xx; unreachable when the server does not answer.
pub(super) async fn get(url: &str) -> Result<Vec<u8>> {
    tokio::time::timeout(TIMEOUT, follow(url, SIZE_LIMIT)).await.unwrap_or_else(|_| {
        let seconds = TIMEOUT.as_secs();
        Err(Error::unreachable(format!("{} did not answer in full within {seconds} seconds", shown(url))))
    })
}

/// A URL without user, password and query; what is no URL as it is.
pub(super) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

async fn follow(url: &str, size_limit: usize) -> Result<Vec<u8>> {
    let mut target = address(url)?;
    for _ in 0..=MAX_REDIRECTS {
        let answer = send(&target, size_limit).await?;
        let name = shown(&target.to_string());
        if let Some(location) = answer.location {
            let next = resolve(&target, &location)?;
            if target.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                return Err(Error::usage(format!("{name} redirects from https to http, which is not followed")));
            }
            target = next;
        } else if answer.status.is_success() {
            return Ok(answer.body);
        } else {
            return Err(refusal(&name, answer.status));
        }
    }
    Err(Error::usage(format!("{} redirects more than {MAX_REDIRECTS} times", shown(url))))
}

fn address(url: &str) -> Result<Uri> {
    let uri = url.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    uri.ok_or_else(|| Error::usage(format!("{} is not a web address (http:// or https://)", shown(url))))
}

/// Where a redirect from `from` leads.
fn resolve(from: &Uri, location: &str) -> Result<Uri> {
    if location.contains("://") {
        return address(location);
    }
    let scheme = from.scheme_str().unwrap_or_default();
    let authority = from.authority().map_or("", |authority| authority.as_str());
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    address(&match location {
        location if location.starts_with("//") => format!("{scheme}:{location}"),
        location if location.starts_with('/') => format!("{scheme}://{authority}{location}"),
        location => format!("{scheme}://{authority}{folder}/{location}"),
    })
}

fn refusal(name: &str, status: StatusCode) -> Error {
    let error = Error::usage(format!("{name} answers {status}"));
    match status {
        StatusCode::NOT_FOUND => error.hint("check the address; a private page often answers 404 too"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => error.hint("only public addresses can be read: download it with what has access, and pipe it: … | kubectl evolve deploy -f -"),
        _ => error,
    }
}

/// Sends a GET, through the proxy that the environment names for the target.
async fn send(target: &Uri, size_limit: usize) -> Result<Answer> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    let proxy = if is_loopback(target) { None } else { Matcher::from_env().intercept(target) };
    match proxy {
        None => request(connector, target, size_limit).await,
        Some(proxy) => {
            let tunnel = Tunnel::new(proxy.uri().clone(), connector);
            match proxy.basic_auth() {
                Some(authorization) => request(tunnel.with_auth(authorization.clone()), target, size_limit).await,
                None => request(tunnel, target, size_limit).await,
            }
        }
    }
}

/// As in Go, no proxy is asked for this machine itself.
fn is_loopback(target: &Uri) -> bool {
    let host = target.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

async fn request<C>(connector: C, target: &Uri, size_limit: usize) -> Result<Answer>
where
    HttpsConnector<C>: Connect + Clone + Send + Sync + 'static,
{
    let name = shown(&target.to_string());
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| Error::failed("this system's certificates cannot be read").because(error))?
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    let request = Request::get(target)
        .header(header::USER_AGENT, concat!("kubectl-evolve/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<&[u8]>::new())
        .map_err(|error| Error::usage(format!("{name} cannot be asked for")).because(error))?;
    let response = Client::builder(TokioExecutor::new())
        .build(connector)
        .request(request)
        .await
        .map_err(|error| Error::unreachable(format!("{name} did not answer")).because(error))?;
    let (head, body) = response.into_parts();
    let location = head.headers.get(header::LOCATION).filter(|_| head.status.is_redirection());
    let location = location.map(|location| String::from_utf8_lossy(location.as_bytes()).into_owned());
    let body = if head.status.is_success() {
        let read = Limited::new(body, size_limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Error::usage(format!("{name} is larger than {} MiB", size_limit >> 20))
            } else {
                Error::unreachable(format!("the answer of {name} broke off")).because(error)
            }
        })?;
        read.to_bytes().into()
    } else {
        Vec::new()
    };
    Ok(Answer { status: head.status, location, body })
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        response::Redirect,
        routing::{any, get as route},
    };

    use super::*;

    async fn server() -> String {
        let routes = Router::new()
            .route("/a/text.yaml", route(|| async { "kind: Pod" }))
            .route("/a/relative", route(|| async { Redirect::permanent("text.yaml") }))
            .route("/absolute", route(|| async { Redirect::temporary("/a/relative") }))
            .route("/circle", route(|| async { Redirect::temporary("/circle") }))
            .route("/elsewhere", route(|| async { Redirect::temporary("file:///etc/passwd") }))
            .route("/broken", any(|| async { StatusCode::INTERNAL_SERVER_ERROR }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn redirects_are_followed() {
        let server = server().await;
        assert_eq!(get(&format!("{server}/absolute?token=secret")).await.unwrap(), b"kind: Pod");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_said() {
        let server = server().await;
        let table = [
            ("/none?token=secret", "/none answers 404 Not Found"),
            ("/circle", "/circle redirects more than 10 times"),
            ("/elsewhere", "file:///etc/passwd is not a web address (http:// or https://)"),
            ("/broken", "/broken answers 500 Internal Server Error"),
        ];
        for (path, expected) in table {
            let error = get(&format!("{server}{path}")).await.unwrap_err();
            assert!(error.to_string().ends_with(expected) && !error.to_string().contains("secret"), "{error}");
        }
        let error = follow(&format!("{server}/a/text.yaml"), 5).await.unwrap_err();
        assert!(error.to_string().contains("is larger than"), "{error}");
        let error = get("http://127.0.0.1:1/").await.unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Unreachable);
    }

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        assert_eq!(shown("https://user:word@host:8/a@b?token=1#x"), "https://host:8/a@b");
        assert_eq!(shown("https://user:word@host?a/b"), "https://host");
    }
}
