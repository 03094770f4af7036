//! One request: who asks, what for, and which fault strikes it.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT},
};

use super::{
    accept::{self, Format, View, Wanted},
    answer::{self, Body, Style},
    body, discovery,
    faults::Effect,
    open_api,
    query::Query,
    reads,
    route::{Objects, Route},
    serve::{Parts, Server},
    views::{InRows, Shown},
    watch, writes,
};
use crate::sandbox::{
    api::Api,
    problem::Problem,
    resource::{At, Resource},
};

/// The connection is to end without an answer.
#[derive(Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut on purpose")
    }
}

impl Error for Cut {}

/// A request but for its body.
pub(super) struct Ask {
    pub api: Api,
    pub method: Method,
    pub query: Query,
    pub wanted: Wanted,
    pub style: Style,
    /// The client's name for itself.
    pub agent: String,
    pub content_type: String,
    pub accept: String,
    /// A watch that is to send nothing, or to be told that its version is gone.
    pub fault: Option<Effect>,
}

impl Ask {
    /// How objects are to be shown.
    pub fn shown(&self) -> Shown {
        Shown { view: self.wanted.view, in_rows: InRows::of(&self.query), now: self.api.clock().now() }
    }
}

pub(super) async fn handle(parts: &Arc<Parts>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let server = Server(parts.clone());
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let fault = strike(parts, &request, &query);
    let mut afterwards = false;
    match &fault {
        Some(Effect::Cut) => return Err(Cut),
        Some(Effect::CutAfterwards) => afterwards = true,
        Some(Effect::Restart { milliseconds }) => {
            server.restart(Duration::from_millis(*milliseconds));
            return Err(Cut);
        }
        Some(Effect::Status { code, message, retry_after_seconds }) => {
            let style = Style::of(request.headers(), &query, Format::Json);
            let mut problem = Problem::new(*code, reason(*code), message.clone());
            problem.retry_after_seconds = *retry_after_seconds;
            return Ok(answer::problem(style, &problem));
        }
        Some(effect) => {
            if let Some(pause) = effect.pause() {
                tokio::time::sleep(pause).await;
            }
        }
        None => {}
    }
    let response = respond(server, request, query, fault).await;
    if afterwards { Err(Cut) } else { Ok(response) }
}

fn strike(parts: &Parts, request: &Request<Incoming>, query: &Query) -> Option<Effect> {
    let path = request.uri().path_and_query().map_or("", |whole| whole.as_str());
    let watches = request.method() == Method::GET && query.flag("watch");
    let method = if watches { "WATCH" } else { request.method().as_str() };
    parts.faults.strike(method, path)
}

