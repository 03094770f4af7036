//! Which kinds the server has. Two requests, kept on disk between runs.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use super::client::{Call, Cluster};
use crate::error::{Error, Result};

/// As long as kubectl keeps it; a kind that is not found asks the server again before that.
const KEEP: Duration = Duration::from_secs(6 * 3600);
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// A kind that the server has, and how to address it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resource {
    pub group: String,
    pub version: String,
    pub kind: String,
    /// The name in paths: `deployments`.
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub namespaced: bool,
    /// Whether it can be listed, as most kinds can.
    pub listable: bool,
}

impl Resource {
    /// Secrets, which every cluster has; no discovery is needed to read the records in them.
    pub fn secrets() -> Self {
        Self::known("", "Secret", "secrets")
    }

    /// Leases, which every cluster has.
    pub fn leases() -> Self {
        Self::known("coordination.k8s.io", "Lease", "leases")
    }

    /// Namespaces, which every cluster has.
    pub fn namespaces() -> Self {
        Self { namespaced: false, ..Self::known("", "Namespace", "namespaces") }
    }

    /// Nodes, which every cluster has.
    pub fn nodes() -> Self {
        Self { namespaced: false, ..Self::known("", "Node", "nodes") }
    }

    /// Volumes, which every cluster has.
    pub fn volumes() -> Self {
        Self { namespaced: false, ..Self::known("", "PersistentVolume", "persistentvolumes") }
    }

    pub fn pods() -> Self {
        Self::known("", "Pod", "pods")
    }

    pub fn events() -> Self {
        Self::known("", "Event", "events")
    }

    pub fn services() -> Self {
        Self::known("", "Service", "services")
    }

    pub fn replica_sets() -> Self {
        Self::known("apps", "ReplicaSet", "replicasets")
    }

    pub fn endpoint_slices() -> Self {
        Self::known("discovery.k8s.io", "EndpointSlice", "endpointslices")
    }

    pub fn ingresses() -> Self {
        Self::known("networking.k8s.io", "Ingress", "ingresses")
    }

    pub fn claims() -> Self {
        Self::known("", "PersistentVolumeClaim", "persistentvolumeclaims")
    }

    pub fn autoscalers() -> Self {
        Self {
            version: "v2".into(),
            ..Self::known("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
        }
    }

    pub fn disruption_budgets() -> Self {
        Self::known("policy", "PodDisruptionBudget", "poddisruptionbudgets")
    }

    pub fn jobs() -> Self {
        Self::known("batch", "Job", "jobs")
    }

    /// What pods use; not every cluster measures it.
    pub fn pod_metrics() -> Self {
        Self { version: "v1beta1".into(), ..Self::known("metrics.k8s.io", "PodMetrics", "pods") }
    }

    fn known(group: &str, kind: &str, plural: &str) -> Self {
        Self {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            plural: plural.into(),
            singular: kind.to_ascii_lowercase(),
            short_names: Vec::new(),
            namespaced: true,
            listable: true,
        }
    }

    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }
}

pub(super) struct Discovery {
    file: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    resources: Option<std::sync::Arc<Vec<Resource>>>,
    /// Whether the server was asked in this run.
    fresh: bool,
}

impl Discovery {
    pub fn new(cache: Option<PathBuf>, server: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        server.hash(&mut hasher);
        let file = cache.map(|folder| folder.join(format!("discovery-{:016x}.json", hasher.finish())));
        Self { file, known: Mutex::default() }
    }
}

impl Cluster {
    /// All kinds, the preferred version of each group first.
    pub async fn resources(&self) -> Result<std::sync::Arc<Vec<Resource>>> {
        self.known(false).await
    }

