//! Refusals of a real API server of 1.34, word by word.

use serde_json::Value;

use super::{super::tests::resource, *};
use crate::sandbox::{kinds, problem::Problem};

/// What is said of an object that is created, or of one that replaces another.
fn said(yaml: &str, live: Option<&str>) -> String {
    let read = |yaml: &str| -> (Resource, Value) {
        let mut object: Value = serde_saphyr::from_str(yaml).unwrap();
        let resource = resource(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
        kinds::default(&resource, &mut object);
        if resource.namespaced {
            object["metadata"]["namespace"] = "n".into();
        }
        (resource, object)
    };
    let (resource, object) = read(yaml);
    let live = live.map(|live| read(live).1);
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Problem::invalid(&resource, name, validate(&resource, "", &object, live.as_ref())).message
}

const SET: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}}
";

#[test]
fn what_is_right_passes() {
    assert_eq!(said(SET, None), "Deployment.apps \"d\" is invalid: ");
    assert_eq!(said(SET, Some(SET)), "Deployment.apps \"d\" is invalid: ");
}

#[test]
fn an_empty_deployment_lacks_all_that_is_required() {
    let expected = "Deployment.apps \"d\" is invalid: [spec.selector: Required value, spec.template.metadata.labels: \
        Invalid value: null: `selector` does not match template `labels`, spec.template.spec.containers: Required value]";
    assert_eq!(said("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {}}", None), expected);
}

#[test]
fn the_selector_of_a_deployment_is_immutable() {
    let other = SET.replace("a: b", "a: c");
    let expected = "Deployment.apps \"d\" is invalid: spec.selector: Invalid value: \
        {\"matchLabels\":{\"a\":\"c\"}}: field is immutable";
    assert_eq!(said(&other, Some(SET)), expected);
}

#[test]
fn causes_come_in_the_order_of_the_server() {
    let deployment = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: d2}
spec:
  replicas: -1
  minReadySeconds: 700
  selector: {matchLabels: {a: b}}
  strategy: {type: Foo}
  template: {metadata: {labels: {a: c}}, spec: {restartPolicy: Never, containers: [{name: a}]}}
";
    let expected = "Deployment.apps \"d2\" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, \
        spec.template.metadata.labels: Invalid value: {\"a\":\"c\"}: `selector` does not match template `labels`, \
        spec.template.spec.containers[0].image: Required value, \
        spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\", \
        spec.strategy: Unsupported value: {\"Type\":\"Foo\",\"RollingUpdate\":null}: supported values: \"Recreate\", \"RollingUpdate\", \
        spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds]";
    assert_eq!(said(deployment, None), expected);
}

#[test]
fn a_role_reference_stays() {
    let binding = |name: &str| {
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: b}}, roleRef: {{kind: Role, name: {name}}}}}"
        )
    };
    let expected = "RoleBinding.rbac.authorization.k8s.io \"b\" is invalid: roleRef: Invalid value: \
        {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\"Name\":\"other\"}: cannot change roleRef";
    assert_eq!(said(&binding("other"), Some(&binding("one"))), expected);
}

#[test]
fn an_immutable_config_map_keeps_its_data() {
    let map = |value: &str| {
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c}}, immutable: true, data: {{a: {value}}}}}")
    };
    let expected = "ConfigMap \"c\" is invalid: data: Forbidden: field is immutable when `immutable` is set";
    assert_eq!(said(&map("y"), Some(&map("x"))), expected);
}

#[test]
fn names_and_labels_have_a_form() {
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: A_b}, spec: {containers: [{name: a, image: x}]}}";
    let expected = "Pod \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must \
        consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character \
        (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    assert_eq!(said(pod, None), expected);
}
