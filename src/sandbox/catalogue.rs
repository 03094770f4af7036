//! What the sandbox serves: the built-in resources of Kubernetes 1.34, and those of custom resource definitions.

use std::sync::Arc;

use serde_json::Value;

use super::resource::Resource;
use crate::schema::{self, Kind, Schema};

/// The verbs of most resources.
const USUAL: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Every resource that an API server of 1.34 serves by default, in the order of discovery: groups by priority, in a group
/// the preferred version first, then by name.
pub fn builtin() -> Vec<Resource> {
    let table = schema::shared();
    let mut found = Vec::with_capacity(table.kinds.len());
    for api_version in &table.api_versions {
        let start = found.len();
        found.extend(
            table.kinds.iter().filter(|kind| kind.api_version == *api_version).map(|kind| resource(&table, kind)),
        );
        found[start..].sort_by(|a: &Resource, b: &Resource| a.plural.cmp(&b.plural));
    }
    found
}

fn resource(table: &Arc<Schema>, kind: &Kind) -> Resource {
    let (group, version) = kind.api_version.split_once('/').unwrap_or(("", &kind.api_version));
    Resource {
        group: group.into(),
        version: version.into(),
        kind: kind.kind.clone(),
        plural: kind.plural.clone(),
        singular: kind.kind.to_lowercase(),
        short_names: kind.short_names.clone(),
        categories: kind.categories.clone(),
        namespaced: kind.namespaced,
        verbs: if kind.verbs.is_empty() { usual() } else { kind.verbs.clone() },
        subresources: kind.subresources.clone(),
        schema: table.clone(),
        root: Some(kind.root),
        custom: None,
    }
}

fn usual() -> Vec<String> {
    USUAL.map(Into::into).into()
}

/// The resources of a CustomResourceDefinition: one for each served version, the one of the highest priority first.
pub fn custom(crd: &Value) -> Vec<Resource> {
    let table = Arc::new(schema::of_crd(crd));
    let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, kind) = (text("/spec/group"), text("/spec/names/kind"));
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<Resource> = versions
        .filter(|version| version.get("served") == Some(&Value::Bool(true)))
        .map(|version| {
            let name = version.get("name").and_then(Value::as_str).unwrap_or_default();
            let entry = table.kind(&format!("{group}/{name}"), kind);
            let singular = match text("/spec/names/singular") {
                "" => kind.to_lowercase(),
                singular => singular.into(),
            };
            Resource {
                group: group.into(),
                version: name.into(),
                kind: kind.into(),
                plural: text("/spec/names/plural").into(),
                singular,
                short_names: texts(crd.pointer("/spec/names/shortNames")),
                categories: texts(crd.pointer("/spec/names/categories")),
                namespaced: text("/spec/scope") == "Namespaced",
                verbs: usual(),
                subresources: subresources(version),
                schema: table.clone(),
                root: entry.map(|entry| entry.root),
                custom: Some(Arc::new(version.clone())),
            }
        })
        .collect();
    found.sort_by_key(|resource| std::cmp::Reverse(priority(&resource.version)));
    found
}

fn subresources(version: &Value) -> Vec<String> {
    let has =
        |name: &str| version.get("subresources").is_some_and(|found| found.get(name).is_some_and(|it| !it.is_null()));
    ["status", "scale"].into_iter().filter(|name| has(name)).map(Into::into).collect()
}

/// How a version ranks in discovery: `v2` before `v1`, those before `v1beta2`, `v1alpha1`, and anything else last.
///
/// Source: `CompareKubeAwareVersionStrings` of `k8s.io/apimachinery/pkg/version`.
fn priority(version: &str) -> (u8, u64, u64, std::cmp::Reverse<String>) {
    let parsed = || {
        let rest = version.strip_prefix('v')?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (major, rest) = rest.split_at(end);
        let major: u64 = major.parse().ok()?;
        let (stability, minor) = match rest {
            "" => return Some((3, major, 0)),
            rest if rest.starts_with("beta") => (2, &rest[4..]),
            rest if rest.starts_with("alpha") => (1, &rest[5..]),
            _ => return None,
        };
        Some((stability, major, minor.parse().ok()?))
    };
    let (stability, major, minor) = parsed().unwrap_or_default();
    (stability, major, minor, std::cmp::Reverse(version.into()))
}

