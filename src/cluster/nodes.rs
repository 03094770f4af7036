//! What the kubelet of a node tells, through the API server.

use http::Method;
use serde_json::Value;

use super::{
    client::{Call, Cluster},
    discovery::Resource,
    objects::path,
};
use crate::error::Result;

impl Cluster {
    /// The kubelet's `/stats/summary`, with the figures of all pods and volumes of the node.
    ///
    /// # Errors
    /// 403 without the right to `get` `nodes/proxy`, which not everybody should have: it reaches far.
    pub async fn node_summary(&self, node: &str) -> Result<Value> {
        let doing = format!("asking the kubelet of {node}");
        let path = path(&Resource::nodes(), None, Some(node)) + "/proxy/stats/summary";
        self.call(&Call::new(Method::GET, path, &doing)).await.map(|(_, summary)| summary)
    }
}
