//! Whatever the rules call an error in a field, the API server has to refuse too: valid objects of many kinds, changed
//! in one place after the other, are judged by both.

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use kubectl_evolve::{
    model::{Manifest, ObjectRef, Severity},
    rules::manifests::{Context, Facts, Set, judge},
    source::Sources,
};
use serde_json::{Value, json};

use super::support::{TestCluster, wait_until};

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

#[tokio::test]
async fn the_api_server_refuses_what_the_rules_call_an_error() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("agreement").await;
    let valid = Sources::parse("valid.yaml", include_str!("../manifests/valid.yaml")).unwrap().manifests;
    let mut judged = Judged::default();
    for manifest in &valid {
        judged.all_changes(&cluster, &namespace.name, manifest, &[], EVERY).await;
    }
    judged.assert_agreement();
}

/// The same for a custom resource, whose types only a definition in the set tells.
#[tokio::test]
async fn the_api_server_refuses_what_the_rules_call_an_error_by_a_definition() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("agreement").await;
    // A group of its own, so that runs side by side do not meet.
    let text = include_str!("../manifests/custom.yaml").replace("GROUP", &format!("{}.example", namespace.name));
    let manifests = Sources::parse("custom.yaml", text).unwrap().manifests;
    let (definition, resource) = (&manifests[0], &manifests[1]);
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let name = &definition.reference.name;
    definitions
        .create(&PostParams::default(), &serde_json::from_value(definition.object.clone()).unwrap())
        .await
        .unwrap();
    wait_until("the definition to be served", Duration::from_secs(20), async || {
        refusal(&cluster.client, &namespace.name, resource, &manifests).await.is_none().then_some(())
    })
    .await;
    let mut judged = Judged::default();
    judged.all_changes(&cluster, &namespace.name, resource, &manifests, 1).await;
    definitions.delete(name, &DeleteParams::default()).await.unwrap();
    judged.assert_agreement();
}

/// The verdicts on many objects.
#[derive(Default)]
struct Judged {
    total: usize,
    /// Those of the rules' errors that the server has nothing against.
    false_alarms: Vec<String>,
}

impl Judged {
    /// Judges an object, which has to pass, and every so many of its changes.
    async fn all_changes(
        &mut self,
        cluster: &TestCluster,
        namespace: &str,
        valid: &Manifest,
        beside: &[Manifest],
        every: usize,
    ) {
        let refused = refusal(&cluster.client, namespace, valid, beside).await;
        assert_eq!((errors(valid, beside), refused), (Vec::new(), None), "{}", valid.reference);
        let changes = changes(&valid.object).into_iter().step_by(every);
        let mut judged = futures::stream::iter(changes)
            .map(|(what, object)| async move {
                let reference = ObjectRef::of(&object);
                let changed = Manifest { reference, object, ..valid.clone() };
                (what, errors(&changed, beside), refusal(&cluster.client, namespace, &changed, beside).await)
            })
            .buffer_unordered(16);
        while let Some((what, errors, refusal)) = judged.next().await {
            self.total += 1;
            if !errors.is_empty() && refusal.is_none() {
                self.false_alarms.push(format!("{} {what}: {}", valid.reference, errors.join("; ")));
            }
        }
    }

    #[track_caller]
    fn assert_agreement(&self) {
        let Self { total, false_alarms } = self;
        assert!(
            false_alarms.is_empty(),
            "{} of {total} are accepted:\n{}",
            false_alarms.len(),
            false_alarms.join("\n")
        );
    }
}

/// What the rules have against an object.
fn errors(manifest: &Manifest, beside: &[Manifest]) -> Vec<String> {
    let manifests = [std::slice::from_ref(manifest), beside].concat();
    let set = Set::new(&manifests, "default");
    let found = judge(Context { set: &set, facts: &Facts::default() }, &BTreeMap::new()).into_iter();
    let errors =
        found.filter(|found| found.manifest == 0 && found.severity == Severity::Error && CODES.contains(&found.code));
    errors.map(|found| format!("[{}] {} {}", found.code, found.path, found.message)).collect()
}

/// What the API server has against an object, by a dry run of server-side apply.
async fn refusal(client: &kube::Client, namespace: &str, manifest: &Manifest, beside: &[Manifest]) -> Option<String> {
    let (mut object, reference) = (manifest.object.clone(), &manifest.reference);
    let set = Set::new(beside, "default");
    let (_, kind) = set.kind(reference).unwrap();
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
    let long = "x".repeat(64);
    let names = [
        "Bad_Name",
        "a.b",
        "1a",
        "-a",
        "a..b",
        "2001:db8::1",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        &long,
    ];
    let named = |name: &&str| {
        let mut object = object.clone();
        object["metadata"]["name"] = (*name).into();
        (format!("named {name}"), object)
    };
    let mut changed: Vec<_> = names.iter().map(named).collect();
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
