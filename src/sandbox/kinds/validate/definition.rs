//! Definitions of custom resources.
//!
//! Source: `pkg/apis/apiextensions/validation` and `pkg/apiserver/schema/validation.go` of
//! `k8s.io/apiextensions-apiserver`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::one_of,
    meta, text,
};

const NOT_ROOT: &str =
    "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";

pub(super) fn definition(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("metadata");
    let name = object.text(&["metadata", "name"]);
    let wanted = format!("{}.{}", object.text(&["spec", "names", "plural"]), object.text(&["spec", "group"]));
    if name != wanted {
        causes.invalid(&path.to("name"), name, "must be spec.names.plural+\".\"+spec.group");
    }
    let null = Value::Null;
    spec(object.get("spec").unwrap_or(&null), &Path::Root.to("spec"), causes);
    if !object.items(&["spec", "versions"]).iter().any(|version| version.is_true(&["storage"])) {
        let path = Path::Root.to("status");
        causes.invalid(&path.to("storedVersions"), Value::Null, "must have at least one stored version");
    }
    approval(object, &path.to("annotations"), causes);
    if object.is_true(&["spec", "preserveUnknownFields"]) {
        let path = Path::Root.to("spec");
        let detail =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        causes.invalid(&path.to("preserveUnknownFields"), true, detail);
    }
}

/// What of a definition stays once its objects are served.
pub(super) fn changed_definition(object: &Value, live: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let names = path.to("names");
    let conditions = live.items(&["status", "conditions"]).iter();
    let established = conditions
        .filter(|condition| condition.text(&["type"]) == "Established")
        .any(|condition| condition.text(&["status"]) == "True");
    if established {
        meta::immutable(object, live, &["spec", "scope"], &path.to("scope"), causes);
        meta::immutable(object, live, &["spec", "names", "kind"], &names.to("kind"), causes);
    }
    meta::immutable(object, live, &["spec", "group"], &path.to("group"), causes);
    meta::immutable(object, live, &["spec", "names", "plural"], &names.to("plural"), causes);
}

fn spec(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let group = spec.text(&["group"]);
    let faults = text::dns_subdomain(group);
    if group.is_empty() {
        causes.required(&path.to("group"), "");
    } else if !faults.is_empty() {
        causes.invalid(&path.to("group"), group, faults.join(","));
    } else if !group.contains('.') {
        causes.invalid(&path.to("group"), group, "should be a domain with at least one dot");
    }
    one_of(spec, "scope", &["Cluster", "Namespaced"], path, causes);
    let list = path.to("versions");
    let versions = spec.items(&["versions"]);
    for (position, version) in versions.iter().enumerate() {
        if !version.has(&["schema", "openAPIV3Schema"]) {
            let at = list.index(position);
            let at = at.to("schema");
            causes.required(&at.to("openAPIV3Schema"), "");
        }
    }
    // What all versions have in common is kept once, and named so.
    let shared =
        |key: &str| versions.iter().all(|version| version.get(key) == versions.first().and_then(|v| v.get(key)));
    for (position, version) in versions.iter().enumerate() {
        let at = list.index(position);
        let name = version.text(&["name"]);
        let faults = text::dns_1035_label(name);
        if !faults.is_empty() {
            causes.invalid(&at.to("name"), name, faults.join(","));
        }
        if !shared("schema") {
            schema(version, &at.to("schema"), causes);
        }
        if !shared("subresources") {
            scale(version, &at.to("subresources"), causes);
        }
        if !shared("additionalPrinterColumns") {
            columns(version, &at, causes);
        }
    }
    counts(versions, &list, causes);
    names(spec, &path.to("names"), causes);
    let Some(first) = versions.first() else { return };
    if shared("schema") {
        schema(first, &path.to("validation"), causes);
    }
    if shared("subresources") {
        scale(first, &path.to("subresources"), causes);
    }
    if shared("additionalPrinterColumns") {
        columns(first, path, causes);
    }
}

fn counts(versions: &[Value], path: &Path<'_>, causes: &mut Causes) {
    let shown = || -> Value {
        let one = |version: &Value| {
            json!({"Name": version.text(&["name"]), "Served": version.is_true(&["served"]),
                "Storage": version.is_true(&["storage"]), "Deprecated": version.is_true(&["deprecated"]),
                "DeprecationWarning": version.get("deprecationWarning"), "Schema": null, "Subresources": null,
                "AdditionalPrinterColumns": null, "SelectableFields": null})
        };
        versions.iter().map(one).collect()
    };
    let mut names = BTreeSet::new();
    if !versions.iter().all(|version| names.insert(version.text(&["name"]))) {
        causes.invalid_as(path, shown(), "must contain unique version names");
    }
    if versions.iter().filter(|version| version.is_true(&["storage"])).count() != 1 {
        causes.invalid_as(path, shown(), "must have exactly one version marked as storage version");
    }
}

