//! What is to grow, as it is now.

use serde_json::Value;

use super::record::{self, Record};
use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::{Error, Result},
    rules::{fields::text, prune, quantity::Quantity, scope::near, storage},
};

/// The StatefulSet that is to grow.
pub(super) struct Set {
    pub resource: Resource,
    /// As it is; None while it is deleted or being deleted to be replaced.
    pub live: Option<Value>,
    /// What an earlier run has left, that was not finished.
    pub record: Option<Record>,
    /// The name of the claim template.
    pub template: String,
}

/// What is to grow, with the wanted size.
pub(super) struct Growth {
    pub namespace: String,
    /// `claim/data` or `statefulset/db`
    pub object: String,
    pub set: Option<Set>,
    pub claims: Vec<Value>,
    pub size: Quantity,
}

impl Set {
    /// The StatefulSet as it is, or as it was recorded.
    pub fn object(&self) -> Option<&Value> {
        self.live.as_ref().or(self.record.as_ref().map(|record| &record.object))
    }

    /// Whether it has to be replaced: its template asks for less, or it is not there.
    pub fn is_replaced(&self, size: &Quantity) -> bool {
        let template = self.live.as_ref().and_then(|live| storage::template(live, Some(&self.template)).ok());
        template.is_none_or(|template| storage::requested(template) < *size)
    }
}

/// Finds what a word means and reads it.
///
/// # Errors
/// Usage, when there is none, or both a claim and a StatefulSet of the name, or the size cannot be read.
pub(super) async fn look(
    cluster: &Cluster,
    namespace: &str,
    word: &str,
    size: &str,
    template: Option<&str>,
) -> Result<Growth> {
    let (kind, name) = word.split_once('/').unwrap_or(("", word));
    let claim_kind = matches!(kind, "claim" | "pvc" | "persistentvolumeclaim" | "persistentvolumeclaims");
    let set_kind = matches!(kind, "sts" | "statefulset" | "statefulsets" | "statefulset.apps");
    if !kind.is_empty() && !claim_kind && !set_kind {
        return Err(Error::usage(format!("{word}: a {kind} cannot grow"))
            .hint("a claim and a StatefulSet can: claim/NAME, statefulset/NAME"));
    }
    let claim = match set_kind {
        true => None,
        false => cluster.get(&Resource::claims(), Some(namespace), name).await?,
    };
    let set = match claim_kind {
        true => None,
        false => read_set(cluster, namespace, name).await?,
    };
    match (claim, set) {
        (Some(_), Some(_)) => Err(Error::usage(format!("{name} is both a claim and a StatefulSet in {namespace}"))
            .hint(format!("say which: claim/{name} or statefulset/{name}"))),
        (Some(claim), None) => of_claim(namespace, name, claim, size),
        (None, Some(set)) => of_set(cluster, namespace, name, set, size, template).await,
        (None, None) => Err(missing(cluster, namespace, name).await),
    }
}

fn of_claim(namespace: &str, name: &str, claim: Value, size: &str) -> Result<Growth> {
    let size = wanted(size, &storage::requested(&claim), &format!("claim/{name}"))?;
    Ok(Growth { namespace: namespace.into(), object: format!("claim/{name}"), set: None, claims: vec![claim], size })
}

async fn of_set(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    (resource, live, record): (Resource, Option<Value>, Option<Record>),
    size: &str,
    template: Option<&str>,
) -> Result<Growth> {
    let mut set = Set { resource, live, record, template: String::new() };
    let none = || Error::failed(format!("statefulset/{name} is being deleted"));
    let object = set.object().ok_or_else(none)?;
    let chosen = storage::template(object, template)
        .map_err(|wrong| Error::usage(wrong).hint("--template names the claim template that is to grow"))?;
    let now = storage::requested(chosen);
    let chosen = text(chosen, "/metadata/name").to_owned();
    let size = wanted(size, &now, &format!("the template {chosen} of statefulset/{name}"))?;
    let prefix = [format!("{chosen}-{name}-")];
    let mut claims = Vec::new();
    let keep = |claim: Value| {
        if prune::is_made_claim(&prefix, text(&claim, "/metadata/name")) {
            claims.push(claim);
        }
    };
    cluster.list(&Resource::claims(), Some(namespace), &ListQuery::default(), keep).await?;
    set.template = chosen;
    let object = format!("statefulset/{name}");
    Ok(Growth { namespace: namespace.into(), object, set: Some(set), claims, size })
}

/// The StatefulSet and the record of an interrupted run; None when there is neither.
async fn read_set(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> Result<Option<(Resource, Option<Value>, Option<Record>)>> {
    let Some(resource) = cluster.resource("apps/v1", "StatefulSet").await? else { return Ok(None) };
    let live = cluster.get(&resource, Some(namespace), name).await?;
    let record = record::read(cluster, namespace, name).await?;
    if live.is_none() && record.is_none() {
        return Ok(None);
    }
    // One that is going, and was recorded, is to be made again.
    let stays = |live: &Value| text(live, "/metadata/deletionTimestamp").is_empty();
    Ok(Some((resource, live.filter(stays), record)))
}

fn wanted(size: &str, now: &Quantity, what: &str) -> Result<Quantity> {
    let wanted = storage::wanted_size(size, now).map_err(Error::usage)?;
    if wanted < *now {
        return Err(Error::usage(format!("{what} asks for {now}, and volumes cannot shrink to {wanted}"))
            .hint("a smaller volume takes a backup, a new claim and a restore"));
    }
    Ok(wanted)
}

async fn missing(cluster: &Cluster, namespace: &str, name: &str) -> Error {
    let error = Error::usage(format!("there is no claim and no StatefulSet {name} in {namespace}"));
    let mut names = Vec::new();
    let query = ListQuery { metadata_only: true, ..ListQuery::default() };
    let keep = |claim: Value| names.push(text(&claim, "/metadata/name").to_owned());
    // Only a hint: without it, the error is as true.
    let _ = cluster.list(&Resource::claims(), Some(namespace), &query, keep).await;
    match near(name, names.iter().map(String::as_str)).as_slice() {
        [] => error.hint(format!("`kubectl evolve storage -n {namespace}` lists the claims")),
        near => error.hint(format!("there is {}", near.join(", "))),
    }
}
