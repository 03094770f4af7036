//! The variables of a container, from literals, ConfigMaps and Secrets.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    rules::fields::{is_true, list, text},
    sandbox::controllers::{
        Cache,
        tables::{self, Key, TableId},
    },
};

/// The value of a key of a Secret or ConfigMap as text; None where either is not there.
pub fn value(cache: &Cache, table: TableId, namespace: &str, name: &str, key: &str) -> Option<String> {
    let object = cache.get(&Key::new(table, namespace, name))?;
    let plain = object["data"].get(key)?.as_str()?;
    if table != tables::SECRETS {
        return Some(plain.to_owned());
    }
    String::from_utf8(STANDARD.decode(plain).ok()?).ok()
}

/// The variables of a container.
///
/// # Errors
/// What the kubelet says where a ConfigMap, a Secret or a key is missing.
pub fn variables(cache: &Cache, namespace: &str, container: &Value) -> Result<HashMap<String, String>, String> {
    let mut found = HashMap::new();
    for source in list(container, "/envFrom") {
        take_all(cache, namespace, source, &mut found)?;
    }
    for variable in list(container, "/env") {
        let name = text(variable, "/name").to_owned();
        if let Some(plain) = variable.get("value").and_then(Value::as_str) {
            found.insert(name, plain.to_owned());
            continue;
        }
        for (pointer, table, kind) in [
            ("/valueFrom/configMapKeyRef", tables::CONFIG_MAPS, "ConfigMap"),
            ("/valueFrom/secretKeyRef", tables::SECRETS, "Secret"),
        ] {
            let Some(reference) = variable.pointer(pointer) else { continue };
            let (object, key) = (text(reference, "/name"), text(reference, "/key"));
            match value(cache, table, namespace, object, key) {
                Some(value) => {
                    found.insert(name.clone(), value);
                }
                None if is_true(reference, "/optional") => {}
                None if cache.has(&Key::new(table, namespace, object)) => {
                    return Err(format!("couldn't find key {key} in {kind} {namespace}/{object}"));
                }
                None => return Err(format!("{} \"{object}\" not found", kind.to_lowercase())),
            }
        }
    }
    Ok(found)
}

fn take_all(cache: &Cache, namespace: &str, source: &Value, found: &mut HashMap<String, String>) -> Result<(), String> {
    let prefix = text(source, "/prefix");
    for (pointer, table, kind) in
        [("/configMapRef", tables::CONFIG_MAPS, "configmap"), ("/secretRef", tables::SECRETS, "secret")]
    {
        let Some(reference) = source.pointer(pointer) else { continue };
        let name = text(reference, "/name");
        let Some(object) = cache.get(&Key::new(table, namespace, name)) else {
            if is_true(reference, "/optional") {
                continue;
            }
            return Err(format!("{kind} \"{name}\" not found"));
        };
        for key in object["data"].as_object().into_iter().flat_map(|data| data.keys()) {
            if let Some(value) = value(cache, table, namespace, name, key) {
                found.insert(format!("{prefix}{key}"), value);
            }
        }
    }
    Ok(())
}

/// What keeps the volumes of a pod's containers from being mounted: the volume and why.
pub fn unmountable(cache: &Cache, namespace: &str, pod: &Value) -> Option<(String, String)> {
    let mounted = |name: &str| {
        let containers = list(pod, "/spec/containers").iter().chain(list(pod, "/spec/initContainers"));
        containers.flat_map(|container| list(container, "/volumeMounts")).any(|mount| mount["name"] == name)
    };
    let missing = |table: TableId, name: &str, kind: &str| {
        let gone = !name.is_empty() && !cache.has(&Key::new(table, namespace, name));
        gone.then(|| format!("{kind} \"{name}\" not found"))
    };
    list(pod, "/spec/volumes").iter().filter(|volume| mounted(text(volume, "/name"))).find_map(|volume| {
        let required = |pointer: &str| {
            volume.pointer(pointer).filter(|source| !is_true(source, "/optional")).unwrap_or(&Value::Null)
        };
        let map = missing(tables::CONFIG_MAPS, text(required("/configMap"), "/name"), "configmap");
        let why = map.or_else(|| missing(tables::SECRETS, text(required("/secret"), "/secretName"), "secret"))?;
        Some((text(volume, "/name").to_owned(), why))
    })
}
