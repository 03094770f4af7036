//! What becomes of members that are no longer wanted; changes nothing.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::Result,
    model::{Action, Change, ObjectRef},
    rules::{
        applyset::APPLICATION,
        prune::{self, Claims, Losses, Verdict},
    },
};

const LISTS: usize = 16;

/// What is wanted of a removal.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Claims that may be deleted, with their data.
    pub claims: Claims,
    /// What consents to that, for the reader: `--prune-claims deletes it`.
    pub claims_hint: String,
    /// Objects that stay or come, which a namespace must not be deleted from under.
    pub staying: Vec<ObjectRef>,
    /// Whether what is being deleted already is waited for like the rest.
    pub with_going: bool,
    /// The application whose own records do not hold a namespace back, because they go too.
    pub without_records: Option<String>,
}

/// One member, and what becomes of it.
#[derive(Debug, Clone)]
pub struct Removal {
    /// At least the object's metadata.
    pub object: Value,
    pub resource: Resource,
    pub verdict: Verdict,
    /// Removals with a lower number go first.
    pub wave: usize,
}

impl Removal {
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::of(&self.object)
    }

    pub(super) fn uid(&self) -> &str {
        uid(&self.object)
    }

    /// The removal as a line of a plan.
    pub fn change(&self) -> Change {
        let (action, reason) = match &self.verdict {
            Verdict::Delete { .. } => (Action::Delete, None),
            Verdict::Detach { reason } => (Action::Detach, Some(reason.clone())),
            Verdict::Keep { reason, .. } => (Action::Keep, Some(reason.clone())),
        };
        Change {
            object: self.reference(),
            action,
            wave: self.wave,
            fields: Vec::new(),
            conflicts: Vec::new(),
            reason,
            blocked: None,
            live: String::new(),
        }
    }
}

/// Decides about each member that is no longer wanted, in the order in which they would go.
pub async fn survey(cluster: &Cluster, members: Vec<Value>, wishes: &Wishes) -> Result<Vec<Removal>> {
    let mut wave_of = vec![0; members.len()];
    for (number, wave) in prune::order(&members).iter().enumerate() {
        for index in wave {
            if let Some(slot) = wave_of.get_mut(*index) {
                *slot = number;
            }
        }
    }
    let mut removals = Vec::with_capacity(members.len());
    for (object, wave) in members.into_iter().zip(wave_of) {
        let reference = ObjectRef::of(&object);
        // A kind that the cluster no longer has took its objects with it.
        let Some(resource) = cluster.resource(&reference.api_version, &reference.kind).await? else { continue };
        let mut losses = Losses::default();
        if reference.group() == "apps" && reference.kind == "StatefulSet" {
            losses.claims = takes_claims_along(cluster, &resource, &reference).await?;
        }
        let verdict = match wishes.with_going && prune::is_going(&object) {
            true => Verdict::Delete { foreground: false },
            false => prune::judge(&object, &losses, &wishes.claims),
        };
        removals.push(Removal { object, resource, verdict, wave });
    }
    // What a definition or a namespace holds matters only as far as it would not go anyway; definitions first, because
    // their objects may lie in the namespaces.
    let holds =
        |removal: &Removal| matches!(removal.reference().kind.as_str(), "CustomResourceDefinition" | "Namespace");
    if removals.iter().any(holds) {
        // Kinds that came since the cluster was last asked count most of all.
        cluster.forget_resources().await;
    }
    for kind in ["CustomResourceDefinition", "Namespace"] {
        judge_holders(cluster, &mut removals, kind, wishes).await?;
    }
    for removal in &mut removals {
        if let Verdict::Keep { reason, is_claim: true } = &mut removal.verdict {
            *reason = format!("{reason}; {}", wishes.claims_hint);
        }
    }
    removals.sort_by_key(|removal| removal.wave);
    Ok(removals)
}

