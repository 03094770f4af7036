//! Answers: their headers, and how JSON is written.

use std::{convert::Infallible, io::Write as _};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT, VARY,
    },
};
use serde_json::Value;

use super::{accept::Format, query::Query};
use crate::sandbox::problem::Problem;

pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Smaller answers are not worth packing (`defaultGzipThresholdBytes` of apiserver).
const PACKED_FROM: usize = 128 * 1024;

/// How the client wants bodies to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub format: Format,
    /// Indented, as the real server does for browsers and curl.
    pub pretty: bool,
    pub packed: bool,
}

impl Style {
    pub fn of(headers: &HeaderMap, query: &Query, format: Format) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        let agent = text(USER_AGENT);
        let person = ["curl", "Wget", "Mozilla/5.0"].iter().any(|known| agent.starts_with(known));
        let pretty = if query.has("pretty") { query.flag("pretty") } else { person };
        Self { format, pretty, packed: text(ACCEPT_ENCODING).contains("gzip") }
    }
}

/// An answer that is an object.
pub(super) fn object(style: Style, code: u16, object: &Value) -> Response<Body> {
    let (kind, bytes) = match (style.format, style.pretty) {
        (Format::Yaml, _) => ("application/yaml", serde_yaml::to_string(object).unwrap_or_default().into_bytes()),
        (Format::Json, true) => ("application/json", serde_json::to_vec_pretty(object).unwrap_or_default()),
        (Format::Json, false) => {
            let mut bytes = serde_json::to_vec(object).unwrap_or_default();
            bytes.push(b'\n');
            ("application/json", bytes)
        }
    };
    bytes_as(style, code, kind, bytes.into())
}

/// An answer that is JSON already.
pub(super) fn json(style: Style, code: u16, bytes: Bytes) -> Response<Body> {
    if style.pretty || style.format == Format::Yaml {
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        return object(style, code, &value);
    }
    let mut line = Vec::with_capacity(bytes.len() + 1);
    line.extend_from_slice(&bytes);
    line.push(b'\n');
    bytes_as(style, code, "application/json", line.into())
}

/// An answer of any type.
pub(super) fn bytes_as(style: Style, code: u16, kind: &str, bytes: Bytes) -> Response<Body> {
    let pack = style.packed && bytes.len() > PACKED_FROM;
    let packed = pack.then(|| gzip(&bytes)).flatten();
    let mut response = plain(code, kind, packed.clone().unwrap_or(bytes));
    if packed.is_some() {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// An answer as it is, with the headers that every answer has.
pub(super) fn plain(code: u16, kind: &str, bytes: Bytes) -> Response<Body> {
    with_headers(code, kind, Full::new(bytes).boxed_unsync())
}

pub(super) fn with_headers(code: u16, kind: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert(CONTENT_TYPE, kind);
    }
    response
}

pub(super) fn text(code: u16, text: &str) -> Response<Body> {
    plain(code, "text/plain; charset=utf-8", Bytes::copy_from_slice(text.as_bytes()))
}

/// A refusal.
pub(super) fn problem(style: Style, problem: &Problem) -> Response<Body> {
    let mut response = object(style, problem.code, &problem.status());
    if let Some(seconds) = problem.retry_after_seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Adds what the writer is warned of (RFC 7234, code 299).
pub(super) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append("Warning", value);
        }
    }
}
