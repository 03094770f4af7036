//! A sandbox as a whole: the API with what every cluster has, served on the loopback address.

use std::{io, path::PathBuf};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    api::{Api, Write},
    clock::Clock,
    controllers::{Controllers, NodeSettings, Settings},
    http::{
        Identity, Listener, Server,
        faults::{Fault, Faults},
        kubeconfig,
    },
    journal::Journal,
    pods::Scenario,
    resource::At,
};
use crate::error::{Error, Result};

/// How a sandbox is to be.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// 0 takes any that is free.
    pub port: u16,
    /// Time jumps over waits.
    pub fast: bool,
    pub faults: Vec<Fault>,
    /// One of the usual size where there are none.
    pub nodes: Vec<NodeSettings>,
    /// What pods do.
    pub scenario: Scenario,
    /// Without nodes, controllers and pods: an API alone.
    pub bare: bool,
    /// The file that keeps the objects; without one they are gone at the end.
    pub journal: Option<PathBuf>,
}

/// The file of a sandbox, and the task that writes it.
#[derive(Debug)]
struct Writer {
    file: PathBuf,
    end: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

/// A cluster in this process. It ends when it is dropped or stopped.
#[derive(Debug)]
pub struct Sandbox {
    api: Api,
    controllers: Option<Controllers>,
    listener: Listener,
    url: String,
    kubeconfig: String,
    token: String,
    writer: Option<Writer>,
}

impl Sandbox {
    /// Starts one; it answers when this returns.
    ///
    /// # Errors
    /// The port is taken, no certificate can be made, or the file cannot be read or written.
    pub async fn start(options: Options) -> Result<Self> {
        let clock = if options.fast { Clock::fast() } else { Clock::real() };
        let api = Api::new(clock);
        let writer = options.journal.map(|file| Writer::start(&api, file)).transpose()?;
        furnish(&api)?;
        let identity = Identity::generate()?;
        let mut settings = Settings { scenario: options.scenario, ..Settings::default() };
        settings.authority.clone_from(&identity.authority);
        if !options.nodes.is_empty() {
            settings.nodes = options.nodes;
        }
        let controllers = (!options.bare).then(|| Controllers::start(api.clone(), settings));
        let server = Server::new(api.clone(), &identity, Faults::new(options.faults));
        let listener = Listener::start(server, &identity, options.port).await?;
        let url = listener.url();
        let kubeconfig = kubeconfig(&url, &identity);
        Ok(Self { api, controllers, listener, url, kubeconfig, token: identity.token, writer })
    }

    /// Where it listens: `https://127.0.0.1:…`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What clients prove themselves with.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The text of a kubeconfig for it.
    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The HTTP side: faults, restarts.
    pub fn server(&self) -> &Server {
        self.listener.server()
    }

    /// Ends connections, watches and controllers.
    ///
    /// # Errors
    /// The file does not hold everything.
    pub async fn stop(self) -> Result<()> {
        self.listener.stop().await;
        if let Some(controllers) = self.controllers {
            controllers.stop();
        }
        match self.writer {
            Some(writer) => writer.stop().await,
            None => Ok(()),
        }
    }
}

impl Writer {
    /// Puts back what the file holds, and writes into it what changes from now on.
    fn start(api: &Api, file: PathBuf) -> Result<Self> {
        let (journal, kept) = Journal::open(&file).map_err(|cause| {
            Error::failed(format!("the sandbox's file {} cannot be used", file.display()))
                .because(cause)
                .hint("`kubectl evolve sandbox delete NAME` removes a sandbox with its file")
        })?;
        if !kept.objects.is_empty() {
            api.restore(kept.revision, kept.objects);
        }
        let end = CancellationToken::new();
        let task = tokio::spawn(journal.follow(api.subscribe(), end.clone()));
        Ok(Self { file, end, task })
    }

    async fn stop(self) -> Result<()> {
        self.end.cancel();
        let written = self.task.await.map_err(io::Error::other).and_then(|written| written);
        written.map_err(|cause| {
            Error::failed(format!("{} does not hold everything of the sandbox", self.file.display())).because(cause)
        })
    }
}

/// Makes what a new cluster has before anybody uses it.
///
/// # Errors
/// None that a working sandbox knows.
fn furnish(api: &Api) -> Result<()> {
    let write = Write::by("kube-apiserver");
    for (group, version, plural, namespace, object) in furniture() {
        let Some(resource) = api.resource(group, version, plural) else { continue };
        let at = At { resource, namespace: namespace.map(Into::into), name: String::new() };
        match api.create(&at, object, &write) {
            Ok(_) => {}
            Err(problem) if problem.reason == "AlreadyExists" => {}
            Err(problem) => return Err(Error::failed(format!("cannot set the sandbox up: {}", problem.message))),
        }
    }
    Ok(())
}

type Item = (&'static str, &'static str, &'static str, Option<&'static str>, Value);

fn furniture() -> Vec<Item> {
    let named = |name: &str| json!({"metadata": {"name": name}});
    let mut all: Vec<Item> = ["default", "kube-system", "kube-public", "kube-node-lease"]
        .map(|name| ("", "v1", "namespaces", None, named(name)))
        .into();
    all.push((
        "",
        "v1",
        "services",
        Some("default"),
        json!({
            "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {
                "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "type": "ClusterIP", "sessionAffinity": "None",
                "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}],
            },
        }),
    ));
    for (name, value, description) in [
        (
            "system-cluster-critical",
            2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
        (
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
    ] {
        all.push((
            "scheduling.k8s.io",
            "v1",
            "priorityclasses",
            None,
            json!({"metadata": {"name": name}, "value": value, "description": description}),
        ));
    }
    all
}
