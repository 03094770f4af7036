//! Manifests mean to us what they mean to kubectl.

use std::{collections::BTreeMap, fs, path::Path};

use kubectl_evolve::source::{Input, ReadRequest, Sources, read, to_yaml};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Map, Value, json};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::support::TestCluster;

/// Texts that stand after `data:` in a ConfigMap, chosen for what YAML readers disagree about.
const WRITTEN: &[&str] = &[
    " {a: yes, b: 'yes', c: \"yes\", d: !!str yes, y: n, off: ON}",
    "\n  010: 010\n  0o10: 0o10\n  0x1F: 0x1F\n  1_000: 1_000\n  1e6: 1e6\n  1.10: 1.10\n  .5: .5_0\n",
    " [~, null, '', 1:30, 2001-01-01, 1Gi, 100m, +1, -0, 1e400, 08, 0b-1, =, <<, .e5]",
    " [9223372036854775807, 9223372036854775808, 18446744073709551616, -9223372036854775809, 1234567890123456789.0]",
    "\n  a: &a {x: 1, y: 2}\n  b: *a\n  c:\n    x: 0\n    <<: *a\n    z: 3\n  d: {<<: [*a, {x: 9, w: 8}]}\n",
    "\n  a: |\n    x\n     y\n\n  b: |-\n    x\n\n  c: |+\n    x\n\n  d: >\n    x\n    y\n\n    z\n     w\n  e: >2-\n      x\n    y\n",
    "\n  a: x\n    y\n\n    z\n  b: 'x\n    ''y''\n\n    z'\n  c: \"x\\\n    y\\x41\\u00e9\\t\n    z\"\n",
    "\n- a\n-\n  - b\n- - c\n  - d\n- e: f\n  g: h\n- ? i\n  : j\n",
    " # comment\n  a: b#c #d\n  # comment\n  'e': http://f:1/?g=h&i#j\n",
    "\r\n  a: |\r\n    x\r\n    y\r\n  b: 'x\r\n    y'\r\n",
    " {\"a\":1,\"b\":[true,null,\"\\n\\u00e9\"],\"c\":{}}",
    "\n  a: !!int '5'\n  b: !!float 1\n  c: !own x\n  d: !!binary aGk=\n  e: ! 1\n",
    "\n  a: {b: c, d, e: , [f]: g}\n",
    "\n  a:\tb\n  c: d\t\n  e: ${f}\n  g: $h\n  i: '@j'\n",
    "\n  é: 日本 😀\n  a: \u{a0}x\n",
];

/// Values that a writer may get wrong.
fn values() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        "[-+0-9a-fxob_.eE:~<=yYnNoOfF]{0,8}",
        "[ \\t\\n#:'\"a|>%@`&*!?,\\[\\]{}\\\\\u{85}\u{2028}\u{feff}-]{0,12}",
        "( {0,3}[a#:\t-]{0,3} {0,2}\n){1,4}",
        "\\PC{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let fields = prop::collection::vec((texts.clone(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| fields.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn object(name: usize, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{name}}}\ndata:{data}")
}

/// What kubectl makes of the manifests in a folder: the data by the object's name. Broken files are left out.
async fn as_kubectl_reads(folder: &Path) -> BTreeMap<String, Value> {
    let arguments = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f"];
    let output = Command::new("kubectl").args(arguments).arg(folder).output().await.unwrap();
    let objects = Sources::parse("kubectl", String::from_utf8(output.stdout).unwrap()).unwrap();
    let data = |object: &Value| object.get("data").cloned().unwrap_or_default();
    objects.manifests.into_iter().map(|manifest| (manifest.reference.name, data(&manifest.object))).collect()
}

#[tokio::test]
async fn every_scalar_and_structure_means_the_same_to_kubectl() {
    if TestCluster::real().await.is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut texts: Vec<String> = WRITTEN.iter().enumerate().map(|(name, data)| object(name, data)).collect();
    let mut runner = TestRunner::deterministic();
    for name in texts.len()..300 {
        let value = values().new_tree(&mut runner).unwrap().current();
        let whole =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("m{name}")}, "data": value});
        texts.push(to_yaml(&whole).unwrap());
    }
    for (name, text) in texts.iter().enumerate() {
        fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    let kubectl = as_kubectl_reads(folder.path()).await;
    assert_eq!(kubectl.len(), texts.len() - 1, "all but the key that is a list");
    for (name, text) in texts.iter().enumerate() {
        let ours = Sources::parse("ours", text.as_str()).map(|mut sources| sources.manifests.remove(0).object);
        let ours = ours.map(|mut object| object["data"].take()).ok();
        assert_eq!(ours.as_ref(), kubectl.get(&format!("m{name}")), "{text}");
    }
}

#[tokio::test]
async fn kustomizations_are_built_by_kubectl() {
    if TestCluster::real().await.is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), object(0, " {a: b}")).unwrap();
    fs::write(folder.path().join("kustomization.yaml"), "namePrefix: own-\nresources: [a.yaml]\n").unwrap();
    for input in [Input::Kustomize(".".into()), Input::File(".".into())] {
        let request = ReadRequest { inputs: vec![input], base: folder.path().into(), substitute: None };
        let sources = read(&request, std::io::empty(), &CancellationToken::new()).await.unwrap();
        let manifest = &sources.manifests[0];
        assert_eq!(
            (manifest.reference.name.as_str(), manifest.place.to_string()),
            ("own-m0", ". (kustomize):1:1".into())
        );
    }
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    let request =
        ReadRequest { inputs: vec![Input::Kustomize(".".into())], base: folder.path().into(), substitute: None };
    let error = read(&request, std::io::empty(), &CancellationToken::new()).await.unwrap_err();
    assert!(
        error.to_string().contains("kubectl kustomize . failed") && error.to_string().contains("a.yaml"),
        "{error}"
    );
}