fn texts(values: Option<&Value>) -> Vec<String> {
    values.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
}

/// What a subresource takes and answers with: its verbs, and the kind with its API version where that is another than
/// the resource's own.
pub struct Below {
    pub verbs: &'static [&'static str],
    /// `autoscaling/v1` and `Scale`.
    pub view: Option<(&'static str, &'static str)>,
}

/// What discovery says of a subresource by its name.
pub fn below(resource: &Resource, subresource: &str) -> Below {
    const STATE: &[&str] = &["get", "patch", "update"];
    const PROXY: &[&str] = &["create", "delete", "get", "patch", "update"];
    let options = match (resource.plural.as_str(), subresource) {
        ("nodes", "proxy") => "NodeProxyOptions",
        ("services", "proxy") => "ServiceProxyOptions",
        (_, "proxy") => "PodProxyOptions",
        (_, "attach") => "PodAttachOptions",
        (_, "exec") => "PodExecOptions",
        _ => "PodPortForwardOptions",
    };
    let (verbs, view): (&[&str], _) = match subresource {
        "scale" => (STATE, Some(("autoscaling/v1", "Scale"))),
        "eviction" => (&["create"], Some(("policy/v1", "Eviction"))),
        "token" => (&["create"], Some(("authentication.k8s.io/v1", "TokenRequest"))),
        "binding" => (&["create"], Some(("v1", "Binding"))),
        "attach" | "exec" | "portforward" => (&["create", "get"], Some(("v1", options))),
        "proxy" => (PROXY, Some(("v1", options))),
        "log" => (&["get"], None),
        "finalize" => (&["update"], None),
        _ => (STATE, None),
    };
    Below { verbs, view }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_built_in_ones_are_in_the_order_of_discovery() {
        let found = builtin();
        let names: Vec<String> = found.iter().map(|it| format!("{}/{}", it.api_version(), it.plural)).collect();
        assert_eq!(names[0], "v1/bindings");
        let at = |name: &str| names.iter().position(|found| found == name).unwrap();
        assert!(at("v1/pods") < at("apiregistration.k8s.io/v1/apiservices"));
        assert!(at("autoscaling/v2/horizontalpodautoscalers") < at("autoscaling/v1/horizontalpodautoscalers"));
        assert!(at("autoscaling/v1/horizontalpodautoscalers") < at("batch/v1/jobs"));
        let deployment = &found[at("apps/v1/deployments")];
        assert_eq!((deployment.singular.as_str(), deployment.verbs.len()), ("deployment", 8));
        assert_eq!((&*deployment.short_names, &*deployment.categories), (&["deploy".into()][..], &["all".into()][..]));
        assert_eq!(deployment.subresources, ["scale", "status"]);
        assert_eq!(found[at("v1/namespaces")].verbs.len(), 7);
        assert_eq!(found[at("v1/componentstatuses")].verbs, ["get", "list"]);
    }

    #[test]
    fn kinds_below_objects_have_types_too() {
        let table = schema::builtin();
        for (api_version, kind) in
            [("autoscaling/v1", "Scale"), ("policy/v1", "Eviction"), ("authentication.k8s.io/v1", "TokenRequest")]
        {
            assert!(table.view(api_version, kind).is_some(), "{kind}");
            assert!(table.kind(api_version, kind).is_none(), "{kind}");
        }
    }

    #[test]
    fn a_definition_gives_its_served_versions_by_priority() {
        let version = |name: &str, served: bool| {
            json!({"name": name, "served": served, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}})
        };
        let versions = ["v1alpha1", "v2", "v1beta1", "v1", "v1beta2", "v10"].map(|name| version(name, name != "v2"));
        let crd = json!({"spec": {"group": "example.com", "scope": "Namespaced", "versions": versions,
            "names": {"kind": "Backup", "plural": "backups", "shortNames": ["bk"], "categories": ["all"]}}});
        let found = custom(&crd);
        let names: Vec<&str> = found.iter().map(|resource| resource.version.as_str()).collect();
        assert_eq!(names, ["v10", "v1", "v1beta2", "v1beta1", "v1alpha1"]);
        assert_eq!((found[0].singular.as_str(), &*found[0].subresources), ("backup", &["status".into()][..]));
        assert!(found[0].root.is_some() && found[0].namespaced);
    }
}
