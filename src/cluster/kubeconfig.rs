//! What a kubeconfig names.

use kube::config::Kubeconfig;

use super::connect::{ConnectOptions, broken};
use crate::error::Result;

/// The names in a kubeconfig, or in several that are merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeconfigNames {
    /// Each context with its cluster.
    pub contexts: Vec<(String, String)>,
    pub clusters: Vec<String>,
    pub users: Vec<String>,
}

impl ConnectOptions {
    /// What can be chosen with `--context`, `--cluster` and `--user`.
    ///
    /// # Errors
    /// Usage when the kubeconfig is missing or broken.
    pub fn names(&self) -> Result<KubeconfigNames> {
        let Kubeconfig { contexts, clusters, auth_infos, .. } = self.read().map_err(broken)?;
        let cluster = |context: Option<kube::config::Context>| context.map(|context| context.cluster);
        Ok(KubeconfigNames {
            contexts: contexts
                .into_iter()
                .map(|named| (named.name, cluster(named.context).unwrap_or_default()))
                .collect(),
            clusters: clusters.into_iter().map(|named| named.name).collect(),
            users: auth_infos.into_iter().map(|named| named.name).collect(),
        })
    }
}
