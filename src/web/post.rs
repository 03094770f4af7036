//! Telling an address something.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;

use super::{
    address::{address, shown},
    send::send,
};
use crate::error::{Error, Result};

const TIMEOUT: Duration = Duration::from_secs(15);
/// So much of a refusal is quoted, in bytes.
const QUOTED: usize = 200;

/// Posts JSON, with further headers. Neither the query of the address nor its user is in an error.
///
/// # Errors
/// Usage for what is no web address; unreachable when nothing answers in time; failed for an answer that is no success.
pub async fn post(url: &str, headers: &[(&'static str, String)], body: &Value) -> Result<()> {
    let target = address(url)?;
    let name = shown(url);
    let mut request = Request::post(target).header(header::CONTENT_TYPE, "application/json");
    for (key, value) in headers {
        request = request.header(*key, value);
    }
    let request = request.body(Bytes::from(body.to_string()));
    let request = request.map_err(|error| Error::usage(format!("{name} cannot be told")).because(error))?;
    let answer = async {
        let (head, body) = send(request).await?.into_parts();
        if head.status.is_success() {
            return Ok(());
        }
        let words = Limited::new(body, QUOTED).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace(char::is_control, " ");
        Err(Error::failed(format!("{name} answers {}: {}", head.status, words.trim())))
    };
    tokio::time::timeout(TIMEOUT, answer).await.unwrap_or_else(|_| {
        Err(Error::unreachable(format!("{name} did not answer within {} seconds", TIMEOUT.as_secs())))
    })
}
