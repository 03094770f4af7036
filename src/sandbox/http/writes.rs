//! Writes: bodies are read and checked here, and carried out by the API.

use hyper::Response;
use serde_json::{Value, json};

use super::{
    accept::View,
    answer::{self, Body},
    body,
    handle::{Ask, nothing_there},
    query::check_dry_run,
    reads, views,
};
use crate::sandbox::{
    api::{DeleteOptions, Patch, Propagation, Validation, Write, options_problem, orphans, strict},
    fields, kinds,
    problem::Problem,
    resource::{At, Resource},
};

/// An object in the view that is wanted, with what its writer is warned of.
fn written(ask: &Ask, resource: &Resource, code: u16, object: &Value, write: &Write) -> Response<Body> {
    let mut response = match ask.wanted.view {
        View::Whole => answer::object(ask.style, code, object),
        _ => answer::json(ask.style, code, views::one(ask.shown(), resource, views::encode(object))),
    };
    answer::warn(&mut response, &write.take_warnings());
    response
}

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// A refusal, with what the writer is warned of.
fn refused(ask: &Ask, problem: &Problem, write: &Write) -> Response<Body> {
    let mut response = answer::problem(ask.style, problem);
    answer::warn(&mut response, &write.take_warnings());
    response
}

/// The object of a body, of the kind that the resource has.
fn decode(ask: &Ask, resource: &Resource, bytes: &[u8], write: &Write) -> Result<Value, Problem> {
    let mut object = body::object(bytes, &ask.content_type, &resource.kind)?;
    check_kind(ask, resource, &object)?;
    let fields = match &mut object {
        Value::Object(fields) => fields,
        other => {
            *other = json!({});
            return Ok(object);
        }
    };
    fields.insert("kind".into(), resource.kind.as_str().into());
    fields.insert("apiVersion".into(), resource.api_version().into());
    if ask.content_type == PROTOBUF {
        kinds::strip(resource, &mut object);
    }
    let twice = if ask.content_type == "application/json" { fields::duplicate_fields(bytes) } else { Vec::new() };
    if twice.is_empty() || write.validation == Validation::Ignore {
        return Ok(object);
    }
    let mut found = fields::unknown_fields(fields::Types::of(resource), &object);
    if write.validation == Validation::Strict {
        found.extend(twice);
        return Err(strict(resource, &found));
    }
    // What is unknown is named by the API too, in front of these.
    found.clear();
    write.warn_later(twice);
    Ok(object)
}

/// A body of another kind than the path's is refused, in the words of Go's decoder.
fn check_kind(ask: &Ask, resource: &Resource, object: &Value) -> Result<(), Problem> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    let wanted = resource.api_version();
    let (kind, api_version) = (
        if kind.is_empty() { resource.kind.as_str() } else { kind },
        if api_version.is_empty() { wanted.as_str() } else { api_version },
    );
    if kind == resource.kind && api_version == wanted {
        return Ok(());
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let known = ask.api.registry().all().iter().any(|served| {
        let it = &served.resource;
        it.kind == kind && it.group == group && it.version == version && !it.is_custom()
    });
    if resource.is_custom() || (known && kind == resource.kind) {
        let why =
            format!("the API version in the data ({api_version}) does not match the expected API version ({wanted})");
        return Err(Problem::bad_request(why));
    }
    let why = if known {
        let internal =
            if resource.group.is_empty() { "core" } else { resource.group.split('.').next().unwrap_or_default() };
        format!("converting ({version}.{kind}) to ({internal}.{}): unknown conversion", resource.kind)
    } else {
        format!("no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:110\"")
    };
    Err(Problem::bad_request(format!("{kind} in version {version:?} cannot be handled as a {}: {why}", resource.kind)))
}

pub(super) fn create(ask: &Ask, at: &At, bytes: &[u8]) -> Result<Response<Body>, Problem> {
    let write = ask.query.write("CreateOptions", &ask.agent)?;
    let object = decode(ask, &at.resource, bytes, &write)?;
    Ok(match ask.api.create(at, object, &write) {
        Ok(created) => written(ask, &at.resource, 201, &created, &write),
        Err(problem) => refused(ask, &problem, &write),
    })
}

pub(super) fn create_below(ask: &Ask, at: &At, subresource: &str, bytes: &[u8]) -> Result<Response<Body>, Problem> {
    let write = ask.query.write("CreateOptions", &ask.agent)?;
    let success = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    let object = |kind: &str| body::object(bytes, &ask.content_type, kind);
    match (at.resource.plural.as_str(), subresource) {
        ("pods", "eviction") => {
            let sent = object("Eviction")?;
            let mut options = read_options(&sent["deleteOptions"])?;
            options.dry_run |= write.dry_run;
            ask.api.evict(at, &options)?;
            Ok(answer::object(ask.style, 201, &success))
        }
        ("pods", "binding") => {
            let sent = object("Binding")?;
            ask.api.bind(at, sent["target"]["name"].as_str().unwrap_or_default(), &write)?;
            Ok(answer::object(ask.style, 201, &success))
        }
        ("serviceaccounts", "token") => {
            Ok(answer::object(ask.style, 201, &ask.api.token(at, object("TokenRequest")?)?))
        }
        ("pods", "exec" | "attach" | "portforward" | "proxy") => Err(simulated(at, subresource)),
        _ => Err(nothing_there()),
    }
}

