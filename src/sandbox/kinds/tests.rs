//! What a real API server of 1.34 answered (dry runs of 2026-11-21), against what is made of the same objects here.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::{catalogue, resource::Resource};

pub(super) fn resource(api_version: &str, kind: &str) -> Resource {
    catalogue::builtin().into_iter().find(|it| it.api_version() == api_version && it.kind == kind).unwrap()
}

/// What is stored of an object that is created.
fn created(yaml: &str) -> Value {
    let mut object: Value = serde_saphyr::from_str(yaml).unwrap();
    let resource = resource(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
    default(&resource, &mut object);
    object["metadata"]["uid"] = json!("u");
    admit(&resource, &mut object, "abcde");
    prepare_create(&resource, &mut object);
    object
}

#[test]
fn a_deployment_gets_every_default_and_no_empty_field() {
    let object = created(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, annotations: {}, creationTimestamp: null}
spec:
  paused: false
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}, creationTimestamp: null}
    spec: {containers: [{name: c, image: 'x:1', command: [], resources: {limits: {cpu: 0.5, memory: 1024Mi}}}]}
",
    );
    let expected = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "uid": "u", "generation": 1},
        "spec": {
            "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"a": "b"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
                "containers": [{
                    "name": "c", "image": "x:1", "imagePullPolicy": "IfNotPresent",
                    "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                }],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30,
            }},
        },
        "status": {},
    });
    assert_eq!(object, expected);
}

#[test]
fn a_pod_gets_what_admission_adds_and_its_class_of_service() {
    let pod = created(
        "
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: nginx, resources: {limits: {cpu: 1, memory: 1Gi}}}]}
status: {phase: Running}
",
    );
    assert_eq!(pod["status"], json!({"phase": "Pending", "qosClass": "Guaranteed"}));
    let spec = &pod["spec"];
    assert_eq!(spec["containers"][0]["resources"]["requests"], json!({"cpu": "1", "memory": "1Gi"}));
    assert_eq!(spec["containers"][0]["volumeMounts"][0]["name"], "kube-api-access-abcde");
    assert_eq!(spec["serviceAccountName"], "default");
    assert_eq!(spec["tolerations"].as_array().unwrap().len(), 2);
    assert_eq!((&spec["priority"], &spec["enableServiceLinks"]), (&json!(0), &json!(true)));
    assert_eq!(pod["metadata"]["generation"], 1);
}

#[test]
fn a_pod_that_is_replaced_keeps_what_admission_gave_it() {
    let resource = resource("v1", "Pod");
    let live = created("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: x}]}}");
    let mut new = live.clone();
    let spec = new["spec"].as_object_mut().unwrap();
    for key in ["priority", "preemptionPolicy", "tolerations"] {
        spec.shift_remove(key);
    }
    prepare_update(&resource, "", &mut new, &live, "now");
    assert_eq!(new, live);
}

#[test]
fn a_job_finds_its_pods_by_its_own_uid() {
    let job = created(
        "
apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: 'x:1'}]}}}
",
    );
    let labels = json!({"batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "j",
        "controller-uid": "u", "job-name": "j"});
    assert_eq!(job["spec"]["template"]["metadata"]["labels"], labels);
    assert_eq!(job["metadata"]["labels"], labels);
    let selector = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}});
    assert_eq!(job["spec"]["selector"], selector);
}

#[test]
fn texts_of_a_secret_become_data() {
    let secret = created(
        "
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {a: eA==, c: ZA==}
stringData: {a: b}
",
    );
    assert_eq!(secret["data"], json!({"a": "Yg==", "c": "ZA=="}));
    assert_eq!((&secret["type"], secret.get("stringData")), (&json!("Opaque"), None));
}

#[test]
fn the_status_is_written_by_its_subresource_only_and_the_generation_follows_the_spec() {
    let resource = resource("apps/v1", "Deployment");
    let live = json!({"metadata": {"name": "d", "generation": 3}, "spec": {"replicas": 1}, "status": {"replicas": 1}});
    let mut new = json!({"metadata": {"name": "d"}, "spec": {"replicas": 2}, "status": {"replicas": 9}});
    prepare_update(&resource, "", &mut new, &live, "now");
    assert_eq!((&new["status"]["replicas"], &new["metadata"]["generation"]), (&json!(1), &json!(4)));
    let mut new = json!({"metadata": {"name": "d"}, "spec": {"replicas": 2}, "status": {"replicas": 9}});
    prepare_update(&resource, "status", &mut new, &live, "now");
    assert_eq!((&new["spec"]["replicas"], &new["status"]["replicas"]), (&json!(1), &json!(9)));
    assert_eq!(new["metadata"]["generation"], 3);
}

#[test]
fn a_scale_shows_and_sets_the_number_of_replicas() {
    let resource = resource("apps/v1", "Deployment");
    let mut object = json!({
        "metadata": {"name": "d", "namespace": "n", "uid": "u", "labels": {"x": "y"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"b": "c", "a": "b"}}}, "status": {"replicas": 1},
    });
    let expected = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "d", "namespace": "n", "uid": "u"},
        "spec": {"replicas": 2}, "status": {"replicas": 1, "selector": "a=b,b=c"},
    });
    assert_eq!(scale(&resource, &object), Some(expected));
    assert!(set_scale(&resource, &mut object, &json!({"spec": {"replicas": 5}})));
    assert_eq!(object["spec"]["replicas"], 5);
}

#[test]
fn custom_resources_get_the_defaults_of_their_schema() {
    let crd = json!({"spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "W", "plural": "ws"},
    "versions": [{"name": "v1", "served": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
        "spec": {"type": "object", "default": {}, "properties": {
            "size": {"type": "string", "default": "small", "enum": ["small", "large"]},
            "opt": {"type": "string", "nullable": true},
            "name": {"type": "string", "maxLength": 3},
        }},
    }}}}]}});
    let resource = catalogue::custom(&crd).remove(0);
    let mut object = json!({"metadata": {"name": "w", "namespace": "n"}});
    default(&resource, &mut object);
    assert_eq!(object["spec"], json!({"size": "small"}));
    let mut object = json!({"metadata": {"name": "w", "namespace": "n"},
        "spec": {"size": "huge", "opt": null, "name": null}});
    default(&resource, &mut object);
    assert_eq!(object["spec"], json!({"size": "huge", "opt": null}));
    let causes = validate(&resource, "", &object, None);
    assert_eq!(causes[0].message, "Unsupported value: \"huge\": supported values: \"small\", \"large\"");
}
