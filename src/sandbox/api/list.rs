//! Lists: selectors, pages and revisions.

use std::sync::Arc;

use base64::{
    DecodeError, Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_URL_SAFE_NO_PAD,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    convert,
    core::Api,
    field_selector::FieldSelector,
    label_selector,
    requests::{ListQuery, Page},
};
use crate::{
    rules::selector::Selector,
    sandbox::{
        go,
        problem::{Problem, ProblemCause},
        resource::Resource,
        store::{Chunk, Range},
    },
};

/// Which objects a list or watch wants.
#[derive(Debug, Clone)]
pub struct Matcher {
    resource: Arc<Resource>,
    labels: Option<Selector>,
    fields: FieldSelector,
}

/// Where a list goes on (`k8s.io/apiserver/pkg/storage/continue.go`).
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    v: String,
    rv: i64,
    #[serde(default)]
    start: String,
}

const TOKEN_VERSION: &str = "meta.k8s.io/v1";

impl Matcher {
    /// # Errors
    /// A selector that cannot be read, or by a field that the kind is not chosen by.
    pub fn new(resource: &Arc<Resource>, labels: &str, fields: &str) -> Result<Self, Problem> {
        label_selector::check(labels)?;
        let selector = Selector::parse(labels).map_err(Problem::bad_request)?;
        let fields = FieldSelector::parse(resource, fields).map_err(Problem::bad_request)?;
        Ok(Self { resource: resource.clone(), labels: (!labels.is_empty()).then_some(selector), fields })
    }

    /// Whether every object fits.
    pub fn takes_all(&self) -> bool {
        self.labels.is_none() && self.fields.is_empty()
    }

    /// The only name that can fit, where there is one.
    pub fn name(&self) -> Option<&str> {
        self.fields.name()
    }

    /// Whether an object fits that is in the version of the resource.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        if self.takes_all() {
            return true;
        }
        if self.fields.is_empty() {
            // Only the metadata is read, which is most of the work for large objects.
            let Ok(head) = serde_json::from_slice::<Head>(bytes) else { return false };
            let object = Value::Object([("metadata".to_owned(), head.metadata)].into_iter().collect());
            return self.labels.as_ref().is_none_or(|labels| labels.matches(&object));
        }
        let Ok(object) = serde_json::from_slice::<Value>(bytes) else { return false };
        self.fields.matches(&self.resource, &object)
            && self.labels.as_ref().is_none_or(|labels| labels.matches(&object))
    }
}

#[derive(Deserialize)]
struct Head {
    metadata: Value,
}

/// A list as it is carried out.
struct Plan {
    range: Range,
    /// None: now.
    at: Option<u64>,
}

impl Api {
    /// Objects of a resource, in one namespace or in all.
    ///
    /// # Errors
    /// A query that cannot be read, or a revision that is no longer kept or not yet there.
    pub fn list(&self, resource: &Arc<Resource>, namespace: Option<&str>, query: &ListQuery) -> Result<Page, Problem> {
        let matcher = Matcher::new(resource, &query.label_selector, &query.field_selector)?;
        let plan = self.plan(namespace, query)?;
        let table = self.table(resource);
        let wanted = if query.limit == 0 { usize::MAX } else { query.limit };
        let mut page = Page::default();
        let (mut range, mut at) = (plan.range, plan.at);
        loop {
            let chunk = self.store().chunk(&table, &range, wanted, at).map_err(|_| too_old(query))?;
            page.revision = chunk.revision;
            at = Some(chunk.revision);
            let Chunk { items, remaining, .. } = chunk;
            let last = items.last().map(|(key, _)| key.to_string());
            let read = items.len();
            for (at, (key, stored)) in items.into_iter().enumerate() {
                let bytes = convert::bytes(resource, stored);
                if !matcher.matches(&bytes) {
                    continue;
                }
                page.items.push(bytes);
                if page.items.len() == wanted {
                    let behind = remaining + read - at - 1;
                    if behind > 0 {
                        page.continue_token = token(page.revision, namespace, &key);
                        page.remaining = matcher.takes_all().then_some(behind);
                    }
                    return Ok(page);
                }
            }
            if remaining == 0 {
                return Ok(page);
            }
            range.after = last;
        }
    }

    /// Where a list begins and of which revision it is.
    fn plan(&self, namespace: Option<&str>, query: &ListQuery) -> Result<Plan, Problem> {
        check(query)?;
        let namespace = namespace.map(Into::into);
        if !query.continue_token.is_empty() {
            let (after, revision) = read_token(&query.continue_token, namespace.as_deref())?;
            if !query.resource_version.is_empty() && query.resource_version != "0" {
                return Err(Problem::bad_request("specifying resource version is not allowed when using continue"));
            }
            let at = (revision > 0).then_some(revision);
            return Ok(Plan { range: Range { namespace, after: Some(after) }, at });
        }
        let asked = self.check_revision(&query.resource_version)?;
        let exact = query.resource_version_match == "Exact"
            || (query.resource_version_match.is_empty() && query.limit > 0 && asked > 0);
        Ok(Plan { range: Range { namespace, after: None }, at: (exact && asked > 0).then_some(asked) })
    }

