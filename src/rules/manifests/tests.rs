//! Each rule on the smallest manifests that it judges.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::{Context, Facts, Found, Known, RULES, Set, judge, outside_references};
use crate::{
    config::Level,
    model::{Manifest, ObjectRef, Severity},
};

fn manifests(yaml: &str) -> Vec<Manifest> {
    let read = |document| {
        let object: Value = serde_saphyr::from_str(document).unwrap();
        Manifest { reference: ObjectRef::of(&object), object, place: Default::default() }
    };
    yaml.split("\n---\n").map(read).collect()
}

/// What the rules say of YAML documents, a line for each finding.
fn findings_with(facts: &Facts, yaml: &str) -> Vec<String> {
    let manifests = manifests(yaml);
    let set = Set::new(&manifests, "shop");
    let line = |found: &Found| {
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let hint = found.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{severity} {} {}: {}{hint}", found.code, found.path, found.message)
    };
    judge(Context { set: &set, facts }, &BTreeMap::new()).iter().map(line).collect()
}

#[track_caller]
fn check(yaml: &str, expected: &[&str]) {
    assert_eq!(findings_with(&Facts::default(), yaml), expected);
}

/// A Deployment that no rule has anything against, with changes.
fn deployment(changes: &[(&str, &str)]) -> String {
    let valid = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - name: api
        image: api:1
        env: [{name: PORT, value: '8080'}]
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {port: http}}
";
    changes.iter().fold(valid.into(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

#[test]
fn what_the_api_server_accepts_passes() {
    check(&deployment(&[]), &[]);
    let manifests: Vec<&str> = include_str!("../../../tests/manifests/valid.yaml").split("\n---\n").collect();
    for document in manifests {
        let errors: Vec<String> = findings_with(&Facts::default(), document)
            .into_iter()
            .filter(|found| found.starts_with("error") && !found.contains("port-missing"))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{document}");
    }
}

#[test]
fn unknown_fields_get_the_nearest_name() {
    check(
        &deployment(&[("replicas:", "replica:")]),
        &[r#"error unknown-field spec.replica: unknown field "replica" of DeploymentSpec (did you mean replicas?)"#],
    );
    check(
        &deployment(&[("containerPort", "containerport")]),
        &[
            r#"error missing-field spec.template.spec.containers[0].ports[0]: required field "containerPort" of ContainerPort is missing"#,
            r#"error unknown-field spec.template.spec.containers[0].ports[0].containerport: unknown field "containerport" of ContainerPort (did you mean containerPort?)"#,
        ],
    );
    check(
        &deployment(&[("  replicas: 2\n", ""), ("spec:", "replicas: 2\nspec:")]),
        &[
            r#"error unknown-field replicas: unknown field "replicas" of Deployment (replicas is a field of spec: indent it below)"#,
        ],
    );
    let newer = Facts { minor: Some(40), ..Facts::default() };
    assert_eq!(
        findings_with(&newer, &deployment(&[("replicas:", "brandNew: 1\n  replicas:")])),
        [r#"warning unknown-field spec.brandNew: unknown field "brandNew" of DeploymentSpec"#]
    );
}

#[test]
fn wrong_types_say_what_was_expected() {
    check(
        &deployment(&[("replicas: 2", "replicas: '2'"), ("'8080'", "8080")]),
        &[
            r#"error wrong-type spec.replicas: expected a whole number, found the string "2" (remove the quotes)"#,
            "error wrong-type spec.template.spec.containers[0].env[0].value: expected a string, found a number (put it in quotes)",
        ],
    );
    check(
        &deployment(&[("replicas: 2", "replicas: 5000000000")]),
        &[
            "warning wrong-type spec.replicas: 5000000000 does not fit into 32 bits: the API server would store another number",
        ],
    );
    check(
        "{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: [{type: Pod, max: {memory: 1GB, cpu: 2}}]}}",
        &[
            r#"error wrong-type spec.limits[0].max.memory: expected a quantity such as 500m, 2 or 1.5Gi, found the string "1GB""#,
        ],
    );
    check(&deployment(&[("replicas: 2", "replicas: null"), ("http}}", "8080}}")]), &[]);
}

#[test]
fn values_of_secrets_are_never_said() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {p: hunter2!}, stringData: {n: 12345}}";
    let found = findings_with(&Facts::default(), secret).join("\n");
    assert!(found.contains("data.p: expected base64, found a string"), "{found}");
    assert!(!found.contains("hunter2") && !found.contains("12345"), "{found}");
    assert!(found.contains("warning secret-in-plain-text data: the values of p are in the file"), "{found}");
}

#[test]
fn values_and_names_have_their_form() {
    check(
        &deployment(&[
            ("image: api:1", "image: api:1\n        imagePullPolicy: always"),
            ("name: http,", "name: http_port,"),
            ("port: http", "port: http_port"),
        ]),
        &[
            r#"error wrong-value spec.template.spec.containers[0].imagePullPolicy: "always" is none of the values of imagePullPolicy: Always, IfNotPresent, Never (did you mean Always?)"#,
            r#"error bad-name spec.template.spec.containers[0].ports[0].name: "http_port" is no valid name here: at most 15 lower-case letters, digits and single '-', at least one letter"#,
        ],
    );
    check(
        "{apiVersion: v1, kind: Service, metadata: {name: 1api, labels: {a b: c}}, spec: {clusterIP: None}}",
        &[
            r#"error bad-name metadata.labels.a b: "a b" is no valid label key: expected prefix/name, the prefix a domain, the name at most 63 letters, digits, '-', '_' and '.'"#,
            r#"error bad-name metadata.name: "1api" is no valid name here: at most 63 lower-case letters, digits and '-', beginning with a letter"#,
        ],
    );
}

#[test]
fn numbers_have_a_range_and_choices_one_answer() {
    check(
        &deployment(&[("replicas: 2", "replicas: -1"), ("containerPort: 8080", "containerPort: 80800")]),
        &[
            "error out-of-range spec.replicas: -1 is out of range: it cannot be negative",
            "error out-of-range spec.template.spec.containers[0].ports[0].containerPort: 80800 is out of range: a port is from 1 to 65535",
        ],
    );
    check(
        &deployment(&[("httpGet: {port: http}", "periodSeconds: 5")]),
        &[
            "error one-of spec.template.spec.containers[0].readinessProbe: one of exec, grpc, httpGet, tcpSocket has to be given",
        ],
    );
    check(
        &deployment(&[("httpGet: {port: http}", "httpGet: {port: http}, tcpSocket: {port: http}")]),
        &[
            "error one-of spec.template.spec.containers[0].readinessProbe: httpGet and tcpSocket: only one of them may be given",
        ],
    );
    check(
        &deployment(&[("        image: api:1\n", ""), ("- name: api", "- name: ''")]),
        &[
            r#"error missing-field spec.template.spec.containers[0]: required field "image" of Container is missing"#,
            r#"error missing-field spec.template.spec.containers[0]: required field "name" of Container is empty"#,
        ],
    );
}

#[test]
fn the_same_twice_is_an_error() {
    check(
        &deployment(&[("value: '8080'}", "value: '8080'}, {name: PORT, value: x}")]),
        &["error duplicate-item spec.template.spec.containers[0].env[1]: name=PORT is also item 0 of env"],
    );
    check(
        &deployment(&[(
            "containerPort: 8080",
            "containerPort: 8080}, {name: other, containerPort: 8080, protocol: TCP",
        )]),
        &[
            "error duplicate-item spec.template.spec.containers[0].ports[1]: containerPort=8080 protocol=TCP is also item 0 of ports",
        ],
    );
    let twice = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}}";
    check(
        twice,
        &[
            "error duplicate-object metadata.name: configmap/a is already at  (the two differ: remove one, or rename it)",
        ],
    );
}

