//! The subresource `scale`: the one number that scalers read and write, whatever the kind.

use serde_json::{Map, Value, json};

use super::edit::{Edit, Fields, Read};
use crate::{
    rules::selector::{selector_text, set_text},
    sandbox::resource::Resource,
};

/// Where a kind keeps what its scale shows.
struct Paths {
    wanted: Vec<String>,
    observed: Vec<String>,
    selector: Vec<String>,
}

/// The `Scale` (`autoscaling/v1`) of an object; None for kinds that have none.
pub fn scale(resource: &Resource, object: &Value) -> Option<Value> {
    let paths = paths(resource)?;
    let follow = |path: &[String]| path.iter().try_fold(object, |value, key| value.get(key));
    let metadata: Fields = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), object.at(&["metadata", key])?.clone())))
        .collect();
    let mut spec = Map::new();
    if let Some(wanted) = follow(&paths.wanted).and_then(Value::as_i64).filter(|wanted| *wanted != 0) {
        spec.insert("replicas".into(), json!(wanted));
    }
    let mut status = json!({"replicas": follow(&paths.observed).and_then(Value::as_i64).unwrap_or_default()});
    let selector = match follow(&paths.selector) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(selector)) if resource.kind == "ReplicationController" => set_text(selector),
        Some(Value::Object(selector)) => selector_text(selector),
        _ => String::new(),
    };
    if !selector.is_empty() {
        status["selector"] = json!(selector);
    }
    Some(json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status,
    }))
}

/// Writes the number of a `Scale` into its object; false for kinds that have none.
pub fn set_scale(resource: &Resource, object: &mut Value, scale: &Value) -> bool {
    let Some(Paths { wanted, .. }) = paths(resource) else { return false };
    let Some((last, before)) = wanted.split_last() else { return false };
    let Some(object) = object.as_object_mut() else { return false };
    let Some(fields) = before.iter().try_fold(object, |fields, key| fields.within(key)) else { return false };
    fields.insert(last.clone(), json!(scale.number(&["spec", "replicas"]).unwrap_or_default()));
    true
}

/// The way to the number of replicas that is wanted; empty where the kind has none.
pub fn replicas_path(resource: &Resource) -> Vec<String> {
    paths(resource).map(|paths| paths.wanted).unwrap_or_default()
}

fn paths(resource: &Resource) -> Option<Paths> {
    if !resource.subresources.iter().any(|name| name == "scale") {
        return None;
    }
    let split = |path: &str| path.split('.').filter(|key| !key.is_empty()).map(Into::into).collect();
    let (wanted, observed, selector) = match &resource.custom {
        Some(version) => {
            let path = |key: &str| version.text(&["subresources", "scale", key]).to_owned();
            (path("specReplicasPath"), path("statusReplicasPath"), path("labelSelectorPath"))
        }
        None => ("spec.replicas".into(), "status.replicas".into(), "spec.selector".into()),
    };
    Some(Paths { wanted: split(&wanted), observed: split(&observed), selector: split(&selector) })
}