    /// The revision that a request names; 0 for none.
    ///
    /// # Errors
    /// It is no number, or lies in the future.
    pub fn check_revision(&self, text: &str) -> Result<u64, Problem> {
        if text.is_empty() {
            return Ok(0);
        }
        let asked: u64 = text.parse().map_err(|_| {
            Problem::bad_request(format!(
                "invalid resource version: resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
            ))
        })?;
        let newest = self.store().revision();
        if asked <= newest {
            return Ok(asked);
        }
        let message = format!("Timeout: Too large resource version: {asked}, current: {newest}");
        let mut problem = Problem::new(504, "Timeout", message);
        problem.causes.push(ProblemCause {
            reason: "ResourceVersionTooLarge",
            message: "Too large resource version".into(),
            field: String::new(),
        });
        problem.retry_after_seconds = Some(1);
        Err(problem)
    }
}

fn token(revision: u64, namespace: Option<&str>, key: &str) -> String {
    let key = match namespace {
        Some(namespace) => key.strip_prefix(namespace).unwrap_or(key),
        None => key,
    };
    let start =
        if namespace.is_some() { format!("{key}\0") } else { format!("/{key}\0").trim_start_matches("//").into() };
    let token = Token { v: TOKEN_VERSION.into(), rv: i64::try_from(revision).unwrap_or(i64::MAX), start };
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

/// The key behind which a list goes on, and its revision; 0 for the newest.
fn read_token(text: &str, namespace: Option<&str>) -> Result<(String, u64), Problem> {
    let wrong = |why: &str| Problem::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let padding = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = GeneralPurpose::new(&URL_SAFE, padding).decode(text).map_err(|error| match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => {
            wrong(&format!("illegal base64 data at input byte {at}"))
        }
        _ => wrong(&format!("illegal base64 data at input byte {}", text.len())),
    })?;
    let token: Token = serde_json::from_slice(&decoded).map_err(|error| wrong(&go::json_error(&decoded, &error)))?;
    if token.v != TOKEN_VERSION {
        return Err(Problem::bad_request(
            "invalid continue token: continue key is not valid: server does not recognize this encoded version",
        ));
    }
    let start = token.start.trim_end_matches('\0').trim_start_matches('/');
    let after = namespace.map_or_else(|| start.to_owned(), |namespace| format!("{namespace}/{start}"));
    Ok((after, u64::try_from(token.rv).unwrap_or(0)))
}

/// The rules between the words of a query (`ValidateListOptions` of apimachinery).
fn check(query: &ListQuery) -> Result<(), Problem> {
    let refuse = |reason: &'static str, message: String| {
        Err(options_problem("ListOptions", reason, message, "resourceVersionMatch"))
    };
    match query.resource_version_match.as_str() {
        "" => Ok(()),
        _ if query.resource_version.is_empty() => refuse(
            "FieldValueForbidden",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided".into(),
        ),
        _ if !query.continue_token.is_empty() => refuse(
            "FieldValueForbidden",
            "Forbidden: resourceVersionMatch is forbidden when continue is provided".into(),
        ),
        "Exact" if query.resource_version == "0" => refuse(
            "FieldValueForbidden",
            "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"".into(),
        ),
        "Exact" | "NotOlderThan" => Ok(()),
        other => refuse(
            "FieldValueNotSupported",
            format!("Unsupported value: {other:?}: supported values: \"Exact\", \"NotOlderThan\", \"\""),
        ),
    }
}

/// A refusal of the options of a request, of a kind in `meta.k8s.io`.
pub(crate) fn options_problem(kind: &str, reason: &'static str, message: String, field: &str) -> Problem {
    let mut problem = Problem::new(422, "Invalid", format!("{kind}.meta.k8s.io \"\" is invalid: {field}: {message}"));
    problem.group = "meta.k8s.io".into();
    problem.kind = kind.into();
    problem.causes.push(ProblemCause { reason, message, field: field.into() });
    problem
}

fn too_old(query: &ListQuery) -> Problem {
    if query.continue_token.is_empty() {
        return Problem::expired("The resourceVersion for the provided list is too old.");
    }
    Problem::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
    )
}

/// What a list's bytes are made of, for those who write one.
pub(crate) fn without_kind(resource: &Resource, bytes: &Bytes) -> Bytes {
    let beginning = format!("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",", resource.kind, resource.api_version());
    if resource.is_custom() || !bytes.starts_with(beginning.as_bytes()) {
        return bytes.clone();
    }
    bytes.slice(beginning.len()..)
}
