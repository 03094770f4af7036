//! From what is wanted and what there is to what would be done.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{
    observe::{Live, Observed},
    set::{DesiredSet, Item},
};
use crate::{
    cluster::{ApplyMode, Cluster, ListQuery, Resource},
    config::{ConflictRule, Take},
    error::{Error, Result},
    model::{Action, Change, FieldConflict},
    rules::{applyset, autoscaling, difference, migration, refusals},
};

/// Dry runs sent at once; the client bounds the requests below.
const DRY_RUNS: usize = 16;
/// The group and the kind of what owns numbers of replicas.
const AUTOSCALER: (&str, &str) = ("autoscaling", "HorizontalPodAutoscaler");
/// Consent in the manifest itself to delete the object and create it again when a field cannot be changed.
pub const RECREATE_ANNOTATION: &str = "evolve/recreate";

/// What the user consented to, and how conflicts are settled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub force_conflicts: bool,
    pub conflicts: Vec<ConflictRule>,
    pub recreate: bool,
    pub adopt: bool,
    /// Whether objects that do not exist yet are tried by a dry run too. A deploy does not: it is about to create
    /// them; a diff shows what the server would make of them.
    pub try_creations: bool,
}

/// What is to be done for one item of the set.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The item's index in the set.
    pub item: usize,
    pub change: Change,
    /// The manifest without the fields that are left to others, where there are such.
    reduced: Option<Value>,
    /// Whether fields are taken from other managers.
    pub force: bool,
    /// Whether the number of replicas becomes an autoscaler's, and keeps its value until that acts.
    pub leaves_replicas: bool,
    /// The object as it was seen, for its uid and for the take-over of its fields.
    pub live: Option<Box<Value>>,
}

impl Step {
    /// Whether it changes anything.
    pub fn is_due(&self) -> bool {
        self.change.action != Action::Keep
    }
}

/// The steps for all items, in the order of the set.
pub(crate) async fn steps(
    cluster: &Cluster,
    set: &DesiredSet,
    observed: &Observed,
    missing_namespaces: &BTreeSet<String>,
    policy: &Policy,
) -> Result<Vec<Step>> {
    let planner = Planner { cluster, policy, missing_namespaces, set };
    let begun =
        set.items.iter().zip(set.wave_of()).enumerate().map(|(index, (item, wave))| Step::begin(index, item, wave));
    let mut steps = Vec::with_capacity(set.items.len());
    let mut open = Vec::new();
    for ((mut step, item), live) in begun.zip(&set.items).zip(&observed.live) {
        match live {
            Some(Live::AsWanted(live)) => {
                step.live.clone_from(live);
                steps.push(step);
            }
            Some(Live::Other(live)) => open.push((step, item, Some(live.as_ref()))),
            None => open.push((step, item, None)),
        }
    }
    let judged = stream::iter(open).map(|(step, item, live)| planner.judge(step, item, live));
    let judged: Vec<Step> = judged.buffer_unordered(DRY_RUNS).try_collect().await?;
    steps.extend(judged);
    steps.sort_unstable_by_key(|step| step.item);
    Ok(steps)
}

impl Step {
    /// A step that leaves everything as it is.
    fn begin(index: usize, item: &Item, wave: usize) -> Self {
        let change = Change {
            object: item.manifest.reference.clone(),
            action: Action::Keep,
            wave,
            fields: Vec::new(),
            conflicts: Vec::new(),
            reason: None,
            blocked: None,
            live: String::new(),
        };
        Self { item: index, change, reduced: None, force: false, leaves_replicas: false, live: None }
    }

    /// What is applied.
    pub fn body<'s>(&'s self, item: &'s Item) -> &'s Value {
        self.reduced.as_ref().unwrap_or(&item.manifest.object)
    }
}

struct Planner<'a> {
    cluster: &'a Cluster,
    policy: &'a Policy,
    missing_namespaces: &'a BTreeSet<String>,
    set: &'a DesiredSet,
}

