//! From a kubeconfig to a client.

use std::{path::PathBuf, time::Duration};

use kube::{
    Config,
    config::{ExecConfig, KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{
    client::Cluster,
    credentials,
    transport::{self, Use},
};
use crate::error::{Error, Result, causes};

/// How long a request may take when the user sets no `--request-timeout`.
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What kubectl's connection flags say. Fields that are absent come from the kubeconfig.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// `--kubeconfig`; without it, the files in `KUBECONFIG`, then `~/.kube/config`, then the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// A kubeconfig that is in no file, such as a sandbox's; it wins over every file.
    pub inline: Option<String>,
    pub context: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    pub namespace: Option<String>,
    pub impersonate: Option<String>,
    pub impersonate_groups: Vec<String>,
    pub server: Option<String>,
    pub insecure: bool,
    /// Zero means none.
    pub request_timeout: Option<Duration>,
    /// Where discovery is kept between runs; None keeps nothing.
    pub cache: Option<PathBuf>,
}

impl ConnectOptions {
    /// A client for the cluster that the options name. Sends no request.
    ///
    /// # Errors
    /// Usage when the kubeconfig is missing, broken or names what is not there; unreachable when its credentials
    /// cannot be had (an exec plugin that fails).
    pub async fn connect(&self) -> Result<Cluster> {
        let mut config = self.config().await?;
        if let Some(namespace) = &self.namespace {
            config.default_namespace.clone_from(namespace);
        }
        if let Some(server) = &self.server {
            config.cluster_url =
                server.parse().map_err(|cause| Error::usage(format!("--server {server}: not a URL")).because(cause))?;
        }
        config.accept_invalid_certs |= self.insecure;
        if let Some(user) = &self.impersonate {
            config.auth_info.impersonate = Some(user.clone());
        }
        if !self.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(self.impersonate_groups.clone());
        }
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Retries are ours, so that they are counted and told.
        config.default_retry = false;
        let client = transport::client(config.clone(), Use::Requests)
            .map_err(|error| unusable(error, config.auth_info.exec.as_ref()))?;
        let timeout = match self.request_timeout {
            None => Some(DEFAULT_REQUEST_TIMEOUT),
            Some(timeout) => Some(timeout).filter(|timeout| !timeout.is_zero()),
        };
        Ok(Cluster::new(client, config, timeout, self.cache.clone()))
    }

    pub(super) fn read(&self) -> Result<Kubeconfig, KubeconfigError> {
        match (&self.inline, &self.kubeconfig) {
            (Some(text), _) => Kubeconfig::from_yaml(text),
            (None, Some(path)) => Kubeconfig::read_from(path),
            (None, None) => Kubeconfig::read(),
        }
    }

    async fn config(&self) -> Result<Config> {
        let kubeconfig = match self.read() {
            Ok(kubeconfig) => kubeconfig,
            Err(KubeconfigError::ReadConfig(cause, path)) if cause.kind() == std::io::ErrorKind::NotFound => {
                let in_cluster = Config::incluster_env().ok().filter(|_| self.kubeconfig.is_none());
                return in_cluster.ok_or_else(|| {
                    Error::usage(format!("no cluster is configured: the kubeconfig {} does not exist", path.display()))
                        .hint("set KUBECONFIG or pass --kubeconfig FILE")
                        .hint("`minikube start` or `kind create cluster` makes a local cluster and its kubeconfig")
                });
            }
            Err(error) => return Err(broken(error)),
        };
        let options =
            KubeConfigOptions { context: self.context.clone(), cluster: self.cluster.clone(), user: self.user.clone() };
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(broken)
    }
}

pub(super) fn broken(error: KubeconfigError) -> Error {
    let what = match &error {
        // The words of the parser quote the file, which holds keys and tokens.
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => format!("it is not YAML, or not a kubeconfig, at line {}", place.line()),
            None => "it is not YAML, or not a kubeconfig".into(),
        },
        other => chain(other),
    };
    Error::usage(format!("the kubeconfig cannot be used: {what}"))
        .hint("`kubectl config get-contexts` lists the contexts; `kubectl config view` shows the rest")
}

pub(super) fn unusable(error: kube::Error, plugin: Option<&ExecConfig>) -> Error {
    match (credentials::refused(&error, plugin), error) {
        (Some(refused), _) => refused,
        (None, kube::Error::InferKubeconfig(error)) => broken(error),
        (None, error) => Error::usage(format!("the kubeconfig cannot be used: {}", chain(&error)))
            .hint("`kubectl config view` shows it"),
    }
}

/// An error and its causes in one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).join(": ")
}
