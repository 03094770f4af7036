//! The manifests of a deploy, and what several rules need to find in them.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    labels::has_all,
    references::{Reference, references},
};
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
    /// The objects that are of no built-in kind.
    pub custom: Vec<&'a Manifest>,
    /// The workloads of a namespace with a label.
    labelled: HashMap<(&'a str, &'a str, &'a str), Vec<usize>>,
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
            custom: manifests.iter().filter(|manifest| !is_builtin_group(manifest.reference.group())).collect(),
            labelled: HashMap::new(),
        };
        for (index, manifest) in manifests.iter().enumerate() {
            let identity = set.identity(manifest);
            set.first.entry(identity).or_insert(index);
            set.workloads.extend(workload(set.namespace, index, manifest));
        }
        for (index, workload) in set.workloads.iter().enumerate() {
            for (key, value) in workload.labels().as_object().into_iter().flatten() {
                let label = (workload.namespace, key.as_str(), value.as_str().unwrap_or_default());
                set.labelled.entry(label).or_default().push(index);
            }
        }
        set.references = references(&set);
        set
    }

    /// The kind of an object, when it is built in or defined by a CRD of the set, with the table of its types.
    pub fn kind(&self, reference: &ObjectRef) -> Option<(&Schema, &Kind)> {
        let mut schemas = std::iter::once(builtin()).chain(&self.defined);
        schemas.find_map(|schema| Some((schema, schema.kind(&reference.api_version, &reference.kind)?)))
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

    /// The workloads of a namespace whose pods have every label of a Service's selector.
    pub fn selected(&self, namespace: &str, selector: &Value) -> Vec<&Workload<'a>> {
        let first = selector.as_object().and_then(|all| all.iter().next());
        let Some((key, value)) = first.and_then(|(key, value)| Some((key.as_str(), value.as_str()?))) else {
            return Vec::new();
        };
        let candidates = self.labelled.get(&(namespace, key, value)).into_iter().flatten();
        let workloads = candidates.filter_map(|index| self.workloads.get(*index));
        workloads.filter(|workload| has_all(workload.labels(), selector)).collect()
    }
}

/// Whether Kubernetes itself serves this group, now or formerly.
pub fn is_builtin_group(group: &str) -> bool {
    let is_in = |kind: &Kind| kind.api_version.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'));
    group.is_empty() || group == "extensions" || builtin().kinds.iter().any(is_in)
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

    /// All containers, init containers too.
    pub fn containers(&self) -> impl Iterator<Item = Container<'a>> + use<'a> {
        let spec = &self.template["spec"];
        ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(move |list| {
            let items = spec[list].as_array().into_iter().flatten().enumerate();
            items.map(move |(index, value)| Container { value, list, index })
        })
    }

    /// The way to a container of the workload.
    pub fn path_of(&self, container: &Container<'_>) -> FieldPath {
        self.path.key("spec").key(container.list).index(container.index)
    }
}

/// A container, and which of its pod it is.
pub struct Container<'a> {
    pub value: &'a Value,
    list: &'static str,
    index: usize,
}
