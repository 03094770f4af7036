//! The table of claims and volumes.

use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::{ConfigRequest, StorageReport, StorageRequest},
    ops::{
        config,
        storage::{measure::measure, read::read, samples::Samples},
    },
    rules::{
        selector::Selector,
        storage::{arrange, items},
    },
};

/// Every claim and volume of the scope, with how full it is. What could not be seen is in the notes.
///
/// # Errors
/// Usage, when a word means nothing here; failed, when the claims cannot be listed.
pub async fn run(ctx: &Ctx, request: &StorageRequest) -> Result<StorageReport> {
    if let Some(Err(wrong)) = request.selector.as_deref().map(Selector::parse) {
        return Err(Error::usage(wrong).hint("-l takes a label selector, as in app=db,tier!=cache"));
    }
    let cluster = ctx.cluster().await?;
    ctx.unless_cancelled("looking at the claims", look(ctx, &cluster, request)).await
}

async fn look(ctx: &Ctx, cluster: &Cluster, request: &StorageRequest) -> Result<StorageReport> {
    let namespaces = namespaces(ctx, cluster, request)?;
    ctx.phase("storage", "reading claims, volumes and pods");
    let mut notes = Vec::new();
    let scene = read(cluster, &namespaces, request.selector.as_deref(), &mut notes).await?;
    // With a selector, a volume whose claim is not there fits no labels.
    let mut found = items(&scene, &namespaces);
    if request.selector.is_some() {
        found.retain(|item| item.claim.is_some());
    }
    arrange(&mut found, &request.words, request.sort).map_err(|word| nothing(&word, &namespaces, &found))?;
    measure(ctx, cluster, &mut found, &scene.pods, &mut notes).await;
    let mut samples = Samples::open(ctx, cluster);
    found.iter_mut().for_each(|item| samples.forecast(item));
    notes.extend(samples.store(ctx.clock.now()));
    // The order may depend on what was measured.
    arrange(&mut found, &[], request.sort).map_err(Error::usage)?;
    Ok(StorageReport { namespaces, items: found, notes })
}

/// The namespaces that are meant; empty for all.
pub(super) fn namespaces(ctx: &Ctx, cluster: &Cluster, request: &StorageRequest) -> Result<Vec<String>> {
    if request.all_namespaces {
        return Ok(Vec::new());
    }
    if !request.namespaces.is_empty() {
        return Ok(request.namespaces.clone());
    }
    let target = &request.target;
    let wanted = ConfigRequest { file: target.config.clone(), profile: target.profile.clone() };
    let configured = || config::load(ctx, &wanted).map(|config| config.and_then(|config| config.settings.namespace));
    let named = match &target.namespace {
        Some(namespace) => Some(namespace.clone()),
        None => configured()?,
    };
    Ok(vec![named.unwrap_or_else(|| cluster.namespace().to_owned())])
}

fn nothing(word: &str, namespaces: &[String], found: &[crate::model::StorageItem]) -> Error {
    let place = match namespaces {
        [] => "the cluster".to_owned(),
        names => names.join(", "),
    };
    let mut names: Vec<&String> =
        found.iter().filter_map(|item| item.claim.as_ref().or(item.volume.as_ref())).collect();
    let likeness = |name: &&String| (strsim::jaro_winkler(name, word) * -1000.0) as i64;
    names.sort_by_key(likeness);
    let error = Error::usage(format!("no claim, volume, pod or workload with storage in {place} is meant by {word}"));
    match names.as_slice() {
        [] => error.hint("there are no claims; -n names another namespace, -A looks in all"),
        names => {
            let near: Vec<&str> = names.iter().take(5).map(|name| name.as_str()).collect();
            error.hint(format!("there are {}", near.join(", ")))
        }
    }
}
