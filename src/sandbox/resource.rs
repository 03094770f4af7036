//! What is served: resources, and where one object of them is.

use std::sync::Arc;

use serde_json::Value;

use crate::schema::{Schema, TypeId};

/// One resource of the API in one version.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    pub kind: String,
    /// The name in URLs: `deployments`.
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub namespaced: bool,
    pub verbs: Vec<String>,
    /// `status`, `scale`, `log`, `eviction`, `token`, …
    pub subresources: Vec<String>,
    /// The table that holds the kind's type: the built-in one or a custom resource definition's.
    pub schema: Arc<Schema>,
    /// None where nothing is known of its fields.
    pub root: Option<TypeId>,
    /// The version of a CustomResourceDefinition that made it (an entry of `spec.versions`); None for what is built in.
    pub custom: Option<Arc<Value>>,
}

/// Where an object is.
#[derive(Debug, Clone)]
pub struct At {
    pub resource: Arc<Resource>,
    /// None for what belongs to no namespace.
    pub namespace: Option<String>,
    pub name: String,
}

impl Resource {
    /// `apps/v1`, `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether a CustomResourceDefinition made it.
    pub fn is_custom(&self) -> bool {
        self.custom.is_some()
    }

    /// The group of the kind inside of the API server, where events are of the core group alone.
    pub fn internal_group(&self) -> &str {
        if self.group == "events.k8s.io" { "" } else { &self.group }
    }

    /// As the API server names the kind in messages: `Deployment.apps`, `Pod`.
    pub fn group_kind(&self) -> String {
        match self.internal_group() {
            "" => self.kind.clone(),
            group => format!("{}.{group}", self.kind),
        }
    }

    /// As the API server names it in messages: `deployments.apps`, `pods`.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }
}
