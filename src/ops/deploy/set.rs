//! The set of objects that a deploy wants, ready to be compared with the cluster.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
    cluster::{Cluster, Resource},
    error::{Error, Result},
    model::{Manifest, ObjectRef},
    rules::{
        applyset,
        dependence::needs,
        difference::LAST_APPLIED,
        waves::{WAVE_ANNOTATION, Wave, definition, waves},
    },
};

/// Metadata that only the server writes. kubectl get prints it, so manifests made from that have it.
const SERVER_METADATA: [&str; 6] =
    ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// One object of the set.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub manifest: Manifest,
    /// None for a kind that a definition in the set itself brings.
    pub resource: Option<Resource>,
}

/// Everything that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct DesiredSet {
    pub items: Vec<Item>,
    pub waves: Vec<Wave>,
    /// Workloads that need each other, in words.
    pub circles: Vec<String>,
    /// The id of the ApplySet, which labels each member.
    pub id: String,
}

impl DesiredSet {
    /// Resolves the kinds, fills in namespaces and the label of the set, and orders the waves.
    ///
    /// # Errors
    /// Usage errors with the place of the manifest: a kind that the cluster does not have, two manifests of one
    /// object, a namespace other than the one asked for, a wave that is no number.
    pub async fn resolve(
        cluster: &Cluster,
        namespace: &str,
        part_of: &str,
        manifests: Vec<Manifest>,
        only_namespace: Option<&str>,
    ) -> Result<Self> {
        applyset::check_manifests(&manifests)?;
        let needs = needs(&manifests, namespace);
        let order = waves(&manifests, &needs).map_err(|index| {
            let error = Error::usage(format!("the annotation {WAVE_ANNOTATION} must be a whole number, in quotes"));
            match manifests.get(index) {
                Some(manifest) => error.at(manifest.place.clone()),
                None => error,
            }
        })?;
        let defined: Vec<(String, String, bool)> = manifests
            .iter()
            .filter_map(|manifest| {
                let (group, kind) = definition(&manifest.object)?;
                Some((group.to_owned(), kind.to_owned(), manifest.object["spec"]["scope"] == "Namespaced"))
            })
            .collect();
        let mut items = Vec::with_capacity(manifests.len());
        for mut manifest in manifests {
            let reference = &manifest.reference;
            let resource = cluster.resource(&reference.api_version, &reference.kind).await?;
            let own = defined.iter().find(|(group, kind, _)| reference.group() == group && reference.kind == *kind);
            let namespaced = match (&resource, own) {
                (Some(resource), _) => resource.namespaced,
                (None, Some((_, _, namespaced))) => *namespaced,
                (None, None) => return Err(unknown_kind(cluster, &manifest).await),
            };
            place_in_namespace(&mut manifest, namespaced, namespace, only_namespace)?;
            applyset::label_member(&mut manifest.object, part_of);
            items.push(Item { manifest, resource });
        }
        refuse_duplicates(&items)?;
        let circles = needs.circles.iter().map(|circle| told(circle, &items)).collect();
        Ok(Self { items, waves: order, circles, id: part_of.into() })
    }

    /// The wave of each item.
    pub fn wave_of(&self) -> Vec<usize> {
        let mut numbers = vec![0; self.items.len()];
        for (number, wave) in self.waves.iter().enumerate() {
            for member in &wave.members {
                if let Some(slot) = numbers.get_mut(*member) {
                    *slot = number;
                }
            }
        }
        numbers
    }
}

/// Workloads that name each other's Services.
fn told(circle: &[usize], items: &[Item]) -> String {
    let names = circle.iter().filter_map(|index| items.get(*index)).map(|item| item.manifest.reference.to_string());
    let names: Vec<String> = names.collect();
    format!("{} need each other, so none waits for the others; {WAVE_ANNOTATION} sets an order", names.join(", "))
}

/// Fills in the namespace, as kubectl does: only where the kind has one, and never another than the one asked for.
fn place_in_namespace(manifest: &mut Manifest, namespaced: bool, default: &str, only: Option<&str>) -> Result<()> {
    let metadata = manifest.object["metadata"].as_object_mut();
    let Some(metadata) = metadata else {
        return Err(Error::usage("metadata must be a mapping").at(manifest.place.clone()));
    };
    match (&manifest.reference.namespace, only) {
        (_, _) if !namespaced => {
            metadata.remove("namespace");
            manifest.reference.namespace = None;
        }
        (Some(written), Some(only)) if written != only => {
            return Err(Error::usage(format!("{} is in namespace {written}, not in {only}", manifest.reference))
                .at(manifest.place.clone())
                .hint(format!("use -n {written}, or remove the namespace from the manifest")));
        }
        (Some(_), _) => {}
        (None, _) => {
            metadata.insert("namespace".into(), default.into());
            manifest.reference.namespace = Some(default.into());
        }
    }
    Ok(())
}

/// Removes what is not for us to want, and writes a Secret's `stringData` as the `data` that the server keeps, so that
/// the field's owner is the one that the server compares.
pub(super) fn clean(object: &mut Value) {
    let Value::Object(fields) = object else { return };
    fields.remove("status");
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.retain(|key, value| !SERVER_METADATA.contains(&key.as_str()) && !value.is_null());
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(LAST_APPLIED);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    if fields.get("kind").is_some_and(|kind| kind == "Secret")
        && let Some(Value::Object(texts)) = fields.remove("stringData")
    {
        let data = fields.entry("data").or_insert_with(|| Map::new().into());
        if let Value::Object(data) = data {
            for (key, text) in texts {
                let encoded = text.as_str().map(|text| STANDARD.encode(text));
                data.insert(key, encoded.map_or(text, Value::from));
            }
        }
    }
}

fn refuse_duplicates(items: &[Item]) -> Result<()> {
    let mut seen = std::collections::HashMap::with_capacity(items.len());
    for item in items {
        let reference = &item.manifest.reference;
        if let Some(first) = seen.insert(reference.identity(), &item.manifest.place) {
            return Err(Error::usage(format!("{reference} is defined twice; the first time at {first}"))
                .at(item.manifest.place.clone())
                .hint("remove one of the two"));
        }
    }
    Ok(())
}

async fn unknown_kind(cluster: &Cluster, manifest: &Manifest) -> Error {
    let ObjectRef { api_version, kind, .. } = &manifest.reference;
    let error = Error::usage(format!("the cluster has no kind {kind} in {api_version}")).at(manifest.place.clone());
    let resources = cluster.resources().await.unwrap_or_default();
    let other = resources.iter().find(|resource| resource.kind == *kind);
    match other {
        Some(other) => error.hint(format!("it has {kind} in {}: use that apiVersion", other.api_version())),
        None => error.hint("install the CustomResourceDefinition first, or put it into the same set"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_manifest_made_by_kubectl_get_is_cleaned() {
        let mut object = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "a", "creationTimestamp": null, "resourceVersion": "1", "uid": "x"},
            "stringData": {"password": "x"}, "data": {"user": "eA=="}, "status": {}
        });
        clean(&mut object);
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"user": "eA==", "password": "eA=="}
        });
        assert_eq!(object, expected);
    }
}