fn names(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let name = |key: &str| spec.text(&["names", key]).to_owned();
    for key in ["plural", "singular", "kind", "listKind"] {
        if name(key).is_empty() {
            causes.required(&path.to(key), "");
        }
    }
    let label = |at: &Path<'_>, name: &str, before: &str, causes: &mut Causes| {
        let faults = text::dns_1035_label(&if before.is_empty() { name.to_owned() } else { name.to_lowercase() });
        if !name.is_empty() && !faults.is_empty() {
            causes.invalid(at, name, format!("{before}{}", faults.join(",")));
        }
    };
    for key in ["plural", "singular"] {
        label(&path.to(key), &name(key), "", causes);
    }
    for key in ["kind", "listKind"] {
        label(&path.to(key), &name(key), "may have mixed case, but should otherwise match: ", causes);
    }
    for key in ["shortNames", "categories"] {
        if key == "categories" && !name("kind").is_empty() && name("kind") == name("listKind") {
            causes.invalid(&path.to("listKind"), name("listKind"), "kind and listKind may not be the same");
        }
        let list = path.to(key);
        for (position, word) in spec.items(&["names", key]).iter().filter_map(Value::as_str).enumerate() {
            label(&list.index(position), word, "", causes);
        }
    }
}

fn columns(version: &Value, path: &Path<'_>, causes: &mut Causes) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    let list = path.to("additionalPrinterColumns");
    for (position, column) in version.items(&["additionalPrinterColumns"]).iter().enumerate() {
        let at = list.index(position);
        if column.text(&["name"]).is_empty() {
            causes.required(&at.to("name"), "");
        }
        let types = format!("must be one of {}", TYPES.join(","));
        match column.text(&["type"]) {
            "" => causes.required(&at.to("type"), types),
            kind if !TYPES.contains(&kind) => causes.invalid(&at.to("type"), kind, types),
            _ => {}
        }
        let format = column.text(&["format"]);
        if !format.is_empty() && !FORMATS.contains(&format) {
            causes.invalid(&at.to("format"), format, format!("must be one of {}", FORMATS.join(",")));
        }
        match column.text(&["jsonPath"]) {
            "" => causes.required(&at.to("JSONPath"), ""),
            path => _ = json_path(path, &at.to("JSONPath"), causes),
        }
    }
}

fn json_path(path: &str, at: &Path<'_>, causes: &mut Causes) -> bool {
    if path.starts_with('.') {
        return true;
    }
    causes.invalid(at, path, "must be a simple json path starting with .");
    false
}

fn scale(version: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(scale) = version.at(&["subresources", "scale"]).filter(|scale| !scale.is_null()) else { return };
    let at = path.to("scale");
    for (key, under, said) in [
        ("specReplicasPath", &[".spec."][..], "should be a json path under .spec"),
        ("statusReplicasPath", &[".status."][..], "should be a json path under .status"),
        ("labelSelectorPath", &[".spec.", ".status."][..], "should be a json path under either .spec or .status"),
    ] {
        let path = scale.text(&[key]);
        if path.is_empty() {
            if key != "labelSelectorPath" {
                causes.required(&at.to(key), "");
            }
        } else if json_path(path, &at.to(key), causes) && !under.iter().any(|under| path.starts_with(under)) {
            causes.invalid(&at.to(key), path, said);
        }
    }
}

/// Groups of the Kubernetes community want to be approved.
fn approval(object: &Value, path: &Path<'_>, causes: &mut Causes) {
    const KEY: &str = "api-approved.kubernetes.io";
    let group = object.text(&["spec", "group"]);
    let protected = ["k8s.io", "kubernetes.io"].iter().any(|end| group == *end || group.ends_with(&format!(".{end}")));
    if !protected {
        return;
    }
    match object.text(&["metadata", "annotations", KEY]) {
        "" => causes.required(
            &path.key(KEY),
            "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111",
        ),
        word if word.starts_with("unapproved") || word.contains("://") => {}
        word => causes.invalid(
            &path.key(KEY),
            word,
            "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111",
        ),
    }
}

/// Where a schema stands: other words are used for it.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

