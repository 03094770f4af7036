//! Patches as a real server carried them out: `recorded.json.gz` holds strategic merge patches to a Deployment of
//! Kubernetes 1.34 with the object before and the answer after each.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::json;

use super::*;
use crate::{sandbox::fields::Types, schema::builtin};

fn deployments() -> Types<'static> {
    let known = builtin().kind("apps/v1", "Deployment").unwrap();
    Types { schema: builtin(), root: Some(known.root), kind: &known.kind, has_status: true }
}

/// Where ours says something else than the real answer does, which may have defaults more.
fn difference(path: &str, ours: &serde_json::Value, real: &serde_json::Value) -> Option<String> {
    use serde_json::Value::{Array, Null, Object};
    match (ours, real) {
        (Object(ours), Object(real)) => ours.iter().find_map(|(key, value)| {
            let path = format!("{path}/{key}");
            difference(&path, value, real.get(key).unwrap_or(&Null))
        }),
        (Object(ours), Null) if ours.is_empty() => None,
        (Array(ours), Null) if ours.is_empty() => None,
        (Array(ours), Array(real)) if ours.len() == real.len() => {
            ours.iter().zip(real).enumerate().find_map(|(at, (ours, real))| {
                let path = format!("{path}/{at}");
                difference(&path, ours, real)
            })
        }
        (ours, real) if ours == real => None,
        _ => Some(format!("{path}: ours {ours}, real {real}")),
    }
}

#[test]
fn every_recorded_strategic_merge_patch_gives_the_same_object() {
    let mut text = String::new();
    GzDecoder::new(&include_bytes!("recorded.json.gz")[..]).read_to_string(&mut text).unwrap();
    let recorded: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert!(recorded.len() > 30);
    for step in recorded {
        let (live, sent, real) = (&step["live"], &step["patch"], &step["answer"]);
        match strategic(deployments(), live, sent) {
            // The object that it gives is refused later, by the rules of its kind.
            Ok(_) if real["code"] == 422 => {}
            Ok(ours) => assert_eq!(difference("", &ours, real), None, "{sent}"),
            Err(PatchFailure::Malformed(why)) => {
                assert_eq!((&real["code"], &real["message"]), (&json!(400), &json!(why)))
            }
            Err(PatchFailure::Failed(why)) => assert_eq!((&real["code"], &real["message"]), (&json!(500), &json!(why))),
            Err(other) => panic!("{sent}: {other:?}"),
        }
    }
}

#[test]
fn a_merge_patch_removes_by_null_and_replaces_lists() {
    let live = json!({"a": 1, "b": {"c": 1, "d": [1, 2]}});
    let patch = json!({"a": null, "b": {"d": [3, null]}, "e": {"f": null, "g": 1}, "h": null});
    assert_eq!(merge(&live, &patch), json!({"b": {"c": 1, "d": [3, null]}, "e": {"g": 1}}));
}

#[test]
fn json_patches_are_as_lenient_as_the_real_ones() {
    let live = json!({"data": {"a": "1"}, "list": [1, 2, 3]});
    let run = |operations: serde_json::Value| json(&live, operations.to_string().as_bytes());
    let cases = [
        (json!([{"op": "replace", "path": "/data/new", "value": "2"}]), json!({"a": "1", "new": "2"})),
        (json!([{"op": "copy", "from": "/data/none", "path": "/data/b"}]), json!({"a": "1", "b": null})),
        (json!([{"op": "move", "from": "/data/a", "path": "/data/b~1c"}]), json!({"b/c": "1"})),
        (json!([{"op": "test", "path": "/data/none", "value": null}]), json!({"a": "1"})),
        (json!([{"op": "add", "path": "x/data/b", "value": 1}]), json!({"a": "1", "b": 1})),
    ];
    for (operations, wanted) in cases {
        assert_eq!(run(operations.clone()).unwrap()["data"], wanted, "{operations}");
    }
    let lists = [
        (json!([{"op": "remove", "path": "/list/-1"}]), json!([1, 2])),
        (json!([{"op": "add", "path": "/list/-", "value": 4}]), json!([1, 2, 3, 4])),
        (json!([{"op": "add", "path": "/list/3", "value": 4}]), json!([1, 2, 3, 4])),
        (json!([{"op": "replace", "path": "/list/0", "value": 4}]), json!([4, 2, 3])),
    ];
    for (operations, wanted) in lists {
        assert_eq!(run(operations.clone()).unwrap()["list"], wanted, "{operations}");
    }
}

#[test]
fn what_a_json_patch_cannot_do_is_unprocessable() {
    let live = json!({"data": {"a": "1"}, "list": [1]});
    for operation in [
        json!({"op": "test", "path": "/data/a", "value": "2"}),
        json!({"op": "remove", "path": "/data/none"}),
        json!({"op": "remove", "path": "/list/1"}),
        json!({"op": "add", "path": "/list/3", "value": 1}),
        json!({"op": "add", "path": "/none/a", "value": 1}),
        json!({"op": "add", "path": "data", "value": 1}),
        json!({"op": "add", "value": 1}),
        json!({"op": "frob", "path": "/data/a"}),
        json!({"op": "replace", "path": "", "value": 1}),
    ] {
        let failure = json(&live, json!([operation]).to_string().as_bytes());
        assert!(matches!(failure, Err(PatchFailure::Unprocessable(_))), "{operation}: {failure:?}");
    }
    assert!(matches!(json(&live, b"{\"op\": 1}"), Err(PatchFailure::Malformed(_))));
    assert!(matches!(json(&live, b"zz"), Err(PatchFailure::Malformed(_))));
}

#[test]
fn copies_that_would_fill_the_memory_are_refused() {
    let live = json!({"a": ["x".repeat(1000)]});
    let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
    let operations = serde_json::Value::from(vec![double; 40]);
    assert!(matches!(json(&live, operations.to_string().as_bytes()), Err(PatchFailure::Unprocessable(_))));
}