async fn judge_holders(cluster: &Cluster, removals: &mut [Removal], kind: &str, wishes: &Wishes) -> Result<()> {
    let doomed: HashSet<String> = removals
        .iter()
        .filter(|removal| matches!(removal.verdict, Verdict::Delete { .. }))
        .map(|removal| removal.uid().to_owned())
        .collect();
    for removal in removals.iter_mut() {
        let reference = removal.reference();
        if reference.kind != kind || !doomed.contains(removal.uid()) {
            continue;
        }
        let others = match (reference.group(), kind) {
            ("", "Namespace") => held_by_namespace(cluster, &reference.name, &doomed, wishes).await?,
            ("apiextensions.k8s.io", _) => held_by_definition(cluster, &reference.name, &doomed).await?,
            _ => continue,
        };
        removal.verdict = prune::judge(&removal.object, &Losses { others, claims: false }, &wishes.claims);
    }
    Ok(())
}

async fn takes_claims_along(cluster: &Cluster, resource: &Resource, reference: &ObjectRef) -> Result<bool> {
    let live = cluster.get(resource, reference.namespace.as_deref(), &reference.name).await?.unwrap_or_default();
    let has_claims = live["spec"]["volumeClaimTemplates"].as_array().is_some_and(|templates| !templates.is_empty());
    Ok(has_claims && live["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete")
}

/// The objects of a defined kind that would not go anyway.
async fn held_by_definition(cluster: &Cluster, name: &str, doomed: &HashSet<String>) -> Result<Vec<String>> {
    let (plural, group) = name.split_once('.').unwrap_or((name, ""));
    let resources = cluster.resources().await?;
    match resources.iter().find(|resource| resource.plural == plural && resource.group == group) {
        Some(resource) => others(cluster, resource, None, |object| !doomed.contains(uid(object))).await,
        None => Ok(Vec::new()),
    }
}

/// The objects in a namespace that are somebody's and would not go anyway.
async fn held_by_namespace(
    cluster: &Cluster,
    name: &str,
    doomed: &HashSet<String>,
    wishes: &Wishes,
) -> Result<Vec<String>> {
    let is_in = |object: &&ObjectRef| object.namespace.as_deref() == Some(name);
    let mut found: Vec<String> = wishes.staying.iter().filter(is_in).map(ToString::to_string).collect();
    let resources = cluster.resources().await?;
    let mut seen = HashSet::new();
    let listed = resources.iter().filter(|resource| {
        resource.namespaced
            && resource.listable
            && resource.group != "metrics.k8s.io"
            && seen.insert((resource.group.as_str(), resource.plural.as_str()))
    });
    let is_record = |object: &Value| {
        let of = object["metadata"]["labels"][APPLICATION].as_str();
        of.is_some() && of == wishes.without_records.as_deref()
    };
    let counts = |object: &Value| prune::is_of_its_own(object) && !doomed.contains(uid(object)) && !is_record(object);
    let names: Vec<Vec<String>> = stream::iter(listed.map(|resource| others(cluster, resource, Some(name), counts)))
        .buffered(LISTS)
        .try_collect()
        .await?;
    found.extend(names.into_iter().flatten());
    Ok(found)
}

/// The names of the objects that count. Objects that may not be listed count as one: nothing proves that there are
/// none.
async fn others(
    cluster: &Cluster,
    resource: &Resource,
    namespace: Option<&str>,
    counts: impl Fn(&Value) -> bool,
) -> Result<Vec<String>> {
    let query = ListQuery { metadata_only: true, ..ListQuery::default() };
    let mut names = Vec::new();
    let note = |object: Value| {
        if counts(&object) {
            names.push(ObjectRef::of(&object).to_string());
        }
    };
    match cluster.list(resource, namespace, &query, note).await {
        Ok(_) => Ok(names),
        Err(error) if error.code() == 403 => Ok(vec![format!("{} (which may not be listed)", resource.plural)]),
        // Listed in discovery, yet not there: a definition that was deleted meanwhile, or a view without a list.
        Err(error) if matches!(error.code(), 404 | 405) => Ok(Vec::new()),
        Err(error) => Err(error.context("looking for what would be lost")),
    }
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}