    /// The resource that serves a kind, or None when the server does not have it.
    pub async fn resource(&self, api_version: &str, kind: &str) -> Result<Option<Resource>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.find(|resource| resource.group == group && resource.version == version && resource.kind == kind).await
    }

    /// The preferred version of a kind in a group.
    pub async fn preferred(&self, group: &str, kind: &str) -> Result<Option<Resource>> {
        self.find(|resource| resource.group == group && resource.kind == kind).await
    }

    /// The resource that a user's word means, as kubectl reads it: `deploy`, `deployments`, `Deployment`,
    /// `deployments.apps`, `deployments.v1.apps`.
    pub async fn named(&self, word: &str) -> Result<Option<Resource>> {
        let word = word.to_ascii_lowercase();
        let (name, group) = word.split_once('.').map_or((word.as_str(), None), |(name, group)| (name, Some(group)));
        self.find(|resource| {
            let names_it = resource.plural == name
                || resource.singular == name
                || resource.kind.eq_ignore_ascii_case(name)
                || resource.short_names.iter().any(|short| short == name);
            let in_group = group.is_none_or(|group| {
                group == resource.group || group == format!("{}.{}", resource.version, resource.group)
            });
            names_it && in_group
        })
        .await
    }

    /// Forgets what was cached, after the set of kinds has changed.
    pub async fn forget_resources(&self) {
        *self.discovery.known.lock().await = Known::default();
        if let Some(file) = &self.discovery.file {
            // A cache that cannot be removed is read again at worst, and a kind that it lacks asks the server.
            let _ = std::fs::remove_file(file);
        }
    }

    async fn find(&self, wanted: impl Fn(&Resource) -> bool) -> Result<Option<Resource>> {
        if let Some(found) = self.known(false).await?.iter().find(|resource| wanted(resource)) {
            return Ok(Some(found.clone()));
        }
        Ok(self.known(true).await?.iter().find(|resource| wanted(resource)).cloned())
    }

    async fn known(&self, must_be_fresh: bool) -> Result<std::sync::Arc<Vec<Resource>>> {
        let mut known = self.discovery.known.lock().await;
        if let Some(resources) = &known.resources
            && (known.fresh || !must_be_fresh)
        {
            return Ok(resources.clone());
        }
        if !must_be_fresh && let Some(resources) = self.discovery.file.as_deref().and_then(read) {
            return Ok(known.resources.insert(resources.into()).clone());
        }
        let resources = self.discover().await?;
        if let Some(file) = &self.discovery.file {
            write(file, &resources);
        }
        known.fresh = true;
        Ok(known.resources.insert(resources.into()).clone())
    }

    async fn discover(&self) -> Result<Vec<Resource>> {
        let ask = async |path: &str| {
            let mut call = Call::new(Method::GET, path.to_owned(), "asking for the kinds that the cluster has");
            call.accept = AGGREGATED;
            self.call(&call).await.map(|(_, value)| value)
        };
        let (core, groups) = tokio::try_join!(ask("/api"), ask("/apis"))?;
        if core["kind"] != "APIGroupDiscoveryList" {
            return Err(Error::failed("the cluster is older than Kubernetes 1.26, which is not supported")
                .hint("kubectl version shows the server's version"));
        }
        let mut resources = Vec::new();
        for list in [core, groups] {
            for group in list["items"].as_array().into_iter().flatten() {
                add_group(group, &mut resources);
            }
        }
        Ok(resources)
    }
}

fn add_group(group: &Value, resources: &mut Vec<Resource>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for version in group["versions"].as_array().into_iter().flatten() {
        for resource in version["resources"].as_array().into_iter().flatten() {
            let verbs = resource["verbs"].as_array().map(Vec::as_slice).unwrap_or_default();
            let kind = &resource["responseKind"];
            resources.push(Resource {
                group: text(&group["metadata"]["name"]),
                version: text(&version["version"]),
                kind: text(&kind["kind"]),
                plural: text(&resource["resource"]),
                singular: text(&resource["singularResource"]),
                short_names: resource["shortNames"].as_array().into_iter().flatten().map(text).collect(),
                namespaced: resource["scope"] == "Namespaced",
                listable: verbs.iter().any(|verb| verb == "list"),
            });
        }
    }
}

/// What an earlier run left, when it is young enough and whole.
fn read(file: &Path) -> Option<Vec<Resource>> {
    let age = SystemTime::now().duration_since(std::fs::metadata(file).ok()?.modified().ok()?).ok()?;
    if age > KEEP {
        return None;
    }
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Best effort: without a cache the next run asks again.
fn write(file: &Path, resources: &[Resource]) {
    let Some(folder) = file.parent() else { return };
    let part = file.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&part, serde_json::to_vec(resources).unwrap_or_default()))
        .and_then(|()| std::fs::rename(&part, file));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
}