/// What needs a process in a pod.
pub(super) fn simulated(at: &At, subresource: &str) -> Problem {
    let what = match subresource {
        "portforward" => "forward to",
        "attach" => "attach to",
        "proxy" => "call",
        other => other,
    };
    Problem::bad_request(format!("the pods of a sandbox are simulated: there is nothing to {what} in {:?}", at.name))
}

pub(super) fn update(ask: &Ask, at: &At, subresource: &str, bytes: &[u8]) -> Result<Response<Body>, Problem> {
    let write = ask.query.write("UpdateOptions", &ask.agent)?;
    let object = if subresource == "scale" {
        body::object(bytes, &ask.content_type, "Scale")?
    } else {
        decode(ask, &at.resource, bytes, &write)?
    };
    let known = ask.api.get_bytes(at).is_ok();
    Ok(match ask.api.update(at, subresource, object, &write) {
        Ok(updated) => written(ask, &at.resource, if known { 200 } else { 201 }, &updated, &write),
        Err(problem) => refused(ask, &problem, &write),
    })
}

pub(super) fn patch(ask: &Ask, at: &At, subresource: &str, bytes: &[u8]) -> Result<Response<Body>, Problem> {
    let applies = ask.content_type == "application/apply-patch+yaml";
    let known =
        ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];
    if at.resource.is_custom() && ask.content_type == known[2] {
        return Err(Problem::new(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: \
             application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        ));
    }
    if !(applies || known.contains(&ask.content_type.as_str())) {
        let mut problem = Problem::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
        problem.bare_details = true;
        return Err(problem);
    }
    let write = ask.query.write("PatchOptions", &ask.agent)?;
    check_patch_options(ask, applies)?;
    if !applies {
        // The body is looked at only where there is something to change.
        ask.api.get_bytes(at)?;
    }
    Ok(match patched(ask, at, subresource, bytes, &write) {
        Ok((object, created)) => written(ask, &at.resource, if created { 201 } else { 200 }, &object, &write),
        Err(problem) => refused(ask, &problem, &write),
    })
}

/// The object after a patch, and whether it was made.
fn patched(ask: &Ask, at: &At, subresource: &str, bytes: &[u8], write: &Write) -> Result<(Value, bool), Problem> {
    let json =
        |bytes: &[u8]| body::parse(bytes).map_err(|why| Problem::bad_request(format!("error decoding patch: {why}")));
    match ask.content_type.as_str() {
        "application/apply-patch+yaml" => {
            let applied: Value = serde_yaml::from_slice(bytes).map_err(|error| {
                let why = body::yaml_fault(&error);
                Problem::bad_request(format!("error decoding YAML: error converting YAML to JSON: {why}"))
            })?;
            ask.api.patch(at, subresource, Patch::Apply(&applied), write)
        }
        "application/json-patch+json" => ask.api.patch(at, subresource, Patch::Json(bytes), write),
        "application/merge-patch+json" => {
            let changes = json(bytes)?;
            check_map(&changes)?;
            ask.api.patch(at, subresource, Patch::Merge(&changes), write)
        }
        _ => {
            let changes = json(bytes)?;
            check_map(&changes)?;
            ask.api.patch(at, subresource, Patch::Strategic(&changes), write)
        }
    }
}

fn check_patch_options(ask: &Ask, applies: bool) -> Result<(), Problem> {
    let refuse = |reason: &'static str, message: &str, field: &str| {
        Err(options_problem("PatchOptions", reason, message.into(), field))
    };
    if applies && ask.query.text("fieldManager").is_empty() {
        return refuse("FieldValueRequired", "Required value: is required for apply patch", "fieldManager");
    }
    if !applies && ask.query.has("force") {
        return refuse("FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force");
    }
    Ok(())
}

fn check_map(changes: &Value) -> Result<(), Problem> {
    let what = match changes {
        Value::Object(_) | Value::Null => return Ok(()),
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
    };
    Err(Problem::bad_request(format!(
        "error decoding patch: json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
    )))
}

