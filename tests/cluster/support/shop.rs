//! An application in a namespace of its own.

use serde_json::{Value, json};

use super::{Ended, Evolve, Namespace, TestCluster};

/// A namespace, and a machine whose commands work in it.
pub struct Shop {
    pub namespace: Namespace,
    pub evolve: Evolve,
}

impl Shop {
    /// On a sandbox or on the real cluster, whichever the tests run on.
    pub async fn open(purpose: &str) -> Self {
        Self::on(&TestCluster::any().await, purpose).await
    }

    /// For what needs real parts; None, with a line that says so, where they are not asked for.
    pub async fn real(purpose: &str) -> Option<Self> {
        Some(Self::on(&TestCluster::real().await?, purpose).await)
    }

    /// As [`TestCluster::with_kubectl`].
    pub async fn with_kubectl(purpose: &str) -> Option<Self> {
        Some(Self::on(&TestCluster::with_kubectl().await?, purpose).await)
    }

    async fn on(cluster: &TestCluster, purpose: &str) -> Self {
        let namespace = cluster.namespace(purpose).await;
        Self { evolve: Evolve::new(&cluster.kubeconfig), namespace }
    }

    /// Runs a command on the application.
    pub async fn command(&self, words: &[&str]) -> Ended {
        let mut arguments = words.to_vec();
        arguments.extend(["-n", &self.namespace.name, "--app", "shop"]);
        self.evolve.run(&arguments).await
    }

    /// Runs a command on `app.yaml` with the manifests.
    pub async fn run(&self, manifests: &str, words: &[&str]) -> Ended {
        self.evolve.file("app.yaml", manifests);
        self.command(words).await
    }

    pub async fn deploy(&self, manifests: &str, flags: &[&str]) -> Ended {
        let mut words = vec!["deploy", "-f", "app.yaml", "--wait=false"];
        words.extend(flags);
        self.run(manifests, &words).await
    }

    pub async fn get(&self, plural: &str, name: &str) -> Value {
        let objects = self.namespace.list("/api/v1", plural).await;
        objects.into_iter().find(|object| object["metadata"]["name"] == name).unwrap_or_default()
    }

    /// Changes a ConfigMap's data as another tool would.
    pub async fn patch_config_map(&self, name: &str, data: Value) {
        self.patch_config_map_with(name, json!({"data": data})).await;
    }

    /// Changes a ConfigMap's metadata as another tool would.
    pub async fn patch_config_map_metadata(&self, name: &str, metadata: Value) {
        self.patch_config_map_with(name, json!({"metadata": metadata})).await;
    }

    async fn patch_config_map_with(&self, name: &str, patch: Value) {
        let path = format!("/api/v1/namespaces/{}/configmaps/{name}?fieldManager=another-tool", self.namespace.name);
        let body = patch.to_string().into_bytes();
        self.namespace.send("PATCH", &path, "application/merge-patch+json", body).await;
    }
}