#[test]
fn kinds_and_versions_are_known() {
    let object =
        |api_version: &str, kind: &str| format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: a}}}}");
    check(
        &object("apps/v1", "Deploymnet"),
        &["error unknown-kind kind: Kubernetes has no Deploymnet in apps/v1 (did you mean Deployment?)"],
    );
    check(
        &object("v1", "Deployment"),
        &["error unknown-kind apiVersion: Kubernetes has no Deployment in v1 (Deployment is in apps/v1)"],
    );
    check(&object("example.org/v1", "Deployment"), &[]);
    check(&object("apps/v1", "BrandNew"), &["warning unknown-kind kind: Kubernetes has no BrandNew in apps/v1"]);
    check(
        &object("extensions/v1beta1", "Ingress"),
        &[
            "error removed-api apiVersion: extensions/v1beta1 Ingress was removed in Kubernetes 1.22 (use networking.k8s.io/v1)",
        ],
    );
    let old = Facts { minor: Some(20), ..Facts::default() };
    assert_eq!(
        findings_with(&old, &object("extensions/v1beta1", "Ingress")),
        [
            "warning deprecated-api apiVersion: extensions/v1beta1 Ingress is deprecated since Kubernetes 1.14 and removed in 1.22 (use networking.k8s.io/v1)"
        ]
    );
}

