//! Objects as lines that two clusters can share: without names that were generated, identities, times and addresses.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;
use serde_json::Value;

/// What is taken out of every text, and what stands there instead.
static TAKEN: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let pattern = |text: &str| Regex::new(text).unwrap();
    vec![
        (pattern("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
        (pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
        (pattern(r"\d+\.\d+\.\d+\.\d+"), "ADDRESS"),
        (pattern(r"sha256:[0-9a-f]{64}|[a-z]+://[0-9a-f]{64}"), "ID"),
        (pattern(r"\b\d+(\.\d+)?(ms|µs)\b"), "SPAN"),
        (pattern(r"\b(testbed|sandbox)$"), "NODE"),
        (pattern("kube-api-access-[a-z0-9]{5}"), "TOKEN"),
        (pattern("sandbox.evolve/volumes|testbed/volumes(_vm_UID)?"), "PROVISIONER"),
    ]
});

/// Fields that differ between any two clusters, or between two looks.
const LEFT_OUT: [&str; 18] = [
    "lastTransitionTime",
    "lastUpdateTime",
    "lastProbeTime",
    "lastScaleTime",
    "startTime",
    "startedAt",
    "finishedAt",
    "completionTime",
    "lastScheduleTime",
    "lastSuccessfulTime",
    "podIP",
    "podIPs",
    "hostIP",
    "hostIPs",
    "imageID",
    "containerID",
    "resourceVersion",
    "observedGeneration",
];

/// The lines of all objects of a namespace.
pub fn lines(namespace: &str, objects: &[Value]) -> BTreeSet<String> {
    let names = Names::of(namespace, objects);
    let mut found = BTreeSet::new();
    for object in objects {
        if object["kind"] == "Event" {
            found.insert(event(&names, object));
            continue;
        }
        let start = format!("{} {}", text(object, "/kind"), names.plain(text(object, "/metadata/name")));
        let fields = match text(object, "/kind") {
            "EndpointSlice" => ["endpoints", "ports"].as_slice(),
            _ => &["status"],
        };
        for field in fields {
            flatten(&names, &format!("{start} {field}"), &object[*field], &mut found);
        }
    }
    found
}

fn event(names: &Names, event: &Value) -> String {
    let about = &event["involvedObject"];
    let path = text(about, "/fieldPath");
    let said = names.plain(text(event, "/message"));
    let name = names.plain(text(about, "/name"));
    let source = match text(event, "/source/component") {
        "" => names.plain(text(event, "/reportingComponent")),
        component => names.plain(component),
    };
    format!(
        "event {} {name} {path} {} {} ({source}): {said}",
        text(about, "/kind"),
        text(event, "/type"),
        text(event, "/reason")
    )
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// One line for each field; elements of lists are named by their type or name.
fn flatten(names: &Names, at: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())) {
                flatten(names, &format!("{at}.{key}"), value, found);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let key = ["type", "name"].iter().find_map(|key| item[*key].as_str());
                let key = key.map_or_else(|| place.to_string(), |key| names.plain(key));
                flatten(names, &format!("{at}[{key}]"), item, found);
            }
        }
        Value::String(text) => drop(found.insert(format!("{at} = {}", names.plain(text)))),
        other => drop(found.insert(format!("{at} = {other}"))),
    }
}

/// The names that were generated, by what they stand for; the longest first.
struct Names {
    names: Vec<(String, String)>,
    gone: Vec<(Regex, String)>,
}

impl Names {
    fn of(namespace: &str, objects: &[Value]) -> Self {
        let owner = |object: &Value| text(object, "/metadata/ownerReferences/0/name").to_owned();
        let mut plain: BTreeMap<String, String> = BTreeMap::new();
        for object in objects.iter().filter(|object| object["kind"] == "ReplicaSet") {
            let revision = text(object, "/metadata/annotations/deployment.kubernetes.io~1revision");
            plain.insert(text(object, "/metadata/name").into(), format!("{}-RS{revision}", owner(object)));
        }
        let known = plain.clone();
        for object in objects.iter().filter(|object| object["kind"] == "Job" && !owner(object).is_empty()) {
            plain.insert(text(object, "/metadata/name").into(), format!("{}-RUN", owner(object)));
        }
        let jobs = plain.clone();
        for object in objects.iter().filter(|object| object["metadata"]["generateName"].is_string()) {
            let owner = owner(object);
            // The pods of a StatefulSet have names of their own.
            if text(object, "/metadata/ownerReferences/0/kind") == "StatefulSet" {
                continue;
            }
            let owner = known.get(&owner).or_else(|| jobs.get(&owner)).cloned().unwrap_or(owner);
            let kind = text(object, "/kind").to_uppercase();
            plain.insert(text(object, "/metadata/name").into(), format!("{owner}-{kind}"));
        }
        plain.insert(namespace.into(), "NAMESPACE".into());
        let mut names: Vec<(String, String)> = plain.into_iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        // Pods that are gone, or were never made, are still named by events.
        let owners =
            objects.iter().filter(|object| matches!(text(object, "/kind"), "ReplicaSet" | "Job" | "DaemonSet"));
        let owners = owners.map(|owner| text(owner, "/metadata/name"));
        let gone = owners.map(|name| {
            let owner = jobs.get(name).map_or(name, String::as_str);
            let pattern = format!(r"\b{}-[bcdfghjklmnpqrstvwxz2456789]{{5}}\b", regex::escape(owner));
            (Regex::new(&pattern).unwrap(), format!("{owner}-POD"))
        });
        Self { names, gone: gone.collect() }
    }

    fn plain(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, plain) in &self.names {
            if text.contains(name.as_str()) {
                text = text.replace(name.as_str(), plain);
            }
        }
        for (pattern, plain) in &self.gone {
            text = pattern.replace_all(&text, plain.as_str()).into_owned();
        }
        for (pattern, instead) in &*TAKEN {
            text = pattern.replace_all(&text, *instead).into_owned();
        }
        text
    }
}