fn schema(version: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(root) = version.at(&["schema", "openAPIV3Schema"]).filter(|schema| !schema.is_null()) else { return };
    let at = path.to("openAPIV3Schema");
    let kind = root.text(&["type"]);
    if version.has(&["subresources", "status"]) && !kind.is_empty() && kind != "object" {
        causes.invalid(&at.to("type"), kind, NOT_ROOT);
    }
    if root.is_true(&["nullable"]) {
        causes.forbidden(&at.to("nullable"), "nullable cannot be true at the root");
    }
    let mut structural = Causes::default();
    structure(root, Level::Root, &at, &mut structural);
    let mut structural = structural.into_found();
    structural.sort_by_key(|cause| format!("{}: {}", cause.field, cause.message));
    structural.dedup();
    causes.extend(structural);
    types(root, &at, causes);
}

/// What makes a schema structural: types for all that it has.
fn structure(schema: &Value, level: Level, path: &Path<'_>, causes: &mut Causes) {
    let kind = schema.text(&["type"]);
    let embedded = schema.is_true(&["x-kubernetes-embedded-resource"]);
    let open = schema.is_true(&["x-kubernetes-preserve-unknown-fields"]);
    let either = schema.is_true(&["x-kubernetes-int-or-string"]);
    if kind == "array" && !schema.has(&["items"]) {
        causes.required(&path.to("items"), "must be specified");
    }
    if let Some(items) = schema.get("items") {
        structure(items, Level::Item, &path.to("items"), causes);
    }
    let list = path.to("properties");
    for (name, property) in schema.entries(&["properties"]) {
        structure(property, Level::Field, &list.key(name), causes);
    }
    if let Some(additional) = schema.get("additionalProperties") {
        if level == Level::Root {
            causes.forbidden(&path.to("additionalProperties"), "must not be used at the root");
        }
        if additional.is_object() {
            structure(additional, Level::Field, &path.to("additionalProperties"), causes);
        }
    }
    if either && open {
        let detail = "must be false if x-kubernetes-int-or-string is true";
        causes.invalid(&path.to("x-kubernetes-preserve-unknown-fields"), true, detail);
    }
    if embedded && kind != "object" {
        let detail = "must be object if x-kubernetes-embedded-resource is true";
        match kind {
            "" => causes.required(&path.to("type"), detail),
            kind => causes.invalid(&path.to("type"), kind, detail),
        }
    } else if kind.is_empty() && !either && !open {
        let detail = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        causes.required(&path.to("type"), detail);
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        causes.invalid(&path.to("type"), kind, "must be object at the root");
    }
    if level == Level::Root {
        metadata(schema, &list, causes);
    }
}

/// The schema of the metadata is the server's own.
fn metadata(schema: &Value, path: &Path<'_>, causes: &mut Causes) {
    for key in ["kind", "apiVersion"] {
        if let Some(kind) = schema.at(&["properties", key]).map(|property| property.text(&["type"]))
            && kind != "string"
        {
            causes.invalid(&path.key(key).to("type"), kind, "must be string");
        }
    }
    let Some(metadata) = schema.at(&["properties", "metadata"]) else { return };
    if metadata.text(&["type"]) != "object" {
        causes.invalid(&path.key("metadata").to("type"), metadata.text(&["type"]), "must be object");
    }
    let known = |key: &String| matches!(key.as_str(), "type" | "properties" | "default" | "description");
    let named = metadata.entries(&["properties"]).all(|(key, _)| matches!(key.as_str(), "name" | "generateName"));
    if !named || !metadata.as_object().is_some_and(|fields| fields.keys().all(known)) {
        let detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        causes.forbidden(&path.key("metadata"), detail);
    }
}

/// Types that there are, and what schemas may not have.
fn types(schema: &Value, path: &Path<'_>, causes: &mut Causes) {
    const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
    let kind = schema.text(&["type"]);
    if !kind.is_empty() && !TYPES.contains(&kind) {
        causes.unsupported(&path.to("type"), kind, &TYPES);
    }
    for key in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
        if schema.has(&[key]) {
            causes.forbidden(&path.to(key), format!("{key} is not supported"));
        }
    }
    if kind == "null" {
        causes.forbidden(&path.to("type"), "type cannot be set to null, use nullable as an alternative");
    }
    let list = path.to("properties");
    for (name, property) in schema.entries(&["properties"]) {
        types(property, &list.key(name), causes);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key).filter(|inner| inner.is_object()) {
            types(inner, &path.to(key), causes);
        }
    }
}
