//! Against what a real API server did: `recorded.json.gz` holds requests to Kubernetes 1.34 with the object before and the
//! answer after each.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::*;
use crate::{
    sandbox::patch::{self, PatchFailure},
    schema::builtin,
};

fn recorded() -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(&include_bytes!("recorded.json.gz")[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn types(object: &Value) -> Types<'static> {
    let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
    let known = builtin().kind(version, kind).unwrap();
    let has_status = builtin().get(known.root).unwrap().field("status").is_some();
    Types { schema: builtin(), root: Some(known.root), kind: &known.kind, has_status }
}

fn query<'q>(step: &'q Value, key: &str) -> &'q str {
    let pairs = step["query"].as_str().unwrap().split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| *name == key).map(|(_, value)| value).next().unwrap_or_default()
}

/// The newest time of the entries: when the request was made.
fn time_of(answer: &Value) -> jiff::Timestamp {
    let entries = answer["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let times = entries.iter().filter_map(|entry| entry["time"].as_str()?.parse().ok());
    times.max().unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// What our patch makes of the object of a step.
fn patched(step: &Value) -> Result<Value, PatchFailure> {
    let (live, body) = (&step["live"], &step["body"]);
    match step["type"].as_str().unwrap() {
        "application/merge-patch+json" => Ok(patch::merge(live, body)),
        "application/json-patch+json" => patch::json(live, body.to_string().as_bytes()),
        "application/strategic-merge-patch+json" => patch::strategic(types(live), live, body),
        _ => Ok(body.clone()),
    }
}

/// What the server fills in after it has noted who owns what.
const FILLED_IN_LATER: [&str; 8] = [
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "preemptionPolicy",
    "priority",
    "serviceAccount",
    "serviceAccountName",
];

fn replay(step: &Value) -> Result<Value, ApplyFailure> {
    let (live, answer) = (&step["live"], &step["answer"]);
    let live = Some(live).filter(|live| !live.is_null());
    let object = live.unwrap_or(answer);
    let writer = Writer {
        manager: query(step, "fieldManager"),
        api_version: object["apiVersion"].as_str().unwrap(),
        subresource: step["subresource"].as_str().unwrap(),
        now: time_of(answer),
    };
    if step["type"] == "application/apply-patch+yaml" {
        return apply(types(object), live, &step["body"], &writer, query(step, "force") == "true");
    }
    let given = patched(step).unwrap();
    let mut new = answer.clone();
    if live.is_none() {
        for field in FILLED_IN_LATER {
            new.get_mut("spec").and_then(Value::as_object_mut).map(|spec| spec.remove(field));
        }
    }
    new["metadata"]["managedFields"] = given["metadata"]["managedFields"].clone();
    Ok(track_update(types(object), live, new, &writer))
}

#[test]
fn every_recorded_request_gives_the_same_owners() {
    let mut faults = Vec::new();
    for step in recorded() {
        let (name, answer) = (&step["name"], &step["answer"]);
        match replay(&step) {
            Ok(_) if answer["code"] == 422 => {}
            Ok(object) => {
                let (ours, real) = (&object["metadata"]["managedFields"], &answer["metadata"]["managedFields"]);
                if ours != real {
                    faults.push(format!("{name}\n  real {real}\n  ours {ours}"));
                }
            }
            Err(ApplyFailure::Conflicts(conflicts)) => {
                assert_eq!(conflicts_message(&conflicts), answer["message"], "{name}");
                assert_eq!(conflicts.len(), answer["details"]["causes"].as_array().unwrap().len());
            }
            Err(other) => faults.push(format!("{name}: {other:?}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_recorded_request_on_a_config_map_gives_the_same_object() {
    for step in recorded().iter().filter(|step| step["answer"]["kind"] == "ConfigMap") {
        let mut ours = match replay(step) {
            Ok(object) if step["type"] == "application/apply-patch+yaml" => object,
            _ => patched(step).unwrap(),
        };
        let mut real = step["answer"].clone();
        for object in [&mut ours, &mut real] {
            object["metadata"].as_object_mut().unwrap().remove("managedFields");
            object["metadata"].as_object_mut().unwrap().remove("namespace");
            for at in ["", "/metadata"] {
                let fields = object.pointer_mut(at).unwrap().as_object_mut().unwrap();
                fields.retain(|_, value| !value.is_null() && *value != json!({}));
            }
        }
        assert_eq!(ours, real, "{}", step["name"]);
    }
}

mod laws {
    use proptest::{collection, prelude::*};

    use super::*;

    fn writer(manager: &str) -> Writer<'_> {
        Writer { manager, api_version: "v1", subresource: "", now: jiff::Timestamp::UNIX_EPOCH }
    }

    fn config_map(data: &[(String, String)], labels: &[(String, String)]) -> Value {
        let map = |pairs: &[(String, String)]| -> Value {
            pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<serde_json::Map<_, _>>().into()
        };
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": map(labels)}, "data": map(data)})
    }

    fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
        collection::vec(("[a-e]", "[01]"), 0..5)
    }

    fn service(ports: &[(u16, bool, u16)]) -> Value {
        let port = |(port, udp, target): &(u16, bool, u16)| {
            let mut value = json!({"port": port, "targetPort": target});
            if *udp {
                value["protocol"] = json!("UDP");
            }
            value
        };
        let mut seen = Vec::new();
        let fresh = |(port, udp, _): &&(u16, bool, u16)| {
            let is_new = !seen.contains(&(*port, *udp));
            seen.push((*port, *udp));
            is_new
        };
        let ports: Vec<Value> = ports.iter().filter(fresh).map(port).collect();
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": ports}})
    }

    proptest! {
        #[test]
        fn the_same_apply_twice_changes_nothing(data in pairs(), labels in pairs(), other in pairs()) {
            let other = config_map(&other, &[]);
            let live = apply(types(&other), None, &other, &writer("other"), false).unwrap();
            let wanted = config_map(&data, &labels);
            let once = apply(types(&wanted), Some(&live), &wanted, &writer("one"), true).unwrap();
            let twice = apply(types(&wanted), Some(&once), &wanted, &writer("one"), false).unwrap();
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn an_apply_removes_exactly_what_it_no_longer_says(first in pairs(), second in pairs(), other in pairs()) {
            let other = config_map(&other, &[]);
            let live = apply(types(&other), None, &other, &writer("other"), false).unwrap();
            let (first, second) = (config_map(&first, &[]), config_map(&second, &[]));
            let once = apply(types(&other), Some(&live), &first, &writer("one"), true).unwrap();
            let twice = apply(types(&other), Some(&once), &second, &writer("one"), true).unwrap();
            for (key, value) in second["data"].as_object().unwrap() {
                prop_assert_eq!(&twice["data"][key], value);
            }
            let keys = |object: &Value| -> Vec<String> {
                object["data"].as_object().map(|data| data.keys().cloned().collect()).unwrap_or_default()
            };
            // A field that the first apply took over from the other is the writer's alone.
            let kept = keys(&other).into_iter().filter(|key| first["data"].get(key).is_none_or(|value| *value == other["data"][key]));
            let mut wanted: Vec<String> = kept.chain(keys(&second)).collect();
            wanted.sort();
            wanted.dedup();
            let mut found = keys(&twice);
            found.sort();
            prop_assert_eq!(found, wanted);
        }

        #[test]
        fn lists_by_key_follow_the_applied_order(first in collection::vec((1_u16..6, any::<bool>(), 1_u16..4), 0..6), second in collection::vec((1_u16..6, any::<bool>(), 1_u16..4), 1..6)) {
            let (first, second) = (service(&first), service(&second));
            let live = apply(types(&first), None, &first, &writer("one"), false).unwrap();
            let applied = apply(types(&first), Some(&live), &second, &writer("one"), false).unwrap();
            let names = |object: &Value| -> Vec<Value> {
                object["spec"]["ports"].as_array().unwrap().iter().map(|port| json!([port["port"], port["protocol"]])).collect()
            };
            prop_assert_eq!(names(&applied), names(&second));
        }
    }
}
