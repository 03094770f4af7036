//! Makes `src/schema/builtin.json.gz` from the OpenAPI and the discovery of the API server that `kubectl` talks to, and
//! from its Go types, which alone tell what it writes for a field that is absent or empty:
//!
//! ```sh
//! modules=$(go env GOMODCACHE)/k8s.io
//! cargo run --example schema-table -- $modules/api@v0.34.4 $modules/apimachinery@v0.34.4/pkg/apis/meta/v1 \
//!     $modules/apiextensions-apiserver@v0.35.0/pkg/apis/apiextensions/v1 > src/schema/builtin.json.gz
//! ```
//!
//! and, with `columns` as its argument, `src/sandbox/kinds/table/columns.json.gz` from what it answers behind
//! `kubectl proxy`:
//!
//! ```sh
//! kubectl proxy &
//! cargo run --example schema-table -- columns > src/sandbox/kinds/table/columns.json.gz
//! ```
//!
//! and, with `internal` and the folder of the API server's own types, `src/sandbox/kinds/validate/internal.json.gz`:
//!
//! ```sh
//! cargo run --example schema-table -- internal $modules/kubernetes@v1.34.4/pkg/apis/core \
//!     > src/sandbox/kinds/validate/internal.json.gz
//! ```
//!
//! and, with `protobuf` and the same folders as its arguments, `src/sandbox/http/protobuf.json.gz`.

mod columns;
mod go;
mod internal;
mod protobuf;

use std::{
    error::Error,
    io::{self, Write},
    process::Command,
};

use flate2::{Compression, GzBuilder};
use kubectl_evolve::schema::Reader;
use serde_json::{Map, Value, json};

/// The verbs of most resources, which the table leaves out.
const USUAL: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Groups that an add-on serves.
const ADDED: [&str; 1] = ["metrics.k8s.io"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == "columns") {
        return write(&columns::of_kinds()?);
    }
    if let [first, folders @ ..] = arguments.as_slice()
        && first == "protobuf"
    {
        return write(&protobuf::messages(folders)?);
    }
    if let [first, folder] = arguments.as_slice()
        && first == "internal"
    {
        return write(&internal::types(folder)?);
    }
    let version = get("/version")?;
    let version = format!("{}.{}", text(&version, "major"), text(&version, "minor"));
    let documents = get("/openapi/v3")?;
    let mut components = Map::new();
    let mut resources = Vec::new();
    let api_versions = api_versions()?;
    for api_version in &api_versions {
        let path = if api_version.contains('/') { format!("apis/{api_version}") } else { format!("api/{api_version}") };
        let document = get(text(&documents["paths"][&path], "serverRelativeURL"))?;
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            components.insert(name.clone(), schema.clone());
        }
        for listed in get(&format!("/{path}"))?["resources"].as_array().into_iter().flatten() {
            resources.push((api_version.as_str(), listed.clone()));
        }
    }
    let mut reader = Reader::new(&version, &components, false);
    read_kinds(&mut reader, &components, &resources);
    let mut schema = reader.finish(api_versions);
    go::fill_in(&mut schema, arguments.into_iter())?;
    write(&schema)
}

fn write(table: &impl serde::Serialize) -> Result<(), Box<dyn Error>> {
    let mut packed = GzBuilder::new().write(io::stdout().lock(), Compression::best());
    packed.write_all(&serde_json::to_vec(table)?)?;
    packed.finish()?.flush()?;
    Ok(())
}

/// The API versions by priority of their groups, the core's first.
fn api_versions() -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = vec!["v1".to_owned()];
    for group in get("/apis")?["groups"].as_array().into_iter().flatten() {
        if !ADDED.contains(&text(group, "name")) {
            let versions = group["versions"].as_array().into_iter().flatten();
            found.extend(versions.map(|version| text(version, "groupVersion").to_owned()));
        }
    }
    Ok(found)
}

/// Reads the types of what is listed, and what discovery says of it.
fn read_kinds(reader: &mut Reader<'_>, components: &Map<String, Value>, resources: &[(&str, Value)]) {
    let root_of = |api_version: &str, kind: &str| {
        let (root, _) = components.iter().find(|(_, schema)| is(schema, api_version, kind))?;
        Some(json!({"$ref": format!("#/components/schemas/{root}")}))
    };
    let mut viewed = Vec::new();
    for (api_version, resource) in resources {
        let (plural, kind) = (text(resource, "name"), text(resource, "kind"));
        if plural.contains('/') {
            let view = match (text(resource, "group"), text(resource, "version")) {
                (_, "") => continue,
                (group, version) => format!("{group}/{version}"),
            };
            if let Some(root) = root_of(&view, kind).filter(|_| !viewed.contains(&kind)) {
                viewed.push(kind);
                reader.add(&view, kind, "", resource["namespaced"] == true, &root);
            }
            continue;
        }
        let Some(root) = root_of(api_version, kind) else { continue };
        let Some(entry) = reader.add(api_version, kind, plural, resource["namespaced"] == true, &root) else {
            continue;
        };
        entry.short_names = texts(&resource["shortNames"]);
        entry.categories = texts(&resource["categories"]);
        entry.verbs = texts(&resource["verbs"]);
        if entry.verbs == USUAL {
            entry.verbs.clear();
        }
        let below = format!("{plural}/");
        entry.subresources = resources
            .iter()
            .filter(|(version, _)| version == api_version)
            .filter_map(|(_, other)| text(other, "name").strip_prefix(&below).map(Into::into))
            .collect();
    }
}

/// Whether a schema is the root of a kind.
fn is(schema: &Value, api_version: &str, kind: &str) -> bool {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    schema["x-kubernetes-group-version-kind"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|entry| text(entry, "group") == group && text(entry, "version") == version && text(entry, "kind") == kind)
}

fn get(path: &str) -> Result<Value, Box<dyn Error>> {
    let output = Command::new("kubectl").args(["get", "--raw", path]).output()?;
    if !output.status.success() {
        return Err(format!("kubectl get --raw {path}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn texts(values: &Value) -> Vec<String> {
    values.as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
}
