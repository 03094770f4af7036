//! How full volumes are: asked of the kubelets of the nodes that mount them.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};

use crate::{
    cluster::Cluster,
    error::Result,
    model::{StorageItem, VolumeUsage},
    rules::storage::{PodUse, node_usage},
};

/// Kubelets that are asked at the same time; each answer is as large as the node has pods.
const SIDE_BY_SIDE: usize = 8;

type Claim = (String, String);

/// Adds to each claim that is mounted how full it is, or why that is not known.
pub(super) async fn measure(cluster: &Cluster, items: &mut [StorageItem], _pods: &[PodUse], notes: &mut Vec<String>) {
    let nodes: BTreeSet<String> = items.iter().flat_map(|item| item.nodes.clone()).collect();
    let (usage, silent) = ask(cluster, nodes).await;
    for item in items.iter_mut() {
        let (Some(namespace), Some(claim)) = (&item.namespace, &item.claim) else { continue };
        item.usage = usage.get(&(namespace.clone(), claim.clone())).cloned();
        if item.usage.is_none() && !item.nodes.is_empty() {
            item.unmeasured = Some(why(item, &silent));
        }
    }
    notes.extend(silent.into_values());
}

fn why(item: &StorageItem, silent: &BTreeMap<String, String>) -> String {
    match item.nodes.iter().find_map(|node| silent.get(node)) {
        Some(reason) => reason.clone(),
        None if item.mode == "Block" => "a block device, with no file system to look into".into(),
        None => "its node has not counted it yet (about once a minute)".into(),
    }
}

/// The figures of all claims on the nodes, and what the nodes that gave none said.
async fn ask(cluster: &Cluster, nodes: BTreeSet<String>) -> (BTreeMap<Claim, VolumeUsage>, BTreeMap<String, String>) {
    let asked = stream::iter(nodes).map(async |node| {
        let answer: Result<_> = cluster.node_summary(&node).await;
        (node, answer.map(|summary| node_usage(&summary)))
    });
    let answers: Vec<_> = asked.buffer_unordered(SIDE_BY_SIDE).collect().await;
    let (mut usage, mut silent) = (BTreeMap::new(), BTreeMap::new());
    for (node, answer) in answers {
        match answer {
            Ok(found) => usage.extend(found),
            Err(error) => {
                silent.insert(node, error.message().to_owned());
            }
        }
    }
    (usage, silent)
}
