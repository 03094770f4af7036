//! One roll-out to carry out: the manifests with everything that decides how.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    load::Options,
    observe::{Observed, observe},
    plan::{Step, steps},
    saved::SavedPlan,
    secrets::{self, Fresh},
    set::DesiredSet,
};
use crate::{
    cluster::{ApplyMode, Cluster, Resource},
    error::{Error, Result},
    model::{Action, ImageUse, Manifest, ObjectRef, Origin, Plan, Revision, RevisionSummary},
    ops::{
        history::History,
        inventory::{self, Removal, Wishes},
    },
    rules::{
        applyset::{self, Inventory, Scope},
        prune::{Claims, Verdict},
    },
};

/// What consents to the loss of claims, for the reader.
const CLAIMS_HINT: &str = "--prune-claims deletes it, with its data";

/// What is to be rolled out, and how.
pub(crate) struct Job {
    pub application: String,
    pub namespace: String,
    pub manifests: Vec<Manifest>,
    /// Values of Secrets that were generated just now, which those of another deploy go before.
    pub fresh: Vec<Fresh>,
    /// The namespace that `-n` demands of every manifest.
    pub only_namespace: Option<String>,
    pub origin: Origin,
    /// `deploy`, `rollback to 3`.
    pub cause: String,
    /// The revision whose manifests these are, when an earlier one is put back.
    pub restores: Option<u64>,
    /// What that revision ran.
    pub ran_then: Vec<ImageUse>,
    /// Whether the manifests are only a part of the application's.
    pub partial: bool,
    /// Whether the inputs were named for this run alone, so that those of the last run may have been others.
    pub inputs_by_hand: bool,
    pub options: Options,
    /// The plan that must still hold.
    pub reviewed: Option<SavedPlan>,
}

/// A job compared with the cluster.
pub(crate) struct Survey {
    pub inventory: Option<Inventory>,
    /// The revisions there are, the oldest first.
    pub history: Vec<RevisionSummary>,
    pub missing_namespaces: BTreeSet<String>,
    pub set: DesiredSet,
    pub steps: Vec<Step>,
    /// Members that the manifests no longer have, and what becomes of them.
    pub removals: Vec<Removal>,
    /// Whether members that the manifests no longer have are not even looked at.
    pub leaves_members: bool,
    pub plan: Plan,
}

impl Job {
    /// The job that puts an earlier revision back, with its manifests as they were applied then.
    ///
    /// # Errors
    /// Usage, when there is no such revision.
    pub async fn back_to(
        cluster: &Cluster,
        application: &str,
        namespace: &str,
        number: u64,
        options: Options,
    ) -> Result<Self> {
        let history = History::of(cluster, application, namespace);
        let Revision { summary, images, .. } = history.revision(number).await?;
        Ok(Self {
            application: application.into(),
            namespace: namespace.into(),
            manifests: history.manifests(number).await?,
            fresh: Vec::new(),
            only_namespace: None,
            origin: summary.origin,
            cause: format!("rollback to {number}"),
            restores: Some(summary.restores.unwrap_or(number)),
            ran_then: images,
            partial: false,
            inputs_by_hand: false,
            options,
            reviewed: None,
        })
    }

    /// Compares the job with the cluster; changes nothing.
    pub async fn survey(&self, cluster: &Cluster) -> Result<Survey> {
        match self.look(cluster).await {
            // A kind that is known from an earlier run may be gone by now.
            Err(error) if error.code() == 404 => {
                cluster.forget_resources().await;
                self.look(cluster).await
            }
            survey => survey,
        }
    }

    async fn look(&self, cluster: &Cluster) -> Result<Survey> {
        let history = History::of(cluster, &self.application, &self.namespace);
        let finding = inventory::find(cluster, &self.application, &self.namespace);
        let own_namespace = is_missing(cluster, &self.namespace);
        // Copied while the server answers.
        let manifests = async { Ok(self.manifests.clone()) };
        let (inventory, history, own_is_missing, mut manifests) =
            tokio::try_join!(finding, history.list(), own_namespace, manifests)?;
        secrets::keep_first(cluster, &self.fresh, &mut manifests).await?;
        let parent = parent(inventory.as_ref(), &self.application, &self.namespace);
        let set = DesiredSet::resolve(
            cluster,
            &self.namespace,
            &applyset::id(&parent),
            manifests,
            self.only_namespace.as_deref(),
        )
        .await?;
        let missing_namespaces = self.missing_namespaces(cluster, &set, own_is_missing).await?;
        let observed = observe(cluster, &set, inventory.as_ref(), &missing_namespaces).await?;
        let steps = steps(cluster, &set, &observed, &missing_namespaces, &self.options.policy).await?;
        let mut warnings = Vec::new();
        let removals = self.removals(cluster, &set, observed, &history, &mut warnings).await?;
        let leaves_members = !warnings.is_empty();
        warnings.extend(set.circles.iter().cloned());
        let plan = self.plan(&steps, &removals, warnings);
        Ok(Survey { inventory, history, missing_namespaces, set, steps, removals, leaves_members, plan })
    }