/// What a status code is called.
fn reason(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        500 => "InternalError",
        _ => "",
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn respond(server: Server, request: Request<Incoming>, query: Query, fault: Option<Effect>) -> Response<Body> {
    let headers = request.headers();
    let json = Style::of(headers, &query, Format::Json);
    if !is_allowed(&header(headers, AUTHORIZATION), &server.0.token) {
        return answer::problem(json, &Problem::new(401, "Unauthorized", "Unauthorized"));
    }
    let accept = header(headers, ACCEPT);
    let route = Route::of(request.uri().path());
    let wanted = match accept::negotiate(&accept) {
        Ok(wanted) => wanted,
        // Text and whole documents are served as they are, whatever is asked for.
        Err(_) if !matches!(route, Route::Objects(_)) => Wanted { format: Format::Json, view: View::Whole },
        Err(problem) => return answer::problem(json, &problem),
    };
    let ask = Ask {
        api: server.0.api.clone(),
        method: request.method().clone(),
        style: Style::of(headers, &query, wanted.format),
        query,
        wanted,
        agent: header(headers, USER_AGENT),
        content_type: body::media_type(&header(headers, CONTENT_TYPE)),
        accept,
        fault,
    };
    match route {
        Route::Objects(objects) => {
            let style = ask.style;
            let patches = ask.method == Method::PATCH;
            let old = objects.group.is_empty() && objects.plural == "endpoints" && objects.subresource.is_empty();
            let mut response = match of_objects(ask, objects, request.into_body()).await {
                Ok(response) => response,
                Err(problem) => answer::problem(style, &problem),
            };
            // A patch of no known type is refused before anything is known of the resource.
            if old && !(patches && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE) {
                answer::warn(&mut response, &[OLD_ENDPOINTS.into()]);
            }
            response
        }
        Route::OldOpenApi | Route::OpenApi | Route::OpenApiOf { .. } => open_api::answer(&ask, &route),
        other => discovery::answer(&ask, &other),
    }
}

const OLD_ENDPOINTS: &str = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

/// Whether the client has the token. The comparison takes the same time wherever the two differ.
fn is_allowed(authorization: &str, token: &str) -> bool {
    let Some(sent) = authorization.strip_prefix("Bearer ") else { return false };
    let sent = sent.trim();
    sent.len() == token.len() && sent.bytes().zip(token.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// The answer to what is not served.
pub(super) fn nothing_there() -> Problem {
    let mut problem = Problem::new(404, "NotFound", "the server could not find the requested resource");
    problem.bare_details = true;
    problem
}

fn not_allowed() -> Problem {
    let message = "the server does not allow this method on the requested resource";
    let mut problem = Problem::new(405, "MethodNotAllowed", message);
    problem.bare_details = true;
    problem
}

async fn of_objects(ask: Ask, objects: Objects, body: Incoming) -> Result<Response<Body>, Problem> {
    let Some(resource) = ask.api.resource(&objects.group, &objects.version, &objects.plural) else {
        return missing(&ask, &objects);
    };
    let known = objects.subresource.is_empty() || resource.subresources.contains(&objects.subresource);
    if !known || (objects.namespace.is_some() && !resource.namespaced) {
        return Err(nothing_there());
    }
    let lists_all = objects.namespace.is_none() && resource.namespaced;
    if lists_all && !objects.name.is_empty() {
        return Err(nothing_there());
    }
    let at = At { resource, namespace: objects.namespace, name: objects.name };
    let allowed = |verb: &str| if allows(&at.resource, verb) { Ok(()) } else { Err(not_allowed()) };
    let single = !at.name.is_empty();
    match (ask.method.as_str(), single, objects.subresource.as_str()) {
        ("GET", false, "") if objects.watch || ask.query.flag("watch") => {
            allowed("watch")?;
            watch::answer(&ask, &at)
        }
        ("GET", false, "") => {
            allowed("list")?;
            reads::list(&ask, &at)
        }
        ("GET", true, "") if objects.watch || ask.query.flag("watch") => watch::answer(&ask, &at),
        ("GET", true, subresource) => {
            if subresource.is_empty() {
                allowed("get")?;
            }
            reads::get(&ask, &at, subresource).await
        }
        ("POST", false, "") if !lists_all => {
            allowed("create")?;
            writes::create(&ask, &at, &body::read(body).await?)
        }
        ("POST", true, subresource) if !subresource.is_empty() => {
            writes::create_below(&ask, &at, subresource, &body::read(body).await?)
        }
        ("PUT", true, subresource) => {
            allowed("update")?;
            writes::update(&ask, &at, subresource, &body::read(body).await?)
        }
        ("PATCH", true, subresource) => {
            allowed("patch")?;
            writes::patch(&ask, &at, subresource, &body::read(body).await?)
        }
        ("DELETE", true, "") => {
            allowed("delete")?;
            writes::delete(&ask, &at, &body::read(body).await?)
        }
        ("DELETE", false, "") => {
            allowed("deletecollection")?;
            writes::delete_collection(&ask, &at, &body::read(body).await?)
        }
        _ => Err(not_allowed()),
    }
}

fn allows(resource: &Resource, verb: &str) -> bool {
    resource.verbs.iter().any(|known| known == verb)
}

/// What of a group that is not served is plain text, what of a known one is a `Status`.
fn missing(ask: &Ask, objects: &Objects) -> Result<Response<Body>, Problem> {
    let mut served = ask.api.registry().all().into_iter();
    let known = |group: &str, version: &str| group == objects.group && version == objects.version;
    if objects.group.is_empty() || served.any(|it| known(&it.resource.group, &it.resource.version)) {
        return Err(nothing_there());
    }
    Ok(answer::text(404, "404 page not found\n"))
}
