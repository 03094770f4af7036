//! Which objects the objects of a set refer to.

use serde_json::Value;

use super::set::{Set, Workload};
use crate::model::{FieldPath, Manifest, ObjectRef};

/// A field that names another object.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference<'a> {
    /// The manifest with the field.
    pub manifest: usize,
    pub path: FieldPath,
    /// The object named; its namespace is filled in, and None only for kinds that have none.
    pub target: ObjectRef,
    /// The key of its data that is needed.
    pub key: Option<&'a str>,
    /// Works without.
    pub optional: bool,
    /// Whether pods wait for it, or the API server refuses without it; else it is only the worse for it.
    pub needed: bool,
}

/// The references of all objects of the set.
pub(super) fn references<'a>(set: &Set<'a>) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    for workload in &set.workloads {
        let mut collector = Collector { manifest: workload.manifest, namespace: workload.namespace, found: &mut found };
        collector.pod(workload);
    }
    for (index, manifest) in set.manifests.iter().enumerate() {
        let mut collector = Collector { manifest: index, namespace: set.namespace_of(manifest), found: &mut found };
        if !collector.namespace.is_empty() && collector.namespace != set.namespace {
            let path = FieldPath::default().key("metadata").key("namespace");
            collector.add(path, ("v1", "Namespace"), collector.namespace).needed = true;
        }
        collector.object(manifest);
    }
    found.retain(|reference| !reference.target.name.is_empty());
    found
}

struct Collector<'a, 'f> {
    manifest: usize,
    namespace: &'a str,
    found: &'f mut Vec<Reference<'a>>,
}

/// A value with the way to it.
#[derive(Clone)]
struct At<'a> {
    path: FieldPath,
    value: &'a Value,
}

impl<'a> At<'a> {
    /// A field; of one that is absent nobody needs the way.
    fn key(&self, key: &str) -> Self {
        let value = &self.value[key];
        Self { path: if value.is_null() { FieldPath::default() } else { self.path.key(key) }, value }
    }

    fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let path = self.path.clone();
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(index, value)| Self { path: path.index(index), value })
    }

    fn present(self) -> Option<Self> {
        Some(self).filter(|at| !at.value.is_null())
    }

    fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }
}

const CLUSTER_WIDE: [&str; 6] =
    ["Namespace", "PriorityClass", "RuntimeClass", "StorageClass", "IngressClass", "ClusterRole"];

