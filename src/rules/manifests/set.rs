//! The manifests of a deploy, and what several rules need to find in them.

use std::collections::HashMap;

use serde_json::Value;

use super::references::{Reference, references};
use crate::{
    model::{FieldPath, Manifest, ObjectRef},
    schema::{Kind, Schema, builtin, of_crd},
};

/// The group, kind, namespace and name of an object.
type Identity<'a> = (&'a str, &'a str, &'a str, &'a str);

/// A set of manifests with its indexes.
pub struct Set<'a> {
    pub manifests: &'a [Manifest],
    /// The namespace of objects that name none.
    pub namespace: &'a str,
    /// Everything that makes pods.
    pub workloads: Vec<Workload<'a>>,
    /// The types that CRDs of the set define for objects of the set.
    defined: Vec<Schema>,
    first: HashMap<Identity<'a>, usize>,
    /// All references of the set to objects.
    pub references: Vec<Reference<'a>>,
}

/// The template of pods.
pub struct Workload<'a> {
    pub manifest: usize,
    /// The way to the template, empty for a pod itself.
    pub path: FieldPath,
    /// The pod's metadata and spec.
    pub template: &'a Value,
    pub namespace: &'a str,
}

impl<'a> Set<'a> {
    pub fn new(manifests: &'a [Manifest], namespace: &'a str) -> Self {
        let mut set = Self {
            manifests,
            namespace,
            workloads: Vec::new(),
            defined: defined(manifests),
            first: HashMap::with_capacity(manifests.len()),
            references: Vec::new(),
        };
        for (index, manifest) in manifests.iter().enumerate() {
            let identity = set.identity(manifest);
            set.first.entry(identity).or_insert(index);
            set.workloads.extend(workload(set.namespace, index, manifest));
        }
        set.references = references(&set);
        set
    }

    /// The kind of an object, when it is built in or defined by a CRD of the set, with the table of its types.
    pub fn kind(&self, reference: &ObjectRef) -> Option<(&Schema, &Kind)> {
        let find = |schema: &'_ Schema| schema.kind(&reference.api_version, &reference.kind).is_some();
        let schema = Some(builtin()).filter(|schema| find(schema)).or_else(|| self.defined.iter().find(|s| find(s)))?;
        Some((schema, schema.kind(&reference.api_version, &reference.kind)?))
    }

    /// The first manifest of an object with this identity.
    pub fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<(usize, &'a Manifest)> {
        let index = *self.first.get(&(group, kind, namespace, name))?;
        Some((index, self.manifests.get(index)?))
    }

    /// The namespace an object will be in; empty for kinds that have none.
    pub fn namespace_of(&self, manifest: &'a Manifest) -> &'a str {
        let reference = &manifest.reference;
        match self.kind(reference) {
            Some((_, kind)) if !kind.namespaced => "",
            _ => reference.namespace.as_deref().unwrap_or(self.namespace),
        }
    }

    pub fn identity(&self, manifest: &'a Manifest) -> Identity<'a> {
        let reference = &manifest.reference;
        (reference.group(), &reference.kind, self.namespace_of(manifest), &reference.name)
    }

    /// The objects that are of no built-in kind.
    pub fn custom(&self) -> impl Iterator<Item = &'a Manifest> {
        self.manifests.iter().filter(|manifest| !is_builtin_group(manifest.reference.group()))
    }
}

/// Whether Kubernetes itself serves this group, now or formerly.
pub fn is_builtin_group(group: &str) -> bool {
    let api_version = |kind: &Kind| kind.api_version.split_once('/').map_or("", |(group, _)| group) == group;
    group == "extensions" || builtin().kinds.iter().any(api_version)
}

fn defined(manifests: &[Manifest]) -> Vec<Schema> {
    let custom: Vec<&ObjectRef> = manifests
        .iter()
        .map(|manifest| &manifest.reference)
        .filter(|reference| builtin().kind(&reference.api_version, &reference.kind).is_none())
        .collect();
    if custom.is_empty() {
        return Vec::new();
    }
    let used = |crd: &Value| {
        custom.iter().any(|reference| {
            crd["spec"]["group"] == reference.group() && crd["spec"]["names"]["kind"] == reference.kind
        })
    };
    manifests
        .iter()
        .filter(|manifest| manifest.reference.api_version == "apiextensions.k8s.io/v1" && used(&manifest.object))
        .map(|manifest| of_crd(&manifest.object))
        .collect()
}

fn workload<'a>(default: &'a str, manifest: usize, found: &'a Manifest) -> Option<Workload<'a>> {
    let reference = &found.reference;
    let steps: &[&str] = match (reference.group(), reference.kind.as_str()) {
        ("", "Pod") => &[],
        ("", "PodTemplate") => &["template"],
        ("", "ReplicationController")
        | ("apps" | "extensions", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job") => &["spec", "template"],
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template"],
        _ => return None,
    };
    let path = steps.iter().fold(FieldPath::default(), |path, step| path.key(step));
    let template = path.find(&found.object)?;
    Some(Workload { manifest, path, template, namespace: reference.namespace.as_deref().unwrap_or(default) })
}

impl<'a> Workload<'a> {
    pub fn labels(&self) -> &'a Value {
        &self.template["metadata"]["labels"]
    }

    /// All containers with the way to each: init containers too.
    pub fn containers(&self) -> impl Iterator<Item = (FieldPath, &'a Value)> {
        let spec = self.path.key("spec");
        ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(move |list| {
            let path = spec.key(list);
            let items = self.template["spec"][list].as_array().into_iter().flatten();
            items.enumerate().map(move |(index, container)| (path.index(index), container))
        })
    }
}
