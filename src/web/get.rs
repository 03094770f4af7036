//! What an address answers.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{
    address::{address, shown},
    send::send,
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
pub async fn get(url: &str) -> Result<Vec<u8>> {
    tokio::time::timeout(TIMEOUT, follow(url, SIZE_LIMIT)).await.unwrap_or_else(|_| {
        let seconds = TIMEOUT.as_secs();
        Err(Error::unreachable(format!("{} did not answer in full within {seconds} seconds", shown(url))))
    })
}

async fn follow(url: &str, size_limit: usize) -> Result<Vec<u8>> {
    let mut target = address(url)?;
    for _ in 0..=MAX_REDIRECTS {
        let answer = ask(&target, size_limit).await?;
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

async fn ask(target: &Uri, size_limit: usize) -> Result<Answer> {
    let name = shown(&target.to_string());
    let request = Request::get(target).body(Bytes::new());
    let request = request.map_err(|error| Error::usage(format!("{name} cannot be asked for")).because(error))?;
    let (head, body) = send(request).await?.into_parts();
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
}
