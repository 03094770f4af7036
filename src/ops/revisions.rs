//! What the history of an application tells.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{EvidenceReport, HistoryReport, ObjectRef, Outcome, RevisionReport, RevisionSummary, Target},
    ops::{application::Application, history::History, lock},
    rules::{applyset::APPLICATION, difference, history as rules},
};

/// The revisions, oldest first. One that is pending though nothing runs is told as interrupted.
///
/// # Errors
/// Usage, when there are none.
pub async fn list(ctx: &Ctx, target: &Target) -> Result<HistoryReport> {
    let cluster = ctx.cluster().await?;
    let (application, namespace) = located(ctx, &cluster, target).await?;
    let reading = settled(ctx, &cluster, &application, &namespace);
    let revisions = ctx.unless_cancelled("reading the history", reading).await?;
    if revisions.is_empty() {
        return Err(nothing(&cluster, &application, &namespace).await);
    }
    Ok(HistoryReport { application, namespace, revisions })
}

/// One revision, the newest by default.
///
/// # Errors
/// Usage, when there is none, or none of that number.
pub async fn show(ctx: &Ctx, target: &Target, number: Option<u64>, with_manifests: bool) -> Result<RevisionReport> {
    let cluster = ctx.cluster().await?;
    let (application, namespace) = located(ctx, &cluster, target).await?;
    let revisions = settled(ctx, &cluster, &application, &namespace).await?;
    let number = number.or_else(|| revisions.last().map(|newest| newest.number));
    let Some(number) = number else { return Err(nothing(&cluster, &application, &namespace).await) };
    let history = History::of(&cluster, &application, &namespace);
    let mut revision = history.revision(number).await?;
    revision.summary.outcome = outcome_of(&revisions, number, revision.summary.outcome);
    let manifests = match with_manifests {
        true => Some(history.manifests(number).await?),
        false => None,
    };
    let masked = manifests.map(|all| all.iter().map(|manifest| difference::masked(&manifest.object)).collect());
    Ok(RevisionReport { revision, manifests: masked })
}

/// Why a revision failed; by default the newest that did.
///
/// # Errors
/// Usage, when none failed, or there is none of that number.
pub async fn evidence(ctx: &Ctx, target: &Target, number: Option<u64>) -> Result<EvidenceReport> {
    let cluster = ctx.cluster().await?;
    let (application, namespace) = located(ctx, &cluster, target).await?;
    let revisions = settled(ctx, &cluster, &application, &namespace).await?;
    let Some(number) = number.or_else(|| rules::newest_failed(&revisions)) else {
        return Err(match revisions.is_empty() {
            true => nothing(&cluster, &application, &namespace).await,
            false => Error::usage(format!("no revision of {application} failed"))
                .hint("`kubectl evolve history` lists the revisions; `evidence N` asks for one by its number"),
        });
    };
    let revision = History::of(&cluster, &application, &namespace).revision(number).await?;
    let outcome = outcome_of(&revisions, number, revision.summary.outcome);
    Ok(EvidenceReport { application, namespace, revision: number, outcome, evidence: revision.evidence })
}

/// The application's name, and the namespace of its records: the one that is named, else where there are records.
///
/// # Errors
/// Usage, when an application of this name is in several namespaces.
pub(in crate::ops) async fn located(ctx: &Ctx, cluster: &Cluster, target: &Target) -> Result<(String, String)> {
    let application = Application::find(ctx, target, None)?;
    if let Some(namespace) = application.namespace {
        return Ok((application.name, namespace));
    }
    let default = cluster.namespace().to_owned();
    let query = ListQuery {
        labels: Some(format!("{APPLICATION}={}", application.name)),
        metadata_only: true,
        ..ListQuery::default()
    };
    let mut namespaces = BTreeSet::new();
    let note = |record: Value| namespaces.extend(ObjectRef::of(&record).namespace);
    match cluster.list(&Resource::secrets(), None, &query, note).await {
        // Who may not look everywhere has to name the namespace.
        Err(error) if error.code() == 403 => return Ok((application.name, default)),
        listed => drop(listed?),
    }
    let mut found = namespaces.iter();
    match (found.next(), found.next()) {
        _ if namespaces.contains(&default) => Ok((application.name, default)),
        (Some(only), None) => Ok((application.name, only.clone())),
        (None, _) => Ok((application.name, default)),
        (Some(_), Some(_)) => {
            let names: Vec<String> = namespaces.into_iter().collect();
            Err(Error::usage(format!("{} is in several namespaces: {}", application.name, names.join(", ")))
                .hint("name one with -n"))
        }
    }
}

async fn settled(ctx: &Ctx, cluster: &Cluster, application: &str, namespace: &str) -> Result<Vec<RevisionSummary>> {
    let mut revisions = History::of(cluster, application, namespace).list().await?;
    if revisions.iter().any(|revision| revision.outcome == Outcome::Pending) {
        let (holder, _) = lock::state(ctx, application, namespace).await?;
        rules::settle(&mut revisions, holder.is_some_and(|holder| !holder.expired));
    }
    Ok(revisions)
}

fn outcome_of(revisions: &[RevisionSummary], number: u64, recorded: Outcome) -> Outcome {
    revisions.iter().find(|revision| revision.number == number).map_or(recorded, |revision| revision.outcome)
}

/// The error for an application of which there is nothing, with the names of those that there are.
pub(in crate::ops) async fn nothing(cluster: &Cluster, application: &str, namespace: &str) -> Error {
    let error = Error::usage(format!("there is nothing of {application} in namespace {namespace}"));
    let mut others = BTreeSet::new();
    let note = |record: Value| others.extend(record["metadata"]["labels"][APPLICATION].as_str().map(str::to_owned));
    let query = ListQuery { labels: Some(APPLICATION.into()), metadata_only: true, ..ListQuery::default() };
    // Only a hint: without it, the error is as true.
    let _ = cluster.list(&Resource::secrets(), Some(namespace), &query, note).await;
    if others.is_empty() {
        error.hint("`kubectl evolve deploy` makes the first revision; -n names another namespace")
    } else {
        let names: Vec<String> = others.into_iter().collect();
        error.hint(format!("--app names another application; the namespace has {}", names.join(", ")))
    }
}