impl<'a> Collector<'a, '_> {
    fn add(&mut self, path: FieldPath, (api_version, kind): (&str, &str), name: &str) -> &mut Reference<'a> {
        let namespace = Some(self.namespace.to_owned()).filter(|_| !CLUSTER_WIDE.contains(&kind));
        let target = ObjectRef { api_version: api_version.into(), kind: kind.into(), namespace, name: name.into() };
        let position = self.found.len();
        let manifest = self.manifest;
        self.found.push(Reference { manifest, path, target, key: None, optional: false, needed: false });
        &mut self.found[position]
    }

    /// A reference in a field that may be absent.
    fn named(&mut self, at: At<'a>, kind: (&str, &str), needed: bool) {
        if let Some(at) = at.present() {
            self.add(at.path.clone(), kind, at.text()).needed = needed;
        }
    }

    /// A ConfigMap or Secret with keys of which each is needed.
    fn data(&mut self, source: &At<'a>, kind: &str, name: &str, keys: impl Iterator<Item = At<'a>>) {
        let name = source.key(name);
        let optional = source.value["optional"] == true;
        let mut add = |path: FieldPath, key| {
            let reference = self.add(path, ("v1", kind), name.text());
            (reference.key, reference.optional, reference.needed) = (key, optional, true);
        };
        let mut keys = keys.peekable();
        if keys.peek().is_none() {
            add(name.path.clone(), None);
        }
        for key in keys {
            add(key.path.clone(), Some(key.text()));
        }
    }

    fn pod(&mut self, workload: &Workload<'a>) {
        let spec = At { path: workload.path.key("spec"), value: &workload.template["spec"] };
        for volume in spec.key("volumes").items() {
            self.volume(&volume);
        }
        for container in workload.containers() {
            let refers = |field: &str| !container.value[field].is_null();
            if refers("env") || refers("envFrom") {
                self.container(&At { path: workload.path_of(&container), value: container.value });
            }
        }
        for secret in spec.key("imagePullSecrets").items() {
            self.named(secret.key("name"), ("v1", "Secret"), false);
        }
        let account = spec.key("serviceAccountName").present().unwrap_or_else(|| spec.key("serviceAccount"));
        self.named(account, ("v1", "ServiceAccount"), true);
        self.named(spec.key("priorityClassName"), ("scheduling.k8s.io/v1", "PriorityClass"), true);
        self.named(spec.key("runtimeClassName"), ("node.k8s.io/v1", "RuntimeClass"), true);
    }

    fn volume(&mut self, volume: &At<'a>) {
        let claim = volume.key("persistentVolumeClaim").key("claimName");
        self.named(claim, ("v1", "PersistentVolumeClaim"), true);
        let projected = volume.key("projected").key("sources");
        let own = [("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")];
        let inner = [("configMap", "ConfigMap", "name"), ("secret", "Secret", "name")];
        let sources = own.map(|source| (volume.clone(), source)).into_iter();
        let sources = sources.chain(projected.items().flat_map(|at| inner.map(|source| (at.clone(), source))));
        for (at, (field, kind, name)) in sources {
            if let Some(source) = at.key(field).present() {
                self.data(&source, kind, name, source.key("items").items().map(|item| item.key("key")));
            }
        }
    }

    fn container(&mut self, container: &At<'a>) {
        for variable in container.key("env").items() {
            for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                if let Some(source) = variable.key("valueFrom").key(field).present() {
                    self.data(&source, kind, "name", source.key("key").present().into_iter());
                }
            }
        }
        for all in container.key("envFrom").items() {
            for (field, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                if let Some(source) = all.key(field).present() {
                    self.data(&source, kind, "name", std::iter::empty());
                }
            }
        }
    }

    fn object(&mut self, manifest: &'a Manifest) {
        let root = At { path: FieldPath::default(), value: &manifest.object };
        let spec = root.key("spec");
        let storage_class = ("storage.k8s.io/v1", "StorageClass");
        match (manifest.reference.group(), manifest.reference.kind.as_str()) {
            ("", "PersistentVolumeClaim") => self.named(spec.key("storageClassName"), storage_class, true),
            ("", "ServiceAccount") => {
                for secret in root.key("imagePullSecrets").items() {
                    self.named(secret.key("name"), ("v1", "Secret"), false);
                }
            }
            ("apps", "StatefulSet") => {
                self.named(spec.key("serviceName"), ("v1", "Service"), false);
                for claim in spec.key("volumeClaimTemplates").items() {
                    self.named(claim.key("spec").key("storageClassName"), storage_class, true);
                }
            }
            ("networking.k8s.io", "Ingress") => self.ingress(&spec, &manifest.object["metadata"]["annotations"]),
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
                let role = root.key("roleRef");
                let kind = role.key("kind").text();
                self.named(role.key("name"), ("rbac.authorization.k8s.io/v1", kind), false);
            }
            ("autoscaling", "HorizontalPodAutoscaler") => {
                let target = spec.key("scaleTargetRef");
                let (api_version, kind) = (target.key("apiVersion").text(), target.key("kind").text());
                self.named(target.key("name"), (api_version, kind), false);
            }
            _ => {}
        }
    }

    fn ingress(&mut self, spec: &At<'a>, annotations: &Value) {
        self.named(spec.key("ingressClassName"), ("networking.k8s.io/v1", "IngressClass"), false);
        // An issuer named in the annotations makes the certificates.
        let issued = annotations.as_object().is_some_and(|all| all.keys().any(|key| key.contains("cert-manager.io/")));
        for secret in spec.key("tls").items().filter(|_| !issued) {
            self.named(secret.key("secretName"), ("v1", "Secret"), false);
        }
        for backend in backends(spec) {
            self.named(backend.key("service").key("name"), ("v1", "Service"), false);
        }
    }
}

fn backends<'a>(spec: &At<'a>) -> impl Iterator<Item = At<'a>> + use<'a> {
    let rules = spec.key("rules");
    let paths = rules.items().flat_map(|rule| rule.key("http").key("paths").items());
    spec.key("defaultBackend").present().into_iter().chain(paths.map(|path| path.key("backend")))
}

/// The services that an Ingress sends to, each with the way to it: `{name, port}`.
pub(super) fn backend_services(ingress: &Value) -> impl Iterator<Item = (FieldPath, &Value)> {
    let spec = At { path: FieldPath::default().key("spec"), value: &ingress["spec"] };
    backends(&spec).map(|backend| backend.key("service")).filter_map(At::present).map(|at| (at.path, at.value))
}
