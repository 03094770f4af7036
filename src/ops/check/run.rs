//! Judges manifests, asking the cluster for what they leave open.

use super::look_up::{look_up, not_asked};
use crate::{
    cluster::Cluster,
    config::Config,
    context::Ctx,
    error::{Error, ErrorKind, Result},
    model::{CheckReport, CheckRequest, DeployRequest, FieldPath, Finding, ObjectRef, Severity},
    ops::deploy::{Loaded, load, namespace_of},
    rules::manifests::{Context, Facts, Found, Known, Set, judge, outside_references},
    source::Sources,
};

/// Where objects without a namespace go when neither a flag, nor a file, nor a context names one.
const DEFAULT_NAMESPACE: &str = "default";
/// How many warnings a deploy tells in full.
const WARNINGS: usize = 5;
/// Rules that depend on the version of the cluster.
const VERSIONED: [&str; 5] = ["unknown-kind", "removed-api", "deprecated-api", "unknown-field", "wrong-value"];

/// Checks the manifests that the request names. A cluster is asked only for what the manifests leave open, and only
/// when one is configured; one that does not answer is a remark in the report.
///
/// # Errors
/// Usage, for manifests and configuration that cannot be read.
pub async fn run(ctx: &Ctx, request: CheckRequest) -> Result<CheckReport> {
    let CheckRequest { target, files, kustomize, selector, offline } = request;
    let request = DeployRequest { target, files, kustomize, selector, ..DeployRequest::default() };
    ctx.unless_cancelled("checking the manifests", async {
        let loaded = load(ctx, &request).await?;
        if offline {
            return check(None, &loaded).await;
        }
        let answer = async { check(Some(&*ctx.cluster().await?), &loaded).await };
        let without = match answer.await {
            Err(error) if error.kind() == ErrorKind::Unreachable || ctx.cluster().await.is_err() => error,
            answer => return answer,
        };
        let mut report = check(None, &loaded).await?;
        // It only matters where the cluster would have been asked.
        if let Some(skipped) = report.skipped.first_mut() {
            *skipped += &format!(" ({})", without.message());
        }
        Ok(report)
    })
    .await
}

/// Checks manifests that were read already; without a cluster, by themselves.
///
/// # Errors
/// Unreachable, when the cluster does not answer.
pub(crate) async fn check(cluster: Option<&Cluster>, loaded: &Loaded) -> Result<CheckReport> {
    let config = loaded.application.config.as_ref();
    let manifests = &loaded.sources.manifests;
    let namespace = namespace_of(loaded, cluster).unwrap_or_else(|| DEFAULT_NAMESPACE.into());
    let set = Set::new(manifests, &namespace);
    let levels = config.map(|config| &config.settings.checks);
    let no_levels = Default::default();
    let judged = |facts: &Facts| judge(Context { set: &set, facts }, levels.unwrap_or(&no_levels));

    let mut facts = given_facts(loaded, config, &namespace);
    let mut skipped = Vec::new();
    let mut found = judged(&facts);
    let wanted: Vec<_> =
        outside_references(&set).filter(|wanted| !facts.objects.contains_key(&wanted.target)).collect();
    let versioned = found.iter().any(|found| VERSIONED.contains(&found.code));
    match cluster {
        Some(cluster) if versioned || !wanted.is_empty() => {
            skipped = look_up(cluster, versioned, &wanted, &mut facts).await?;
            found = judged(&facts);
        }
        None if !wanted.is_empty() => skipped.push(not_asked(&wanted)),
        _ => {}
    }
    let findings = placed(&loaded.sources, found);
    Ok(CheckReport { objects: manifests.len(), findings, skipped })
}

/// An error for a report with errors, to stop a deploy with.
///
/// # Errors
/// Usage, with the first error's place and words, and the number of the others.
pub(crate) fn refuse(report: &CheckReport) -> Result<()> {
    let mut errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let Some(first) = errors.next() else { return Ok(()) };
    let more = match errors.count() {
        0 => String::new(),
        1 => ", and 1 more error".into(),
        more => format!(", and {more} more errors"),
    };
    let error = Error::usage(format!("{} [{}]{more}", first.in_words(), first.code)).at(first.place.clone());
    Err(first.hint.iter().fold(error, Error::hint).hint("`kubectl evolve check` lists everything; nothing was changed"))
}

/// Tells a deploy's user the warnings, the first few in full.
pub(crate) fn warn(ctx: &Ctx, report: &CheckReport) {
    let warnings = || report.findings.iter().filter(|finding| finding.severity == Severity::Warning);
    for finding in warnings().take(WARNINGS) {
        ctx.warn(format!("{}: {} [{}]", finding.place, finding.in_words(), finding.code));
    }
    let more = warnings().count().saturating_sub(WARNINGS);
    if more > 0 {
        ctx.warn(format!("{more} more in the manifests: `kubectl evolve check` lists them"));
    }
}

/// What is known without a cluster: the Secrets that the configuration makes, and values that come from variables.
fn given_facts(loaded: &Loaded, config: Option<&Config>, namespace: &str) -> Facts {
    let mut facts = Facts::default();
    for secret in config.iter().flat_map(|config| &config.settings.secrets) {
        let namespace = secret.namespace.as_deref().unwrap_or(namespace).to_owned();
        let name = secret.name.clone();
        let target = ObjectRef { api_version: "v1".into(), kind: "Secret".into(), namespace: Some(namespace), name };
        facts.objects.insert(target, Known::Present { keys: Some(secret.keys.keys().cloned().collect()) });
    }
    if config.is_some_and(|config| config.settings.substitute.is_some()) {
        for (index, manifest) in loaded.sources.manifests.iter().enumerate() {
            for field in ["data", "stringData"].into_iter().filter(|_| manifest.reference.kind == "Secret") {
                let entries = manifest.object[field].as_object().into_iter().flatten();
                let paths = entries.map(|(key, _)| FieldPath::default().key(field).key(key));
                facts
                    .filled_in
                    .extend(paths.filter(|path| loaded.sources.is_filled_in(index, path)).map(|path| (index, path)));
            }
        }
    }
    facts
}

/// The findings with their places, in the order in which the manifests were read.
fn placed(sources: &Sources, found: Vec<Found>) -> Vec<Finding> {
    let mut placed: Vec<(usize, Finding)> = found
        .into_iter()
        .map(|found| {
            let finding = Finding {
                code: found.code.into(),
                severity: found.severity,
                object: sources.manifests.get(found.manifest).map(|manifest| manifest.reference.clone()),
                field: found.path.to_string(),
                place: sources.place(found.manifest, &found.path),
                message: found.message,
                hint: found.hint.map(|hint| hint.replace(char::is_control, "\u{fffd}")),
            };
            (found.manifest, finding)
        })
        .collect();
    placed.sort_by_key(|(manifest, finding)| (*manifest, finding.place.line, finding.place.column));
    placed.into_iter().map(|(_, finding)| finding).collect()
}