#[test]
fn custom_resources_are_judged_by_the_crd_of_the_set() {
    let widget = "{apiVersion: example.org/v1, kind: Widget, metadata: {name: a, labels: {b: 1}}, spec: {sise: 1}}";
    let label = "error wrong-type metadata.labels.b: expected a string, found a number (put it in quotes)";
    check(widget, &[label]);
    let crd = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
";
    check(
        &format!("{widget}\n---\n{crd}"),
        &[label, r#"error unknown-field spec.sise: unknown field "sise" (did you mean size?)"#],
    );
}

#[test]
fn selectors_match_their_own_pods() {
    check(
        &deployment(&[("labels: {app: api}", "labels: {app: apj}")]),
        &[
            "error selector-mismatch spec.selector.matchLabels.app: the selector asks for app=api, and spec.template.metadata.labels has app=apj",
        ],
    );
    let expression = "selector: {matchExpressions: [{key: tier, operator: In, values: [a, b]}]}";
    check(
        &deployment(&[("selector: {matchLabels: {app: api}}", expression)]),
        &[
            "error selector-mismatch spec.selector.matchExpressions[0]: the selector asks for tier In a, b, and spec.template.metadata.labels has app=api",
        ],
    );
}

#[test]
fn services_find_pods_and_ports() {
    let service = |selector: &str, target: &str| {
        let service = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: api}}, spec: {{selector: {{{selector}}}, ports: [{{port: 80, targetPort: {target}}}]}}}}"
        );
        format!("{}\n---\n{service}", deployment(&[]))
    };
    check(&service("app: api", "http"), &[]);
    check(
        &service("app: web", "http"),
        &["warning service-selects-nothing spec.selector: no pod of the manifests has the labels app=web"],
    );
    check(
        &service("app: api", "htp"),
        &[
            r#"error port-missing spec.ports[0].targetPort: no container that the Service selects has a port named "htp" (did you mean http?)"#,
        ],
    );
    check(
        &service("app: api", "81"),
        &[
            "warning port-missing spec.ports[0].targetPort: no container that the Service selects declares port 81; declared: 8080",
        ],
    );
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: api, port: {number: 8080}}}}";
    check(
        &format!("{}\n---\n{ingress}", service("app: api", "http")),
        &[r#"error port-missing spec.defaultBackend.service.port.number: Service "api" has no port 8080; it has 80"#],
    );
}

#[test]
fn probes_find_their_port_and_mounts_their_volume() {
    check(
        &deployment(&[("port: http}", "port: web}")]),
        &[
            r#"error port-missing spec.template.spec.containers[0].readinessProbe.httpGet.port: container "api" has no port named "web" (its ports are http)"#,
        ],
    );
    check(
        &deployment(&[("port: http}", "port: 9999}")]),
        &[
            "warning port-missing spec.template.spec.containers[0].readinessProbe.httpGet.port: no container of the pod declares port 9999; declared: 8080",
        ],
    );
    check(
        &deployment(&[("image: api:1", "image: api:1\n        volumeMounts: [{name: data, mountPath: /data}]")]),
        &[
            r#"error volume-missing spec.template.spec.containers[0].volumeMounts[0].name: the pod has no volume named "data""#,
        ],
    );
}

const WITH_SECRET: (&str, &str) = ("value: '8080'", "valueFrom: {secretKeyRef: {name: db, key: password}}");

