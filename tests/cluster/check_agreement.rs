//! Whatever the rules call an error in a field, the API server has to refuse too: valid objects of many kinds, changed
//! in one place after the other, are judged by both.

use std::collections::BTreeMap;

use futures::StreamExt;
use kubectl_evolve::{
    model::{Manifest, ObjectRef, Severity},
    rules::manifests::{Context, Facts, Set, judge},
    schema::builtin,
    source::Sources,
};
use serde_json::{Value, json};

use crate::support::TestCluster;

/// The rules that judge an object by itself.
const CODES: [&str; 11] = [
    "unknown-field",
    "missing-field",
    "wrong-type",
    "wrong-value",
    "bad-name",
    "duplicate-item",
    "selector-mismatch",
    "object-too-large",
    "volume-missing",
    "one-of",
    "out-of-range",
];

/// One of so many changes is tried, which takes seconds; all of them (1 here) take two minutes.
const EVERY: usize = 7;
const UNCHANGED: &str = "unchanged ";

#[tokio::test]
async fn the_api_server_refuses_what_the_rules_call_an_error() {
    let Some(cluster) = TestCluster::find().await else { return };
    let namespace = cluster.namespace("agreement").await;
    let valid = Sources::parse("valid.yaml", include_str!("../manifests/valid.yaml")).unwrap().manifests;
    let cases = valid.iter().flat_map(|manifest| {
        let name = |what: String| format!("{}: {what}", manifest.reference);
        let changed =
            changes(&manifest.object).into_iter().step_by(EVERY).map(move |(what, object)| (name(what), object));
        std::iter::once((UNCHANGED.to_owned() + &manifest.reference.to_string(), manifest.object.clone()))
            .chain(changed)
    });
    let judged = futures::stream::iter(cases).map(|(what, object)| {
        let (client, namespace) = (&cluster.client, &namespace.name);
        async move { (what, errors(&object), refusal(client, namespace, object).await) }
    });
    let (mut total, mut false_alarms) = (0, Vec::new());
    let mut judged = judged.buffer_unordered(16);
    while let Some((what, errors, refusal)) = judged.next().await {
        total += 1;
        assert!(!what.starts_with(UNCHANGED) || refusal.is_none(), "{what}: {refusal:?}");
        if !errors.is_empty() && refusal.is_none() {
            false_alarms.push(format!("{what}: {}", errors.join("; ")));
        }
    }
    assert!(false_alarms.is_empty(), "{} of {total} are accepted:\n{}", false_alarms.len(), false_alarms.join("\n"));
}

/// What the rules have against an object.
fn errors(object: &Value) -> Vec<String> {
    let manifest = Manifest { reference: ObjectRef::of(object), object: object.clone(), place: Default::default() };
    let manifests = [manifest];
    let set = Set::new(&manifests, "default");
    let found = judge(Context { set: &set, facts: &Facts::default() }, &BTreeMap::new());
    let errors = found.iter().filter(|found| found.severity == Severity::Error && CODES.contains(&found.code));
    errors.map(|found| format!("[{}] {} {}", found.code, found.path, found.message)).collect()
}

/// What the API server has against an object, by a dry run of server-side apply.
async fn refusal(client: &kube::Client, namespace: &str, mut object: Value) -> Option<String> {
    let reference = ObjectRef::of(&object);
    let kind = builtin().kind(&reference.api_version, &reference.kind).unwrap();
    let root = if reference.group().is_empty() { "api" } else { "apis" };
    let mut path = format!("/{root}/{}", reference.api_version);
    if kind.namespaced {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.insert("namespace".into(), namespace.into());
        }
        path += &format!("/namespaces/{namespace}");
    }
    let query = "fieldManager=test&force=true&dryRun=All&fieldValidation=Strict";
    path += &format!("/{}/{}?{query}", kind.plural, reference.name.replace(' ', "%20"));
    let request = http::Request::patch(path).header("content-type", "application/apply-patch+yaml");
    let request = request.body(serde_json::to_vec(&object).unwrap()).unwrap();
    client.request::<Value>(request).await.err().map(|error| error.to_string())
}

/// The object with one thing changed, once for each thing and way to change it.
fn changes(object: &Value) -> Vec<(String, Value)> {
    let mut changed = Vec::new();
    let mut pointers = Vec::new();
    collect(object, String::new(), &mut pointers);
    for pointer in pointers {
        let value = object.pointer(&pointer).unwrap();
        let mut put = |what: &str, new: Value| {
            let mut object = object.clone();
            *object.pointer_mut(&pointer).unwrap() = new;
            changed.push((format!("{pointer} {what}"), object));
        };
        if let Value::Object(fields) = value {
            let with = |key: &str, value: Value| {
                let mut fields = fields.clone();
                fields.insert(key.into(), value);
                Value::Object(fields)
            };
            put("with a field too many", with("bogus", json!({})));
            put("with a bad key", with("Bad Key!", json!("x")));
            for key in fields.keys() {
                let mut fields = fields.clone();
                fields.shift_remove(key);
                put(&format!("without {key}"), Value::Object(fields));
                put(&format!("with {key} null"), with(key, Value::Null));
            }
        }
        if let Value::Array(items) = value {
            for item in items {
                let twice = [items.as_slice(), std::slice::from_ref(item)].concat();
                put("with an item twice", Value::Array(twice));
            }
            put("with null in it", Value::Array([items.as_slice(), &[Value::Null]].concat()));
        }
        let others = [
            json!("Bad Value!"),
            json!("x"),
            json!("5"),
            json!(""),
            json!("true"),
            json!("a-very-long-name-that-is-longer-than-the-sixty-three-characters-of-a-label"),
            json!(5),
            json!(1.5),
            json!(1.0),
            json!(-1),
            json!(5_000_000_000_i64),
            json!(true),
            json!({}),
            json!([]),
            json!(["x"]),
            json!({"x": "y"}),
        ];
        for other in others.into_iter().filter(|other| other != value) {
            put(&format!("as {other}"), other);
        }
    }
    changed
}

/// The way to each value that may be changed: what names the request has to stay.
fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    if ["/apiVersion", "/kind", "/metadata/name"].contains(&pointer.as_str()) {
        return;
    }
    let below = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| collect(value, below(key), pointers)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| collect(value, below(&index.to_string()), pointers));
        }
        _ => {}
    }
    if !pointer.is_empty() {
        pointers.push(pointer);
    }
}
