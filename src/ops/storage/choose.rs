//! The mounted volumes and the databases that a word means.

use serde_json::Value;

use super::read::read;
use crate::{
    cluster::{Cluster, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{StorageItem, StorageSort, Target},
    ops::{container::Spot, scope},
    rules::{
        database::{Postgres, postgres},
        fields::text,
        scope::near,
        storage::{arrange, items},
    },
};

/// A volume that a container mounts.
pub(super) struct Mounted {
    pub claim: String,
    pub spot: Spot,
    /// Where the container has it.
    pub path: String,
    pub pod: Value,
}

impl Mounted {
    /// The PostgreSQL in the pod, with the container that it runs in.
    pub fn database(&self) -> Option<(Postgres, Spot)> {
        let found = postgres(&self.pod)?;
        let spot = Spot { container: found.container.clone(), ..self.spot.clone() };
        Some((found, spot))
    }

    /// The image of the container.
    pub fn image(&self) -> String {
        let containers = self.pod["spec"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let container = containers.iter().find(|container| text(container, "/name") == self.spot.container);
        container.map(|container| text(container, "/image").to_owned()).unwrap_or_default()
    }
}

/// The volumes that a word means, each with a running container that mounts it.
///
/// # Errors
/// Usage, when the word means nothing; failed, when no running container mounts what it means.
pub(super) async fn mounted(ctx: &Ctx, cluster: &Cluster, target: &Target, word: &str) -> Result<Vec<Mounted>> {
    let namespaces = scope::namespaces(ctx, cluster, target)?;
    let mut notes = Vec::new();
    let scene = read(cluster, &namespaces, None, &mut notes).await?;
    let mut found = items(&scene, &namespaces);
    let names: Vec<String> = found.iter().filter_map(|item| item.claim.clone()).collect();
    arrange(&mut found, &[word.to_owned()], StorageSort::Name).map_err(|word| {
        let error = Error::usage(format!("no claim and nothing that mounts one is meant by {word}"));
        match near(&word, names.iter().map(String::as_str)).as_slice() {
            [] => error.hint("`kubectl evolve storage` lists the claims and who mounts them"),
            near => error.hint(format!("there is {}", near.join(", "))),
        }
    })?;
    let mut mounted = Vec::new();
    for item in &found {
        let Some((pod, container, path)) = place(&scene.pods, item) else { continue };
        let namespace = item.namespace.clone().unwrap_or_default();
        let Some(object) = cluster.get(&Resource::pods(), Some(&namespace), &pod).await? else { continue };
        let spot = Spot { namespace, pod, container };
        mounted.push(Mounted { claim: item.claim.clone().unwrap_or_default(), spot, path, pod: object });
    }
    if mounted.is_empty() {
        return Err(Error::failed(format!("no running container mounts {word}"))
            .hint("`kubectl evolve storage` says why; its workload has to run: its tools read and write the volume"));
    }
    Ok(mounted)
}

/// Pod, container and path of a running container that mounts a claim.
pub(super) fn place(pods: &[crate::rules::storage::PodUse], item: &StorageItem) -> Option<(String, String, String)> {
    let namespace = item.namespace.as_deref()?;
    let here = pods.iter().filter(|pod| pod.namespace == namespace && !pod.ended);
    here.flat_map(|pod| pod.mounts.iter().map(move |mount| (pod, mount)))
        .filter(|(_, mount)| Some(mount.claim.as_str()) == item.claim.as_deref())
        .find_map(|(pod, mount)| {
            let (container, path) = mount.place.clone()?;
            Some((pod.name.clone(), container, path))
        })
}