    /// The namespaces of the set that do not exist yet.
    ///
    /// # Errors
    /// Usage, when one is missing that neither the set nor the deploy creates.
    async fn missing_namespaces(
        &self,
        cluster: &Cluster,
        set: &DesiredSet,
        own_is_missing: bool,
    ) -> Result<BTreeSet<String>> {
        let mut missing = BTreeSet::from_iter(own_is_missing.then(|| self.namespace.clone()));
        let mut others: BTreeSet<&str> =
            set.items.iter().filter_map(|item| item.manifest.reference.namespace.as_deref()).collect();
        others.remove(self.namespace.as_str());
        for namespace in others {
            if is_missing(cluster, namespace).await? {
                missing.insert(namespace.to_owned());
            }
        }
        let made = |name: &str| {
            set.items
                .iter()
                .any(|item| item.manifest.reference.kind == "Namespace" && item.manifest.reference.name == name)
        };
        let create = self.options.create_namespace.then_some(&self.namespace);
        match missing.iter().find(|name| !made(name) && Some(*name) != create) {
            None => Ok(missing),
            Some(name) => Err(Error::usage(format!("the namespace {name} does not exist, and no manifest makes it"))
                .hint("--create-namespace creates it, as does `deploy.createNamespace: true` in evolve.yaml")),
        }
    }

    /// What becomes of the members that the manifests no longer have.
    async fn removals(
        &self,
        cluster: &Cluster,
        set: &DesiredSet,
        observed: Observed,
        history: &[RevisionSummary],
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Removal>> {
        let leftovers = observed.leftovers;
        if leftovers.is_empty() || self.partial {
            return Ok(Vec::new());
        }
        let kept = format!("{} of {} left, not in these manifests", counted(leftovers.len()), self.application);
        if !self.options.prune {
            warnings.push(kept);
            return Ok(Vec::new());
        }
        if !self.options.prune_asked && self.inputs_changed(history) {
            warnings.push(format!("{kept}: the last deploy read other files; --prune deletes them"));
            return Ok(Vec::new());
        }
        let wishes = Wishes {
            claims: if self.options.prune_claims { Claims::All } else { Claims::None },
            claims_hint: CLAIMS_HINT.into(),
            staying: set.items.iter().map(|item| item.manifest.reference.clone()).collect(),
            ..Wishes::default()
        };
        inventory::survey(cluster, leftovers, &wishes).await
    }

    /// Whether inputs that were named by hand are others than those of the last revision.
    pub fn inputs_changed(&self, history: &[RevisionSummary]) -> bool {
        let names = |sources: &[String]| -> BTreeSet<String> {
            let plain = |source: &String| source.trim_start_matches("./").trim_end_matches('/').to_owned();
            sources.iter().map(plain).collect()
        };
        let last = history.last().map(|revision| names(&revision.origin.sources));
        self.inputs_by_hand && last.is_some_and(|last| last != names(&self.origin.sources))
    }

    fn plan(&self, steps: &[Step], removals: &[Removal], warnings: Vec<String>) -> Plan {
        let changes = steps.iter().map(|step| step.change.clone()).chain(removals.iter().map(Removal::change));
        let mut plan = Plan {
            application: self.application.clone(),
            namespace: self.namespace.clone(),
            changes: changes.collect(),
            warnings,
        };
        let all_new = steps.iter().all(|step| step.change.action == Action::Create);
        let prunes = plan.count(Action::Delete);
        if all_new && prunes > 0 && !self.options.prune_asked {
            let first = plan.changes.iter_mut().find(|change| change.action == Action::Delete);
            if let Some(change) = first {
                change.blocked = Some(format!(
                    "nothing of what {} has would be left ({}); --prune consents, --app names another application",
                    self.application,
                    counted(prunes),
                ));
            }
        }
        plan
    }

    /// Creates the application's namespace, which holds the lock and the records: from its manifest where the set has
    /// one, else bare.
    pub async fn create_namespace(&self, cluster: &Cluster, survey: &Survey) -> Result<()> {
        if !survey.missing_namespaces.contains(&self.namespace) {
            return Ok(());
        }
        let resource = Resource::namespaces();
        let of_set =
            survey.set.items.iter().find(|item| {
                item.manifest.reference.kind == "Namespace" && item.manifest.reference.name == self.namespace
            });
        let bare = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}});
        let object = of_set.map_or(&bare, |item| &item.manifest.object);
        cluster.apply(&resource, object, ApplyMode::default()).await.map(|_| ())
    }
}

/// Whether a namespace does not exist yet.
///
/// # Errors
/// Failed, when it is being deleted.
async fn is_missing(cluster: &Cluster, namespace: &str) -> Result<bool> {
    match cluster.get(&Resource::namespaces(), None, namespace).await {
        Ok(Some(live)) if live["metadata"]["deletionTimestamp"].is_string() => {
            Err(Error::failed(format!("the namespace {namespace} is being deleted"))
                .hint("deploy again when it is gone"))
        }
        // Whoever may not look at namespaces works in one that was made for them.
        Err(error) if error.code() == 403 => Ok(false),
        found => Ok(found?.is_none()),
    }
}

/// The parent of the application's set: the one that it has, else the one that it will have.
fn parent(inventory: Option<&Inventory>, application: &str, namespace: &str) -> ObjectRef {
    inventory.map_or_else(|| applyset::own_parent(application, namespace), |inventory| inventory.parent.clone())
}

impl Survey {
    /// Where the members of the set are after the apply.
    pub fn wanted_scope(&self) -> Scope {
        Scope::of(self.set.items.iter().map(|item| &item.manifest.reference))
    }

    /// Where the members are after the prune: what was wanted, and what was kept though it is not.
    pub fn scope_after(&self) -> Scope {
        let kept = self.removals.iter().filter(|removal| matches!(removal.verdict, Verdict::Keep { .. }));
        let kept: Vec<ObjectRef> = kept.map(Removal::reference).collect();
        self.wanted_scope().union(&Scope::of(&kept))
    }
}

/// `1 object`, `2 objects`
pub(super) fn counted(objects: usize) -> String {
    if objects == 1 { "1 object".into() } else { format!("{objects} objects") }
}
