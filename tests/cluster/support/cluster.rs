//! The test cluster, and namespaces in it that go away by themselves.

use std::{io::Write, path::PathBuf, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1;
use kube::{
    Api, Client, Config,
    api::{DeleteParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use kubectl_evolve::{
    cluster::ConnectOptions,
    context::{Ctx, Environment},
    event::Silent,
    sandbox::{Options, Sandbox, pods::Scenario},
};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::time::Instant;

/// The cluster that `EVOLVE_TEST_CLUSTER=1` and KUBECONFIG name, or a sandbox of the test's own.
pub struct TestCluster {
    pub client: Client,
    pub kubeconfig: PathBuf,
    sandbox: Option<Arc<OwnSandbox>>,
}

/// A sandbox in this process, with its kubeconfig. It ends with the runtime of the test.
struct OwnSandbox {
    _sandbox: Sandbox,
    _kubeconfig: NamedTempFile,
}

impl TestCluster {
    /// The real cluster when `EVOLVE_TEST_CLUSTER` is 1, else a sandbox: for what both have to do alike.
    pub async fn any() -> Self {
        if std::env::var("EVOLVE_TEST_CLUSTER").as_deref() == Ok("1") {
            return Self::named().await;
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sandbox = Sandbox::start(Options { scenario: Scenario::todo(), ..Options::default() }).await.unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(sandbox.kubeconfig().as_bytes()).unwrap();
        let kubeconfig = file.path().to_owned();
        let client = client(&kubeconfig).await;
        let own = OwnSandbox { _sandbox: sandbox, _kubeconfig: file };
        Self { client, kubeconfig, sandbox: Some(Arc::new(own)) }
    }

    /// For what needs real parts: None, with a line that says so, unless `EVOLVE_TEST_CLUSTER` is 1; a cluster that is
    /// then missing is a failure.
    pub async fn real() -> Option<Self> {
        if std::env::var("EVOLVE_TEST_CLUSTER").as_deref() != Ok("1") {
            println!("skipped: this test needs a cluster; set EVOLVE_TEST_CLUSTER=1 and KUBECONFIG");
            return None;
        }
        Some(Self::named().await)
    }

    /// Any cluster, where kubectl is there to be compared with; None, with a line that says so, where it is not. Where the
    /// real cluster is asked for it has to be.
    pub async fn with_kubectl() -> Option<Self> {
        let cluster = Self::any().await;
        let found = std::process::Command::new("kubectl").args(["version", "--client"]).output().is_ok();
        assert!(found || cluster.sandbox.is_some(), "EVOLVE_TEST_CLUSTER=1, and there is no kubectl");
        if !found {
            println!("skipped: there is no kubectl");
        }
        found.then_some(cluster)
    }

    async fn named() -> Self {
        let kubeconfig = PathBuf::from(std::env::var_os("KUBECONFIG").expect("EVOLVE_TEST_CLUSTER=1 needs KUBECONFIG"));
        let client = client(&kubeconfig).await;
        client.apiserver_version().await.expect("EVOLVE_TEST_CLUSTER=1, and the cluster does not answer");
        Self { client, kubeconfig, sandbox: None }
    }

    /// A new namespace, deleted when the value is dropped.
    pub async fn namespace(&self, purpose: &str) -> Namespace {
        let mut wanted = v1::Namespace::default();
        wanted.metadata.generate_name = Some(format!("evolve-test-{purpose}-"));
        let made = Api::all(self.client.clone()).create(&PostParams::default(), &wanted).await.unwrap();
        Namespace {
            name: made.metadata.name.unwrap(),
            client: self.client.clone(),
            kubeconfig: self.kubeconfig.clone(),
            sandbox: self.sandbox.clone(),
        }
    }
}

/// A namespace for one test.
pub struct Namespace {
    pub name: String,
    client: Client,
    kubeconfig: PathBuf,
    sandbox: Option<Arc<OwnSandbox>>,
}

impl Namespace {
    pub fn kubeconfig(&self) -> &std::path::Path {
        &self.kubeconfig
    }

    /// A context of the library, with nobody to tell.
    pub fn ctx(&self) -> Ctx {
        let connect = ConnectOptions {
            kubeconfig: Some(self.kubeconfig.clone()),
            namespace: Some(self.name.clone()),
            ..ConnectOptions::default()
        };
        Ctx::new(Arc::new(Silent), Environment::default(), connect)
    }

    /// The objects in a path below the namespace: `("/api/v1", "configmaps")`.
    pub async fn list(&self, group: &str, plural: &str) -> Vec<Value> {
        let path = format!("{group}/namespaces/{}/{plural}", self.name);
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        let list: Value = self.client.request(request).await.unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// Sends any request, behind everybody's back.
    pub async fn send(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Value {
        let request = http::Request::builder().method(method).uri(path).header("content-type", content_type);
        self.client.request(request.body(body).unwrap()).await.unwrap()
    }

    /// Deletes an object behind everybody's back.
    pub async fn delete(&self, group: &str, plural: &str, name: &str) {
        let path = format!("{group}/namespaces/{}/{plural}/{name}", self.name);
        let request = http::Request::delete(path).body(Vec::new()).unwrap();
        let _: Value = self.client.request(request).await.unwrap();
    }

    /// The names of the objects in a path below the namespace, sorted.
    pub async fn names(&self, group: &str, plural: &str) -> Vec<String> {
        let objects = self.list(group, plural).await;
        let mut names: Vec<String> =
            objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Namespace {
    /// Also after a failed assertion, when the test's own runtime is on its way out.
    fn drop(&mut self) {
        if self.sandbox.is_some() {
            return;
        }
        let (name, kubeconfig) = (self.name.clone(), self.kubeconfig.clone());
        let delete = async move {
            let namespaces: Api<v1::Namespace> = Api::all(client(&kubeconfig).await);
            if let Err(error) = namespaces.delete(&name, &DeleteParams::background()).await {
                println!("the namespace {name} is left behind: {error}");
            }
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _ = std::thread::spawn(move || runtime().map(|runtime| runtime.block_on(delete))).join();
    }
}

async fn client(kubeconfig: &std::path::Path) -> Client {
    // Another test may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let read = Kubeconfig::read_from(kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

/// Asks again and again until there is an answer; fails, naming what was waited for, after `deadline`.
pub async fn wait_until<T>(what: &str, deadline: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "waited {deadline:?} for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