impl Planner<'_> {
    /// Decides what becomes of an item that is not provably as wanted.
    async fn judge(&self, mut step: Step, item: &Item, live: Option<&Value>) -> Result<Step> {
        let Some(live) = live else {
            step.change.action = Action::Create;
            self.try_creation(item, &mut step).await?;
            return Ok(step);
        };
        step.change.live = difference::digest(live);
        step.live = Some(Box::new(live.clone()));
        if live["metadata"]["deletionTimestamp"].is_string() {
            step.change.action = Action::Change;
            step.change.blocked = Some("it is being deleted; deploy again when it is gone".into());
        } else if let Some(owner) = self.foreign_owner(live) {
            step.change.action = Action::Change;
            step.change.blocked = Some(format!("it belongs to {owner}; --adopt takes it over"));
        } else {
            self.compare(item, live, &mut step).await?;
        }
        Ok(step)
    }

    /// The release or set of another tool that an object belongs to, unless taking it over was consented to.
    fn foreign_owner(&self, live: &Value) -> Option<String> {
        let metadata = &live["metadata"];
        if self.policy.adopt || metadata["labels"][applyset::PART_OF] == *self.set.id {
            return None;
        }
        let set = metadata["labels"][applyset::PART_OF].as_str().filter(|set| *set != self.set.id);
        let release = metadata["annotations"]["meta.helm.sh/release-name"].as_str();
        set.map(|set| format!("the ApplySet {set}")).or_else(|| release.map(|name| format!("the Helm release {name}")))
    }

    async fn try_creation(&self, item: &Item, step: &mut Step) -> Result<()> {
        let namespace = item.manifest.reference.namespace.as_ref();
        let nowhere = namespace.is_some_and(|namespace| self.missing_namespaces.contains(namespace));
        let Some(resource) = item.resource.as_ref().filter(|_| self.policy.try_creations && !nowhere) else {
            return Ok(());
        };
        // What is created is shown by its name; its fields are those of the manifest.
        if let Err(error) = self.dry_run(resource, step.body(item), false).await {
            step.change.blocked = Some(self.verdict(error)?);
        }
        Ok(())
    }

    async fn compare(&self, item: &Item, live: &Value, step: &mut Step) -> Result<()> {
        step.change.action = Action::Change;
        let Some(resource) = item.resource.as_ref() else { return Ok(()) };
        let takes_over = migration::migrated(live).is_some();
        step.leaves_replicas =
            autoscaling::gives_up_replicas(step.body(item), live) && self.is_autoscaled(item).await?;
        let mut answer = self.dry_run(resource, step.body(item), false).await;
        if let Err(error) = &answer
            && let Some(refusal) = error.refusal().filter(|refusal| refusal.code == 409)
        {
            let contested = refusals::conflicts(refusal, step.body(item), live);
            // Those that are not contested are with kubectl's own apply, and are taken over.
            step.force |= contested.len() < refusal.causes.len();
            self.settle(item, contested, step);
            // Blocked or not, the forced dry run shows what would change.
            answer = self.dry_run(resource, step.body(item), true).await;
        }
        match answer {
            Ok(object) if takes_over => {
                step.change.fields = difference::changes(live, &migration::without_leftovers(&object));
                step.change.reason = Some("taken over from kubectl apply".into());
            }
            Ok(object) if step.leaves_replicas => step.change.fields = difference::changes(live, &object),
            Ok(object) => {
                step.change.fields = difference::changes(live, &object);
                let same = step.change.fields.is_empty() && step.change.blocked.is_none();
                if same {
                    step.change.action = Action::Keep;
                }
            }
            Err(error) if error.refusal().is_some_and(refusals::is_immutable) => self.replace(item, live, step, &error),
            Err(error) => step.change.blocked = Some(self.verdict(error)?),
        }
        if step.leaves_replicas {
            step.change.fields.retain(|field| field.path != autoscaling::REPLICAS);
            let left = format!("{} is left to the autoscaler", autoscaling::REPLICAS);
            step.change.reason = Some(match step.change.reason.take() {
                Some(reason) => format!("{reason}; {left}"),
                None => left,
            });
        }
        Ok(())
    }

    /// Whether an autoscaler of the set or of the cluster is there for the workload.
    async fn is_autoscaled(&self, item: &Item) -> Result<bool> {
        let workload = &item.manifest.reference;
        let of_set = self.set.items.iter().map(|item| &item.manifest).filter(|manifest| {
            let reference = &manifest.reference;
            reference.kind == AUTOSCALER.1 && reference.namespace == workload.namespace
        });
        if of_set.into_iter().any(|manifest| autoscaling::scales(&manifest.object, workload)) {
            return Ok(true);
        }
        let Some(resource) = self.cluster.preferred(AUTOSCALER.0, AUTOSCALER.1).await? else { return Ok(false) };
        let mut found = false;
        let each = |autoscaler: Value| found |= autoscaling::scales(&autoscaler, workload);
        match self.cluster.list(&resource, workload.namespace.as_deref(), &ListQuery::default(), each).await {
            // Whoever may not look at autoscalers is taken to have none outside of the set.
            Err(error) if error.code() == 403 => Ok(false),
            listed => listed.map(|_| found),
        }
    }

    /// Decides each conflict: by a rule, by `--force-conflicts`, or not at all, which blocks the deploy.
    fn settle(&self, item: &Item, conflicts: Vec<FieldConflict>, step: &mut Step) {
        let mut open = Vec::new();
        let whole = || item.manifest.object.clone();
        for conflict in &conflicts {
            match refusals::decide(&self.policy.conflicts, &step.change.object, conflict) {
                Some(Take::Theirs) if refusals::remove(step.reduced.get_or_insert_with(whole), &conflict.path) => {}
                Some(Take::Theirs) => open.push(format!("{} cannot be left to {}", conflict.path, conflict.manager)),
                Some(Take::Ours) => step.force = true,
                None if self.policy.force_conflicts => step.force = true,
                None => open.push(format!("{} is owned by {}", conflict.path, conflict.manager)),
            }
        }
        if !open.is_empty() {
            step.change.blocked = Some(format!(
                "{}; remove the field from the manifest, set a rule under deploy.conflicts, or use --force-conflicts",
                open.join(", ")
            ));
        }
        step.change.conflicts = conflicts;
    }

    fn replace(&self, item: &Item, live: &Value, step: &mut Step, error: &Error) {
        step.change.action = Action::Replace;
        let refusal = error.refusal();
        let fields: Vec<&str> =
            refusal.iter().flat_map(|refusal| &refusal.causes).map(|cause| cause.field.as_str()).collect();
        let what = if fields.is_empty() { "a field".to_owned() } else { fields.join(", ") };
        step.change.reason = Some(format!("{what} cannot be changed"));
        let old = difference::meaning(live);
        step.change.fields = difference::changes(&old, &overlay(&old, step.body(item)));
        let consent = step.body(item)["metadata"]["annotations"][RECREATE_ANNOTATION] == "true";
        step.change.blocked = match refusals::replace_would_lose(live) {
            Some(loss) => Some(format!("{what} cannot be changed, and the object is never recreated: {loss}")),
            None if self.policy.recreate || consent => None,
            None => Some(format!(
                "{what} cannot be changed; --recreate deletes the object and creates it again \
                 (or the annotation {RECREATE_ANNOTATION}: \"true\" in its manifest)"
            )),
        };
    }

    async fn dry_run(&self, resource: &Resource, body: &Value, force: bool) -> Result<Value> {
        self.cluster.apply(resource, body, ApplyMode { dry_run: true, force }).await.map(|applied| applied.object)
    }

    /// A refusal of this object is a verdict on it; every other error ends the plan.
    fn verdict(&self, error: Error) -> Result<String> {
        match error.code() {
            400 | 403 | 404 | 409 | 422 => {
                let message = error.refusal().map(|refusal| refusal.message.clone());
                Ok(message.unwrap_or_else(|| error.message().to_owned()))
            }
            _ => Err(error),
        }
    }
}

/// The object with the wanted fields laid over it: what a replacement would look like, as far as can be told.
fn overlay(old: &Value, wanted: &Value) -> Value {
    match (old, wanted) {
        (Value::Object(old), Value::Object(wanted)) => {
            let mut merged = old.clone();
            for (key, value) in wanted {
                let below = old.get(key).map_or_else(|| value.clone(), |old| overlay(old, value));
                merged.insert(key.clone(), below);
            }
            Value::Object(merged)
        }
        _ => wanted.clone(),
    }
}
