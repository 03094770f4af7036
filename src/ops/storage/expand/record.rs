//! What is needed to make a StatefulSet again, written down before it is deleted.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    cluster::{ApplyMode, Cluster, DeleteOptions, Resource},
    error::{Error, Result},
};

/// The label of the record; its value is the name of the StatefulSet.
const LABEL: &str = "evolve/replaces";
const KEY: &str = "record";

/// A StatefulSet that is being replaced. It may hold values of secrets in plain text, so it is kept in a Secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// The uid of the StatefulSet that is deleted.
    pub uid: String,
    /// What is created in its place.
    pub object: Value,
    /// `metadata.managedFields` of the one that is deleted.
    pub managed_fields: Value,
}

/// DNS names are up to 253 letters, and a StatefulSet with pods has at most 63.
fn name(set: &str) -> String {
    format!("evolve.replaces.{set}")
}

/// The record of a StatefulSet, if an earlier run left one.
pub(super) async fn read(cluster: &Cluster, namespace: &str, set: &str) -> Result<Option<Record>> {
    let name = name(set);
    let Some(secret) = cluster.get(&Resource::secrets(), Some(namespace), &name).await? else { return Ok(None) };
    let text = secret["data"][KEY].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok()).unwrap_or_default();
    let record = serde_json::from_slice(&text).map_err(|cause| {
        Error::failed(format!("the record secret/{name}, of a StatefulSet that was being replaced, cannot be read"))
            .because(cause)
            .hint("look at it before it is deleted: it may hold the only copy of the StatefulSet")
    })?;
    Ok(Some(record))
}

pub(super) async fn write(cluster: &Cluster, namespace: &str, set: &str, record: &Record) -> Result<()> {
    let text =
        serde_json::to_vec(record).map_err(|cause| Error::failed("a record cannot be written").because(cause))?;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "evolve/record",
        "metadata": {"name": name(set), "namespace": namespace, "labels": {LABEL: set}},
        "data": {KEY: BASE64_STANDARD.encode(text)},
    });
    let written = cluster.apply(&Resource::secrets(), &secret, ApplyMode { dry_run: false, force: true }).await;
    written.map(drop).map_err(|error| error.context("recording the StatefulSet before it is replaced"))
}

pub(super) async fn remove(cluster: &Cluster, namespace: &str, set: &str) -> Result<()> {
    cluster.delete(&Resource::secrets(), Some(namespace), &name(set), &DeleteOptions::default()).await.map(drop)
}
