//! Field selectors: which fields each kind can be chosen by, and whether an object fits.

use serde_json::Value;

use crate::sandbox::resource::Resource;

/// A field selector; all of its terms must hold.
#[derive(Debug, Clone, Default)]
pub(super) struct FieldSelector(Vec<Term>);

#[derive(Debug, Clone)]
struct Term {
    field: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Reads the text of a selector for a kind.
    ///
    /// # Errors
    /// The message of the real server for what it cannot read, or a field that the kind is not chosen by.
    pub fn parse(resource: &Resource, text: &str) -> Result<Self, String> {
        let parts = split(text).into_iter().filter(|part| !part.is_empty());
        let terms: Vec<Term> = parts.map(|part| term(text, &part)).collect::<Result<_, _>>()?;
        match terms.iter().find(|term| !is_known(resource, &term.field)) {
            Some(unknown) => Err(refusal(resource, &unknown.field)),
            None => Ok(Self(terms)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name that it asks for, where it asks for one.
    pub fn name(&self) -> Option<&str> {
        self.0.iter().find(|term| term.equal && term.field == "metadata.name").map(|term| term.value.as_str())
    }

    pub fn matches(&self, resource: &Resource, object: &Value) -> bool {
        self.0.iter().all(|term| (value(resource, object, &term.field) == term.value) == term.equal)
    }
}

/// Splits at commas that no backslash stands before.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let last = parts.len() - 1;
        match letter {
            '\\' => {
                parts[last].push(letter);
                parts[last].extend(letters.next());
            }
            ',' => parts.push(String::new()),
            letter => parts[last].push(letter),
        }
    }
    parts
}

fn term(whole: &str, part: &str) -> Result<Term, String> {
    let (field, equal, value) = if let Some((field, value)) = part.split_once("!=") {
        (field, false, value)
    } else if let Some((field, value)) = part.split_once("==") {
        (field, true, value)
    } else if let Some((field, value)) = part.split_once('=') {
        (field, true, value)
    } else {
        return Err(format!("invalid selector: '{whole}'; can't understand '{part}'"));
    };
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    Ok(Term { field: field.into(), value: plain, equal })
}

/// The fields beside name and namespace (`AddFieldLabelConversionsFor…` and `…ToSelectableFields` of kubernetes/pkg/apis).
fn fields(resource: &Resource) -> &'static [&'static str] {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "replicationcontrollers") => &["status.replicas"],
        ("", "namespaces") => &["status.phase"],
        ("", "secrets") => &["type"],
        ("", "services") => &["spec.clusterIP", "spec.type"],
        ("", "events") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("events.k8s.io", "events") => &[
            "reason",
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reportingController",
            "type",
        ],
        ("batch", "jobs") => &["status.successful"],
        ("certificates.k8s.io", "certificatesigningrequests") => &["spec.signerName"],
        ("certificates.k8s.io", "podcertificaterequests") => &["spec.signerName", "spec.podName", "spec.nodeName"],
        ("resource.k8s.io", "resourceslices") => &["spec.nodeName", "spec.driver"],
        _ => &[],
    }
}

fn is_known(resource: &Resource, field: &str) -> bool {
    field == "metadata.name"
        || (field == "metadata.namespace" && (resource.namespaced || !resource.is_custom()))
        || fields(resource).contains(&field)
        || custom_fields(resource).any(|known| known == field)
}

/// `selectableFields` of a definition's version, without the leading dot.
fn custom_fields(resource: &Resource) -> impl Iterator<Item = &str> {
    let version = resource.custom.as_deref();
    let found = version.and_then(|version| version.get("selectableFields")).and_then(Value::as_array);
    found.into_iter().flatten().filter_map(|field| field["jsonPath"].as_str()?.strip_prefix('.'))
}

fn refusal(resource: &Resource, field: &str) -> String {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("batch", "jobs") => format!("field label \"{field}\" not supported for Job"),
        ("", "pods" | "nodes" | "replicationcontrollers" | "events" | "namespaces" | "secrets" | "services")
        | ("events.k8s.io", "events")
        | ("certificates.k8s.io", _) => format!("field label not supported: {field}"),
        _ if resource.is_custom() => format!("field label not supported: {field}"),
        _ => format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
    }
}

/// The field as text, as selectors compare it.
fn value(resource: &Resource, object: &Value, field: &str) -> String {
    let is = |group: &str, plural: &str| resource.group == group && resource.plural == plural;
    let (path, absent) = match field {
        "status.successful" => ("status.succeeded", "0"),
        "source" if is("", "events") => ("source.component", ""),
        "spec.unschedulable" | "spec.hostNetwork" => (field, "false"),
        "status.replicas" => (field, "0"),
        "reportingComponent" | "reportingController" => (field, ""),
        other => (other, ""),
    };
    let found = path.split('.').try_fold(object, |at, step| at.get(step));
    match found {
        None | Some(Value::Null) => absent.into(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if field == "status.podIPs" => {
            let addresses: Vec<&str> = items.iter().filter_map(|item| item["ip"].as_str()).collect();
            addresses.join(",")
        }
        Some(other) => other.to_string(),
    }
}
