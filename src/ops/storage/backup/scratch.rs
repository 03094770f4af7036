//! A pod with an empty volume, in which a backup of files is unpacked for a proof.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::super::choose::Mounted;
use crate::{
    cluster::{Cluster, DeleteOptions, Resource},
    context::Ctx,
    error::{Error, Result},
    model::Backup,
    ops::container::Spot,
    rules::fields::{list, text},
};

const PATH: &str = "/scratch";
/// How long the pod may take to run.
const RUNS: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(250);
/// The pod ends by itself, should nobody be left to delete it.
const LASTS: i64 = 3600;

/// The pod, as if it mounted a claim of its own.
pub(super) struct Scratch {
    pub mounted: Mounted,
}

impl Scratch {
    /// A pod of the same image, on whichever node.
    ///
    /// # Errors
    /// Failed, when it does not run in time, with what was last seen.
    pub async fn make(ctx: &Ctx, cluster: &Cluster, place: &Mounted, backup: &Backup) -> Result<Self> {
        let name = format!("evolve-scratch-{}", ctx.clock.now().as_millisecond());
        let image = if backup.image.is_empty() { place.image() } else { backup.image.clone() };
        let security = place.pod["spec"]["securityContext"].clone();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": place.spot.namespace, "labels": {"evolve/scratch": "verify"}},
            "spec": {
                "restartPolicy": "Never", "activeDeadlineSeconds": LASTS, "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": false, "securityContext": security,
                "imagePullSecrets": place.pod["spec"]["imagePullSecrets"],
                "containers": [{
                    "name": "scratch", "image": image, "command": ["sleep", LASTS.to_string()],
                    "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                    "volumeMounts": [{"name": "scratch", "mountPath": PATH}],
                }],
                "volumes": [{"name": "scratch", "emptyDir": {}}],
            },
        });
        ctx.phase("verify", format!("unpacking in the scratch volume of pod/{name}"));
        cluster.create(&Resource::pods(), &pod).await?;
        let spot = Spot { namespace: place.spot.namespace.clone(), pod: name, container: "scratch".into() };
        let scratch = Self { mounted: Mounted { claim: place.claim.clone(), spot, path: PATH.into(), pod } };
        match scratch.runs(cluster).await {
            Ok(()) => Ok(scratch),
            Err(error) => {
                let _ = scratch.remove(cluster).await;
                Err(error)
            }
        }
    }

    async fn runs(&self, cluster: &Cluster) -> Result<()> {
        let spot = &self.mounted.spot;
        let began = Instant::now();
        loop {
            let pod = cluster.get(&Resource::pods(), Some(&spot.namespace), &spot.pod).await?.unwrap_or_default();
            let phase = text(&pod, "/status/phase");
            if phase == "Running" {
                return Ok(());
            }
            let statuses = list(&pod, "/status/containerStatuses");
            let waiting = statuses.first().map(|status| text(status, "/state/waiting/reason")).unwrap_or_default();
            if began.elapsed() >= RUNS || matches!(phase, "Failed" | "Succeeded") {
                let seen = format!("{phase} {waiting}");
                return Err(Error::failed(format!("pod/{} does not run: {}", spot.pod, seen.trim())));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub async fn remove(&self, cluster: &Cluster) -> Result<()> {
        let spot = &self.mounted.spot;
        let options = DeleteOptions::default();
        cluster.delete(&Resource::pods(), Some(&spot.namespace), &spot.pod, &options).await.map(drop)
    }
}