/// The options of a deletion: of the body, or of the query where there is none.
fn delete_options(ask: &Ask, bytes: &[u8]) -> Result<DeleteOptions, Problem> {
    if bytes.is_empty() {
        let orphan = ask.query.has("orphanDependents").then(|| ask.query.flag("orphanDependents"));
        return Ok(DeleteOptions {
            grace_period_seconds: ask.query.number("gracePeriodSeconds")?,
            dry_run: ask.query.dry_run("DeleteOptions")?,
            propagation: propagation(ask.query.text("propagationPolicy"), orphan)?,
            ..DeleteOptions::default()
        });
    }
    let media = if ask.content_type.is_empty() { "application/json" } else { &ask.content_type };
    if let Err(why) = body::parse(bytes)
        && media == "application/json"
    {
        return Err(Problem::new(500, "", format!("couldn't get version/kind; json parse error: {why}")));
    }
    let sent = body::object(bytes, media, "DeleteOptions")?;
    if let Some(kind) = sent["kind"].as_str().filter(|kind| *kind != "DeleteOptions") {
        let version = sent["apiVersion"].as_str().unwrap_or_default();
        let why =
            format!("no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:110\"");
        return Err(Problem::new(500, "", why));
    }
    let mut options = read_options(&sent)?;
    options.dry_run |= ask.query.dry_run("DeleteOptions")?;
    Ok(options)
}

/// `DeleteOptions` as an object.
fn read_options(sent: &Value) -> Result<DeleteOptions, Problem> {
    let stages: Vec<&str> = sent["dryRun"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let condition = |field: &str| sent["preconditions"][field].as_str().map(Into::into);
    Ok(DeleteOptions {
        grace_period_seconds: sent["gracePeriodSeconds"].as_i64(),
        propagation: propagation(
            sent["propagationPolicy"].as_str().unwrap_or_default(),
            sent["orphanDependents"].as_bool(),
        )?,
        uid: condition("uid"),
        resource_version: condition("resourceVersion"),
        dry_run: check_dry_run("DeleteOptions", &stages)?,
    })
}

/// What becomes of dependents, in the new words or the old one.
fn propagation(policy: &str, orphan: Option<bool>) -> Result<Option<Propagation>, Problem> {
    let wrong = |reason: &'static str, message: String| {
        Err(options_problem("DeleteOptions", reason, message, "propagationPolicy"))
    };
    if orphan.is_some() && !policy.is_empty() {
        let message = format!("Invalid value: {policy:?}: orphanDependents and deletionPropagation cannot be both set");
        return wrong("FieldValueInvalid", message);
    }
    match policy {
        "" => Ok(orphan.map(|orphan| if orphan { Propagation::Orphan } else { Propagation::Background })),
        "Background" => Ok(Some(Propagation::Background)),
        "Foreground" => Ok(Some(Propagation::Foreground)),
        "Orphan" => Ok(Some(Propagation::Orphan)),
        other => wrong(
            "FieldValueNotSupported",
            format!(
                "Unsupported value: {other:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            ),
        ),
    }
}

pub(super) fn delete(ask: &Ask, at: &At, bytes: &[u8]) -> Result<Response<Body>, Problem> {
    let options = delete_options(ask, bytes)?;
    let write = Write::default();
    if at.resource.plural == "jobs" && orphans(&at.resource) && options.propagation.is_none() {
        write.warn(ORPHANED.into());
    }
    let deleted = match ask.api.delete(at, &options) {
        Ok(deleted) => deleted,
        Err(problem) => return Ok(refused(ask, &problem, &write)),
    };
    if !deleted.gone || returns_object(&at.resource) {
        return Ok(written(ask, &at.resource, 200, &deleted.object, &write));
    }
    let mut details = json!({"name": at.name});
    if !at.resource.group.is_empty() {
        details["group"] = at.resource.group.as_str().into();
    }
    details["kind"] = at.resource.plural.as_str().into();
    details["uid"] = deleted.object["metadata"]["uid"].clone();
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    let mut response = answer::object(ask.style, 200, &status);
    answer::warn(&mut response, &write.take_warnings());
    Ok(response)
}

const ORPHANED: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to \
    remove them or set propagationPolicy=Orphan to suppress this warning";

/// The kinds whose deletion is answered with the object (`ReturnDeletedObject` in kubernetes/pkg/registry).
fn returns_object(resource: &Resource) -> bool {
    const KINDS: [&str; 7] = [
        "pods",
        "services",
        "serviceaccounts",
        "persistentvolumes",
        "persistentvolumeclaims",
        "podtemplates",
        "resourcequotas",
    ];
    let storage = resource.group == "storage.k8s.io" && !resource.is_custom();
    (resource.group.is_empty() && KINDS.contains(&resource.plural.as_str())) || storage
}

pub(super) fn delete_collection(ask: &Ask, at: &At, bytes: &[u8]) -> Result<Response<Body>, Problem> {
    let options = delete_options(ask, bytes)?;
    // The answer tells what was there.
    let page = ask.api.list(&at.resource, at.namespace.as_deref(), &ask.query.list()?)?;
    for object in page.objects() {
        let text = |field: &str| object["metadata"][field].as_str().map(str::to_owned);
        let one =
            At { resource: at.resource.clone(), namespace: text("namespace"), name: text("name").unwrap_or_default() };
        match ask.api.delete(&one, &options) {
            Ok(_) => {}
            Err(problem) if problem.code == 404 => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(answer::json(ask.style, 200, reads::whole(&at.resource, &page)))
}
