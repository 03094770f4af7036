//! Makes `src/schema/builtin.json.gz` from the OpenAPI of the API server that `kubectl` talks to:
//!
//! ```sh
//! cargo run --example schema-table > src/schema/builtin.json.gz
//! ```

use std::{
    error::Error,
    io::{self, Write},
    process::Command,
};

use flate2::{Compression, GzBuilder};
use kubectl_evolve::schema::Reader;
use serde_json::{Map, Value, json};

/// Groups that an add-on serves.
const ADDED: [&str; 1] = ["metrics.k8s.io"];

fn main() -> Result<(), Box<dyn Error>> {
    let version = get("/version")?;
    let version = format!("{}.{}", text(&version, "major"), text(&version, "minor"));
    let documents = get("/openapi/v3")?;
    let mut components = Map::new();
    let mut resources = Vec::new();
    for (path, document) in documents["paths"].as_object().into_iter().flatten() {
        let Some(api_version) = path.strip_prefix("apis/").or(path.strip_prefix("api/")) else { continue };
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        if ADDED.contains(&group) || (path.starts_with("apis/") && group.is_empty()) {
            continue;
        }
        let document = get(text(document, "serverRelativeURL"))?;
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            components.insert(name.clone(), schema.clone());
        }
        let listed = get(&format!("/{path}"))?;
        resources.extend(
            listed["resources"]
                .as_array()
                .cloned()
                .unwrap_or_default()
                .into_iter()
                .map(|resource| (api_version.to_owned(), resource)),
        );
    }
    let mut reader = Reader::new(&version, &components, false);
    for (api_version, resource) in &resources {
        let (plural, kind) = (text(resource, "name"), text(resource, "kind"));
        let namespaced = resource["namespaced"] == true;
        let Some((root, _)) = components.iter().find(|(_, schema)| is(schema, api_version, kind)) else { continue };
        if !plural.contains('/') {
            let root = json!({"$ref": format!("#/components/schemas/{root}")});
            reader.add(api_version, kind, plural, namespaced, &root);
        }
    }
    let json = serde_json::to_vec(&reader.finish())?;
    let mut packed = GzBuilder::new().write(io::stdout().lock(), Compression::best());
    packed.write_all(&json)?;
    packed.finish()?.flush()?;
    Ok(())
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
