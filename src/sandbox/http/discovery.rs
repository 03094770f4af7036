//! What is served: versions, groups and resources, in the old documents and in the aggregated one.

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::{
    Response,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    accept,
    answer::{self, Body},
    handle::{Ask, nothing_there},
    route::Route,
};
use crate::sandbox::{
    api::Served,
    catalogue::{self, Below},
    resource::Resource,
};

pub(super) fn answer(ask: &Ask, route: &Route) -> Response<Body> {
    if ask.method.as_str() != "GET" && ask.method.as_str() != "HEAD" {
        return answer::text(405, "Method Not Allowed\n");
    }
    let served = ask.api.registry().all();
    let document = match route {
        Route::Health => return answer::text(200, "ok"),
        Route::Version => Some(version()),
        Route::Root => Some(paths(&served)),
        Route::CoreVersions | Route::Groups => {
            let core = *route == Route::CoreVersions;
            if let Some(version) = accept::aggregated(&ask.accept) {
                return aggregated(ask, &served, core, version);
            }
            Some(if core { core_versions() } else { groups(&served) })
        }
        Route::Group(name) => by_group(&served).into_iter().find(|(group, _)| group == name).map(|(name, versions)| {
            let mut group = group(&name, &versions);
            let mut document =
                Map::from_iter([("kind".to_owned(), "APIGroup".into()), ("apiVersion".into(), "v1".into())]);
            document.append(&mut group);
            Value::Object(document)
        }),
        Route::GroupVersion { group, version } => resources(&served, group, version),
        _ => None,
    };
    match (document, route) {
        (Some(document), _) => answer::object(ask.style, 200, &document),
        (None, Route::GroupVersion { group, .. })
            if group.is_empty() || served.iter().any(|it| it.resource.group == *group && !it.resource.is_custom()) =>
        {
            answer::problem(ask.style, &nothing_there())
        }
        _ => answer::text(404, "404 page not found\n"),
    }
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "emulationMajor": "1", "emulationMinor": "34",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "33",
        "gitVersion": "v1.34.4+sandbox", "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "", "platform": platform(),
    })
}

/// As Go names the system.
fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}/{architecture}", std::env::consts::OS)
}

fn paths(served: &[Served]) -> Value {
    let mut paths: Vec<String> = ["/api", "/api/v1", "/apis", "/apis/"].map(Into::into).into();
    for (group, versions) in by_group(served).into_iter().filter(|(group, _)| !group.is_empty()) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.iter().map(|version| format!("/apis/{group}/{version}")));
    }
    paths.extend(
        ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/readyz", "/version"].map(Into::into),
    );
    paths.sort();
    json!({ "paths": paths })
}

fn core_versions() -> Value {
    let every = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]);
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": every})
}

/// The groups in order, each with its versions in order.
fn by_group(served: &[Served]) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for resource in served.iter().map(|served| &served.resource) {
        match groups.iter_mut().find(|(group, _)| *group == resource.group) {
            Some((_, versions)) if versions.contains(&resource.version) => {}
            Some((_, versions)) => versions.push(resource.version.clone()),
            None => groups.push((resource.group.clone(), vec![resource.version.clone()])),
        }
    }
    groups
}

fn groups(served: &[Served]) -> Value {
    let groups = by_group(served).into_iter().filter(|(group, _)| !group.is_empty());
    let groups: Vec<Value> = groups.map(|(name, versions)| Value::Object(group(&name, &versions))).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn group(name: &str, versions: &[String]) -> Map<String, Value> {
    let one = |version: &String| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let all: Vec<Value> = versions.iter().map(one).collect();
    let preferred = all.first().cloned().unwrap_or_default();
    Map::from_iter([
        ("name".to_owned(), name.into()),
        ("versions".to_owned(), all.into()),
        ("preferredVersion".to_owned(), preferred),
    ])
}

fn of_version<'s>(served: &'s [Served], group: &'s str, version: &'s str) -> impl Iterator<Item = &'s Resource> {
    let resources = served.iter().map(|served| &*served.resource);
    resources.filter(move |resource| resource.group == group && resource.version == version)
}