#[test]
fn references_are_looked_for_in_the_set_and_then_in_the_cluster() {
    let secret = ObjectRef {
        api_version: "v1".into(),
        kind: "Secret".into(),
        namespace: Some("shop".into()),
        name: "db".into(),
    };
    let judged = |known: Option<Known>| {
        let objects: HashMap<ObjectRef, Known> = known.map(|known| (secret.clone(), known)).into_iter().collect();
        findings_with(&Facts { minor: Some(34), objects, ..Facts::default() }, &deployment(&[WITH_SECRET]))
    };
    let at = "reference-missing spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.key";
    assert_eq!(
        judged(None),
        [format!(
            "warning {at}: Secret \"db\" of namespace shop is not in the manifests, and no cluster could be asked"
        )]
    );
    assert_eq!(
        judged(Some(Known::Absent)),
        [format!("error {at}: Secret \"db\" of namespace shop is neither in the manifests nor in the cluster")]
    );
    assert_eq!(judged(Some(Known::Unknown)), Vec::<String>::new());
    assert_eq!(judged(Some(Known::Present { keys: None })), Vec::<String>::new());
    let keys = |key: &str| Known::Present { keys: Some(vec![key.into()]) };
    assert_eq!(judged(Some(keys("password"))), Vec::<String>::new());
    assert_eq!(
        judged(Some(keys("passwort"))),
        [format!("error {at}: Secret \"db\" has no key \"password\" (did you mean passwort?)")]
    );

    let in_set = |data: &str| {
        let secret = format!("{{apiVersion: v1, kind: Secret, metadata: {{name: db}}, stringData: {data}}}");
        format!("{}\n---\n{secret}", deployment(&[WITH_SECRET]))
    };
    check(&in_set("{password: ''}"), &[]);
    check(&in_set("{user: ''}"), &[&format!("error {at}: Secret \"db\" has no key \"password\" (its keys are user)")]);
    check(
        &in_set("{}"),
        &[&format!("info {at}: Secret \"db\" has no key \"password\" (something has to fill it in the cluster)")],
    );
}

#[test]
fn what_is_optional_or_made_by_something_in_the_set_is_not_missing() {
    check(&deployment(&[("value: '8080'", "valueFrom: {secretKeyRef: {name: db, key: p, optional: true}}")]), &[]);
    let certificate =
        "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: c}, spec: {secretName: db}}";
    check(&format!("{}\n---\n{certificate}", deployment(&[WITH_SECRET])), &[]);
    let role = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: maker}
rules: [{apiGroups: [''], resources: [secrets], verbs: [create]}]";
    let found = findings_with(&Facts::default(), &format!("{}\n---\n{role}", deployment(&[WITH_SECRET])));
    assert!(
        found[0].ends_with("(role.rbac.authorization.k8s.io/maker lets something make it in the cluster)"),
        "{found:?}"
    );
    check(&deployment(&[("containers:", "serviceAccountName: default\n      containers:")]), &[]);
}

#[test]
fn the_cluster_is_asked_only_for_what_the_set_lacks() {
    let manifests = manifests(&format!(
        "{}\n---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, namespace: other}}}}",
        deployment(&[WITH_SECRET])
    ));
    let set = Set::new(&manifests, "shop");
    let mut asked: Vec<String> = outside_references(&set).map(|reference| reference.target.to_string()).collect();
    asked.sort();
    assert_eq!(asked, ["namespace/other", "secret/db"]);
}

#[test]
fn images_are_pinned() {
    let image = "warning latest-image spec.template.spec.containers[0].image: image";
    check(&deployment(&[("api:1", "api")]), &[&format!("{image} \"api\" has no tag, which means latest")]);
    check(
        &deployment(&[("api:1", "r:5000/api:latest")]),
        &[&format!("{image} \"r:5000/api:latest\" has the tag latest")],
    );
    check(&deployment(&[("api:1", "r:5000/api@sha256:0000")]), &[]);
}

#[test]
fn sizes_have_limits() {
    let of_size = |kind: &str, size: usize| {
        let object =
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, "data": {"k": "A".repeat(size)}});
        findings_with(&Facts::default(), &object.to_string())
    };
    assert_eq!(of_size("ConfigMap", 1 << 20), Vec::<String>::new());
    assert_eq!(
        of_size("ConfigMap", (1 << 20) + 4),
        ["error object-too-large data: the data is 1025 KiB large, and 1024 KiB is the limit"]
    );
    assert_eq!(of_size("Secret", 1 << 20).len(), 1, "base64 of less than the limit");
}

#[test]
fn levels_change_severities_and_leave_rules_out() {
    let manifests = manifests(&deployment(&[("api:1", "api"), ("replicas:", "replica:")]));
    let set = Set::new(&manifests, "shop");
    let levels = BTreeMap::from([("latest-image".into(), Level::Error), ("unknown-field".into(), Level::Off)]);
    let found = judge(Context { set: &set, facts: &Facts::default() }, &levels);
    assert_eq!(
        found.iter().map(|found| (found.code, found.severity)).collect::<Vec<_>>(),
        [("latest-image", Severity::Error)]
    );
}

#[test]
fn rules_have_a_code_and_words_of_their_own() {
    for (index, rule) in RULES.iter().enumerate() {
        assert!(RULES[..index].iter().all(|other| other.code != rule.code), "{}", rule.code);
        assert!(!rule.summary.ends_with('.') && rule.help.ends_with('.'), "{}", rule.code);
    }
}
