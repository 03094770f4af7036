//! The subresource `scale`: a number of replicas of whatever kind, with the right to no more than that.

use http::Method;
use serde_json::{Value, json};

use super::{
    client::{Call, Cluster},
    discovery::Resource,
    objects::{path, query_string},
};
use crate::error::{Error, Result};

/// Apart from the manager of deploys, so that a deploy whose manifest has another number finds a conflict and says so.
const MANAGER: &str = "kubectl-evolve-scale";
/// How often a number is written while others write to the same object.
const TRIES: usize = 10;

impl Cluster {
    /// The number of replicas that is wanted, and the version that it was read at.
    ///
    /// # Errors
    /// Usage, for kinds that have none.
    pub async fn scale(&self, resource: &Resource, namespace: &str, name: &str) -> Result<(u32, Value)> {
        let doing = format!("reading the scale of {}/{name}", resource.singular);
        let call = Call::new(Method::GET, path(resource, Some(namespace), Some(name)) + "/scale", &doing);
        let (_, scale) = self.call(&call).await.map_err(|error| match error.code() {
            404 => Error::usage(format!("{}/{name} is not there, or has no number of replicas", resource.singular)),
            _ => error,
        })?;
        let replicas = scale["spec"]["replicas"].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
        Ok((replicas, scale["metadata"]["resourceVersion"].clone()))
    }

    /// Sets the number of replicas, if it still is `from`.
    ///
    /// # Errors
    /// Failed, when somebody else has set another number meanwhile.
    pub async fn set_scale(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        (from, to): (u32, u32),
        dry_run: bool,
    ) -> Result<()> {
        let doing = format!("scaling {}/{name}", resource.singular);
        let mut parameters = vec![("fieldManager", MANAGER.to_owned())];
        if dry_run {
            parameters.push(("dryRun", "All".into()));
        }
        let target = path(resource, Some(namespace), Some(name)) + "/scale" + &query_string(&parameters);
        let mut tries = 0;
        loop {
            let (now, version) = self.scale(resource, namespace, name).await?;
            if now == to {
                return Ok(());
            }
            if now != from {
                return Err(Error::failed(format!("{doing}: somebody else has set {now} replicas meanwhile"))
                    .hint("run the command again"));
            }
            let patch = json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": to}});
            let mut call = Call::new(Method::PATCH, target.clone(), &doing);
            call.body = Some(("application/merge-patch+json", patch.to_string().into_bytes()));
            tries += 1;
            match self.call(&call).await {
                Err(error) if error.code() == 409 && tries < TRIES => {}
                answer => return answer.map(|_| ()),
            }
        }
    }
}
