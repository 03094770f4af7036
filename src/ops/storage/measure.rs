//! How full volumes are: asked of the kubelets of the nodes that mount them.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};

use jiff::Timestamp;

use super::choose::place;
use crate::{
    cluster::Cluster,
    error::Result,
    model::{StorageItem, VolumeUsage},
    ops::container::Spot,
    rules::storage::{PodUse, df_usage, node_usage},
};

/// Kubelets that are asked at the same time; each answer is as large as the node has pods.
const SIDE_BY_SIDE: usize = 8;

type Claim = (String, String);

/// Adds to each claim that is mounted how full it is, or why that is not known.
pub(super) async fn measure(
    cluster: &Cluster,
    items: &mut [StorageItem],
    pods: &[PodUse],
    now: Timestamp,
    notes: &mut Vec<String>,
) {
    let nodes: BTreeSet<String> = items.iter().flat_map(|item| item.nodes.clone()).collect();
    let (usage, silent) = ask(cluster, nodes).await;
    for item in items.iter_mut() {
        let (Some(namespace), Some(claim)) = (&item.namespace, &item.claim) else { continue };
        item.usage = usage.get(&(namespace.clone(), claim.clone())).cloned();
        if item.usage.is_none() && !item.nodes.is_empty() {
            item.unmeasured = Some(why(item, &silent));
        }
    }
    let blind = items.iter_mut().filter(|item| item.unmeasured.is_some() && item.mode != "Block");
    stream::iter(blind)
        .for_each_concurrent(SIDE_BY_SIDE, async |item| match df(cluster, item, pods, now).await {
            Ok(None) => {}
            Ok(usage) => (item.usage, item.unmeasured) = (usage, None),
            Err(error) => {
                let why = item.unmeasured.take().unwrap_or_default();
                let also = match error.code() {
                    403 => "df in the pod may not be run either (pods/exec)",
                    _ => error.message(),
                };
                item.unmeasured = Some(format!("{why}; {also}"));
            }
        })
        .await;
    notes.extend(silent.into_values());
}

/// What `df` says in a container that mounts the claim; None where none does.
async fn df(cluster: &Cluster, item: &StorageItem, pods: &[PodUse], now: Timestamp) -> Result<Option<VolumeUsage>> {
    let Some((pod, container, path)) = place(pods, item) else { return Ok(None) };
    let spot = Spot { namespace: item.namespace.clone().unwrap_or_default(), pod, container };
    let blocks = spot.ask(cluster, &["df", "-P", "-k", &path]).await?.succeeded("df in the pod")?;
    // Some file systems have no fixed number of inodes.
    let inodes = spot.ask(cluster, &["df", "-P", "-i", &path]).await?.succeeded("df").unwrap_or_default();
    Ok(df_usage(&blocks, &inodes, &now.to_string()))
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
