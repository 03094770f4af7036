//! Reads: one object, a list, and what is below an object.

use std::convert::Infallible;

use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{Response, body::Frame};
use serde_json::{Value, json};

use super::{
    accept::View,
    answer::{self, Body},
    handle::{Ask, nothing_there},
    views,
    writes::simulated,
};
use crate::sandbox::{
    api::{Page, options_problem, without_kind},
    problem::Problem,
    resource::{At, Resource},
};

pub(super) async fn get(ask: &Ask, at: &At, subresource: &str) -> Result<Response<Body>, Problem> {
    check_revision(ask)?;
    match subresource {
        "" | "status" | "ephemeralcontainers" | "resize" | "approval" => {
            let bytes = ask.api.get_bytes(at)?;
            Ok(answer::json(ask.style, 200, views::one(ask.shown(), &at.resource, bytes)))
        }
        "scale" => Ok(answer::object(ask.style, 200, &ask.api.scale(at)?)),
        "log" => log(ask, at),
        "exec" | "attach" | "portforward" | "proxy" if at.resource.plural == "pods" => {
            ask.api.get_bytes(at)?;
            Err(simulated(at, subresource))
        }
        _ => Err(nothing_there()),
    }
}

/// What a container has written, as plain text.
fn log(ask: &Ask, at: &At) -> Result<Response<Body>, Problem> {
    let pod = ask.api.get(at)?;
    let logs = ask.api.logs().ok_or_else(|| {
        Problem::bad_request(format!("the pods of this sandbox do not run: there is no log of {:?}", at.name))
    })?;
    let pieces = logs.open(&pod, ask.query.pairs())?;
    let body = StreamBody::new(pieces.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)))).boxed_unsync();
    Ok(answer::with_headers(200, "text/plain", body))
}

/// The version that a read asks for is there, or will soon be.
fn check_revision(ask: &Ask) -> Result<(), Problem> {
    let text = ask.query.text("resourceVersion");
    if !text.is_empty() && text.parse::<u64>().is_err() {
        let why =
            format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
        return Err(Problem::new(500, "", why));
    }
    ask.api.check_revision(text).map(drop)
}

pub(super) fn list(ask: &Ask, at: &At) -> Result<Response<Body>, Problem> {
    if ask.query.has("sendInitialEvents") {
        let message = "Forbidden: sendInitialEvents is forbidden for list".to_owned();
        return Err(options_problem("ListOptions", "FieldValueForbidden", message, "sendInitialEvents"));
    }
    let page = ask.api.list(&at.resource, at.namespace.as_deref(), &ask.query.list()?)?;
    let bytes = match ask.wanted.view {
        View::Whole => whole(&at.resource, &page),
        View::Metadata => {
            let items: Vec<Value> = page.objects().iter().map(views::metadata).collect();
            let items = if items.is_empty() { Value::Null } else { items.into() };
            views::encode(&json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata(false, &page), "items": items,
            }))
        }
        View::Table => {
            views::encode(&views::table(ask.shown(), &at.resource, page.objects(), metadata(false, &page), true))
        }
    };
    Ok(answer::json(ask.style, 200, bytes))
}

/// The metadata of a list.
fn metadata(untyped: bool, page: &Page) -> Value {
    let mut metadata = json!({"resourceVersion": page.revision.to_string()});
    // Lists of custom resources are not typed, and say that there is no more.
    if !page.continue_token.is_empty() || untyped {
        metadata["continue"] = page.continue_token.as_str().into();
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = remaining.into();
    }
    metadata
}

/// The list as JSON, of which the items are copied as they are. Those of built-in kinds do not say their kind.
pub(super) fn whole(resource: &Resource, page: &Page) -> Bytes {
    let head = json!({
        "kind": format!("{}List", resource.kind), "apiVersion": resource.api_version(), "metadata": metadata(resource.is_custom(), page),
    });
    let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
    bytes.pop();
    bytes.reserve(page.items.iter().map(Bytes::len).sum::<usize>() + page.items.len() + 16);
    bytes.extend_from_slice(b",\"items\":[");
    for (at, item) in page.items.iter().enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        let rest = without_kind(resource, item);
        if rest.len() < item.len() {
            bytes.push(b'{');
        }
        bytes.extend_from_slice(&rest);
    }
    bytes.extend_from_slice(b"]}");
    bytes.into()
}