fn resources(served: &[Served], group: &str, version: &str) -> Option<Value> {
    let found: Vec<Value> = of_version(served, group, version).flat_map(entries).collect();
    if found.is_empty() {
        return None;
    }
    let mut document = json!({"kind": "APIResourceList"});
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        document["apiVersion"] = "v1".into();
        format!("{group}/{version}")
    };
    document["groupVersion"] = group_version.into();
    document["resources"] = found.into();
    Some(document)
}

/// A resource and what is below it, as `APIResource`s.
fn entries(resource: &Resource) -> Vec<Value> {
    let mut own = json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": verbs(resource),
    });
    for (key, words) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
        if !words.is_empty() {
            own[key] = json!(words);
        }
    }
    if resource.verbs.len() > 2 {
        own["storageVersionHash"] = storage_hash(resource).into();
    }
    let mut all = vec![own];
    for name in &resource.subresources {
        let Below { verbs, view } = catalogue::below(resource, name);
        let mut entry = json!({
            "name": format!("{}/{name}", resource.plural), "singularName": "", "namespaced": resource.namespaced,
        });
        if let Some((api_version, _)) = view.filter(|(api_version, _)| *api_version != resource.api_version()) {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            entry["group"] = group.into();
            entry["version"] = version.into();
        }
        entry["kind"] = view.map_or(resource.kind.as_str(), |(_, kind)| kind).into();
        entry["verbs"] = json!(verbs);
        all.push(entry);
    }
    all
}

/// The verbs in the order of the lists of one version.
fn verbs(resource: &Resource) -> Vec<String> {
    let order = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    if resource.is_custom() { order.map(Into::into).into() } else { resource.verbs.clone() }
}

/// What clients compare to see that a kind is stored in another version now.
fn storage_hash(resource: &Resource) -> String {
    let (group, version) = match resource.kind.as_str() {
        _ if resource.is_custom() => (resource.group.as_str(), resource.version.as_str()),
        "HorizontalPodAutoscaler" => (resource.group.as_str(), "v2"),
        "CustomResourceDefinition" | "VolumeAttributesClass" => (resource.group.as_str(), "v1beta1"),
        "Event" => ("", "v1"),
        _ => (resource.group.as_str(), resource.version.as_str()),
    };
    let digest = Sha256::digest(format!("{group}/{version}/{}", resource.kind));
    BASE64_STANDARD.encode(&digest[..8])
}

/// All groups with all of their resources in one document (`apidiscovery.k8s.io`).
fn aggregated(ask: &Ask, served: &[Served], core: bool, version: &str) -> Response<Body> {
    let groups = by_group(served).into_iter().filter(|(group, _)| group.is_empty() == core);
    let items: Vec<Value> = groups
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| {
                    let resources: Vec<Value> = of_version(served, &group, version).map(discovered).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = if core { json!({}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let document = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"), "metadata": {}, "items": items,
    });
    let mut response = answer::object(ask.style, 200, &document);
    let kind = format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public"));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        headers.insert(CONTENT_TYPE, kind);
    }
    response
}

fn discovered(resource: &Resource) -> Value {
    let kind = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    // The real server leaves group and version empty where they are those of the resource itself.
    let own = if resource.is_custom() {
        kind(&resource.group, &resource.version, &resource.kind)
    } else {
        kind("", "", &resource.kind)
    };
    let mut found = json!({
        "resource": resource.plural, "responseKind": own,
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular, "verbs": verbs(resource),
    });
    for (key, words) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
        if !words.is_empty() {
            found[key] = json!(words);
        }
    }
    let below: Vec<Value> = resource
        .subresources
        .iter()
        .map(|name| {
            let Below { verbs, view } = catalogue::below(resource, name);
            let shown = match view {
                Some((api_version, name)) if api_version != resource.api_version() => {
                    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
                    kind(group, version, name)
                }
                Some((_, name)) => kind("", "", name),
                None => own.clone(),
            };
            json!({"subresource": name, "responseKind": shown, "verbs": verbs})
        })
        .collect();
    if !below.is_empty() {
        found["subresources"] = below.into();
    }
    found
}
