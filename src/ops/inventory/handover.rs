//! Taking a set over from another tool, giving it back, and showing it.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    members::members,
    parent::{self, get},
};
use crate::{
    cluster::{ApplyMode, Cluster, DeleteOptions, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{InventoryReport, ObjectRef, Target},
    ops::{
        lock::{LockRequest, under_lock},
        revisions::{located, nothing},
    },
    rules::{
        applyset::{self, ADOPTED_FROM, Inventory, TOOL},
        migration,
    },
};

/// What a set is given to that was not adopted: the kubectl whose rules ours are.
const KUBECTL: &str = "kubectl/v1.34.0";
/// The manager under which kubectl applies members, and the one under which it applies parents.
const KUBECTL_MANAGERS: (&str, &str) = ("kubectl", "kubectl-applyset");
/// How long another operation on the application is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// Objects that are given away at once; the client bounds the requests too.
const SIDE_BY_SIDE: usize = 16;
/// How often an object that changes meanwhile is tried again.
const TRIES: usize = 5;

/// The members of an application's set, whoever manages it.
///
/// # Errors
/// Usage, when there is none.
pub async fn show(ctx: &Ctx, target: &Target) -> Result<InventoryReport> {
    let place = Place::of(ctx, target).await?;
    let found = ctx.unless_cancelled("reading the inventory", place.read()).await?;
    place.report(&found).await
}

/// Makes a set of another tool the application's own. Its objects are not touched: the next deploy takes over the
/// fields of those that it changes.
///
/// # Errors
/// Usage, when there is no such parent, or when the application has a set already.
pub async fn adopt(ctx: &Ctx, target: &Target, parent: &str) -> Result<InventoryReport> {
    let place = Place::of(ctx, target).await?;
    under_lock(ctx, &place.lock("inventory adopt"), place.adopt(parent)).await
}

/// Gives a set back to the tool that it was adopted from, or to kubectl. The fields that we applied become those of
/// kubectl, so that its next apply meets no conflicts.
///
/// # Errors
/// Usage, when the application has no set.
pub async fn release(ctx: &Ctx, target: &Target) -> Result<InventoryReport> {
    let place = Place::of(ctx, target).await?;
    under_lock(ctx, &place.lock("inventory release"), place.release()).await
}

/// Gives the fields that we applied to another manager.
async fn give_away(cluster: &Cluster, object: &ObjectRef, manager: &str) -> Result<()> {
    let Some(resource) = cluster.resource(&object.api_version, &object.kind).await? else { return Ok(()) };
    let namespace = object.namespace.as_deref();
    for _ in 0..TRIES {
        let Some(live) = cluster.get(&resource, namespace, &object.name).await? else { return Ok(()) };
        let Some(patch) = migration::given_away(&live, manager) else { return Ok(()) };
        match cluster.patch(&resource, namespace, &object.name, &patch).await {
            Err(error) if error.code() == 409 => {}
            Err(error) if error.code() == 404 => return Ok(()),
            other => return other.map(|_| ()),
        }
    }
    Err(Error::failed(format!("{object} changes so often that its fields cannot be given away; run the command again")))
}

/// An application in a cluster.
struct Place {
    cluster: Arc<Cluster>,
    application: String,
    namespace: String,
}

impl Place {
    async fn of(ctx: &Ctx, target: &Target) -> Result<Self> {
        let cluster = ctx.cluster().await?;
        let (application, namespace) = located(ctx, &cluster, target).await?;
        Ok(Self { cluster, application, namespace })
    }

    fn lock(&self, purpose: &str) -> LockRequest {
        LockRequest {
            application: self.application.clone(),
            namespace: self.namespace.clone(),
            purpose: purpose.into(),
            timeout: LOCK_TIMEOUT,
        }
    }

    async fn adopt(&self, parent: &str) -> Result<InventoryReport> {
        let parent = self.named(parent).await?;
        let object = get(&self.cluster, &parent).await?;
        let object = object.ok_or_else(|| {
            let namespace = parent.namespace.as_deref().map(|name| format!(" in namespace {name}")).unwrap_or_default();
            Error::usage(format!("{parent} is not there{namespace}"))
                .hint(format!("kubectl get secrets -A -l {} lists the parents of ApplySets", applyset::ID))
        })?;
        let theirs = applyset::read(&object)?;
        let of = object["metadata"]["labels"][applyset::APPLICATION].as_str();
        if let Some(other) = of.filter(|other| *other != self.application) {
            return Err(Error::usage(format!("the set of {parent} is that of the application {other}"))
                .hint(format!("--app {other} works with it")));
        }
        self.refuse_second_set(&parent).await?;
        let own = applyset::own_parent(&self.application, &self.namespace);
        if parent != own {
            // The pointer is first: a set that is ours and that nothing points to would be lost.
            let pointer = applyset::pointer(&self.application, &self.namespace, &theirs)?;
            let mode = ApplyMode { dry_run: false, force: true };
            self.cluster.apply(&Resource::secrets(), &pointer, mode).await?;
        }
        let ours = Inventory { tooling: applyset::tooling(), ..theirs };
        parent::write(&self.cluster, &self.application, &ours, true).await?;
        self.report(&ours).await
    }

    async fn release(&self) -> Result<InventoryReport> {
        let found = self.read().await?;
        let own = applyset::own_parent(&self.application, &self.namespace);
        let pointer = match found.parent == own {
            true => None,
            false => get(&self.cluster, &own).await?,
        };
        let before = pointer.as_ref().and_then(|pointer| pointer["metadata"]["annotations"][ADOPTED_FROM].as_str());
        // What was already given back has only lost the way to its end.
        let tooling = match applyset::tool_name(&found.tooling) {
            TOOL => before.unwrap_or(KUBECTL).to_owned(),
            _ => found.tooling.clone(),
        };
        let is_kubectl = applyset::tool_name(&tooling) == KUBECTL_MANAGERS.0;
        if is_kubectl {
            let members = members(&self.cluster, &found).await?;
            stream::iter(members.iter().map(ObjectRef::of))
                .map(|member| async move { give_away(&self.cluster, &member, KUBECTL_MANAGERS.0).await })
                .buffer_unordered(SIDE_BY_SIDE)
                .try_collect::<()>()
                .await?;
        }
        let theirs = Inventory { tooling, ..found };
        parent::write(&self.cluster, &self.application, &theirs, true).await?;
        if is_kubectl {
            give_away(&self.cluster, &theirs.parent, KUBECTL_MANAGERS.1).await?;
        }
        if pointer.is_some() {
            let options = DeleteOptions::default();
            self.cluster.delete(&Resource::secrets(), Some(&self.namespace), &own.name, &options).await?;
        }
        self.report(&theirs).await
    }

    async fn read(&self) -> Result<Inventory> {
        let found = parent::read(&self.cluster, &self.application, &self.namespace).await?;
        match found {
            Some(found) => Ok(found),
            None => Err(nothing(&self.cluster, &self.application, &self.namespace).await),
        }
    }

    /// The object that a user's words mean, as kubectl's `--applyset` reads them: `NAME`, `secret/NAME`,
    /// `widgets.example.org/NAME`.
    async fn named(&self, words: &str) -> Result<ObjectRef> {
        let (kind, name) = words.split_once('/').unwrap_or(("secrets", words));
        let resource = self.cluster.named(kind).await?.filter(|_| !name.is_empty());
        let resource = resource.ok_or_else(|| {
            Error::usage(format!("{words:?} names no object")).hint("write it as in `secret/NAME` or `configmap/NAME`")
        })?;
        Ok(ObjectRef {
            api_version: resource.api_version(),
            kind: resource.kind.clone(),
            namespace: resource.namespaced.then(|| self.namespace.clone()),
            name: name.into(),
        })
    }

    async fn refuse_second_set(&self, wanted: &ObjectRef) -> Result<()> {
        let own = applyset::own_parent(&self.application, &self.namespace);
        let Some(object) = get(&self.cluster, &own).await? else { return Ok(()) };
        let present = applyset::adopted(&object)?.unwrap_or(own);
        if present == *wanted {
            return Ok(());
        }
        Err(Error::usage(format!("{} has a set already, that of {present}", self.application))
            .hint("--app NAME adopts it as another application")
            .hint("`kubectl evolve inventory release` gives the present one away"))
    }

    async fn report(&self, inventory: &Inventory) -> Result<InventoryReport> {
        let mut members: Vec<ObjectRef> = members(&self.cluster, inventory).await?.iter().map(ObjectRef::of).collect();
        members.sort();
        Ok(InventoryReport {
            application: self.application.clone(),
            parent: inventory.parent.clone(),
            id: inventory.id(),
            tooling: inventory.tooling.clone(),
            members,
        })
    }
}
