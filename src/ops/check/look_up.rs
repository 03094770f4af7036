//! Asks the cluster for what the manifests refer to and do not hold: few requests, and none that fails the check.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::{Error, ErrorKind, Result},
    model::ObjectRef,
    rules::manifests::{Facts, Known, Reference},
};

/// How many names a remark gives.
const SHOWN: usize = 3;

/// Objects of one kind in one namespace, each with whether the keys of its data matter.
type Group<'a> = BTreeMap<&'a ObjectRef, bool>;

/// Adds to the facts what the cluster knows. Returns what it would not tell, in words.
///
/// # Errors
/// Unreachable, when it does not answer at all.
pub(super) async fn look_up(
    cluster: &Cluster,
    with_version: bool,
    wanted: &[&Reference<'_>],
    facts: &mut Facts,
) -> Result<Vec<String>> {
    if with_version {
        facts.minor = minor(&cluster.version().await?);
    }
    let mut skipped = Vec::new();
    let mut groups: BTreeMap<(&str, &str, Option<&str>), Group<'_>> = BTreeMap::new();
    for reference in wanted {
        let target = &reference.target;
        let group = groups.entry((&target.api_version, &target.kind, target.namespace.as_deref())).or_default();
        *group.entry(target).or_default() |= reference.key.is_some();
    }
    for (group, answer) in join_all(groups.values().map(async |group| (group, ask(cluster, group).await))).await {
        match answer {
            Ok(known) => facts.objects.extend(known),
            Err(error) if error.kind() == ErrorKind::Unreachable => return Err(error),
            Err(error) => {
                skipped.push(format!("{} could not be looked up: {}", names(group.keys().copied()), error.message()));
                facts.objects.extend(group.keys().map(|target| ((*target).clone(), Known::Unknown)));
            }
        }
    }
    Ok(skipped)
}

/// Says what was left open because there is no cluster to ask.
pub(super) fn not_asked(wanted: &[&Reference<'_>]) -> String {
    let targets: BTreeSet<&ObjectRef> = wanted.iter().map(|reference| &reference.target).collect();
    format!("no cluster was asked whether it has {}", names(targets.into_iter()))
}

/// What is known of a group. Where keys matter the object is read; several others are listed together.
async fn ask(cluster: &Cluster, group: &Group<'_>) -> Result<Vec<(ObjectRef, Known)>> {
    let Some(first) = group.keys().next() else { return Ok(Vec::new()) };
    let Some(resource) = cluster.resource(&first.api_version, &first.kind).await? else {
        return Err(Error::failed(format!("the cluster has no kind {} in {}", first.kind, first.api_version)));
    };
    let by_name = group.iter().filter(|(_, keys)| !**keys).count();
    let listed = if by_name > 1 { Some(list(cluster, &resource, first.namespace.as_deref()).await?) } else { None };
    let known = group.iter().map(async |(target, keys)| match &listed {
        Some(names) if !names.contains(&target.name) => Ok(Known::Absent),
        Some(_) if !keys => Ok(Known::Present { keys: None }),
        _ => read(cluster, &resource, target).await,
    });
    group.keys().zip(join_all(known).await).map(|(target, known)| Ok(((*target).clone(), known?))).collect()
}

async fn list(cluster: &Cluster, resource: &Resource, namespace: Option<&str>) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let query = ListQuery { metadata_only: true, ..ListQuery::default() };
    let each = |object| {
        names.insert(ObjectRef::of(&object).name);
    };
    cluster.list(resource, namespace, &query, each).await?;
    Ok(names)
}

/// One object's keys; its values are dropped here.
async fn read(cluster: &Cluster, resource: &Resource, target: &ObjectRef) -> Result<Known> {
    let object = cluster.get(resource, target.namespace.as_deref(), &target.name).await?;
    Ok(object.map_or(Known::Absent, |object| {
        let maps = ["data", "binaryData"].into_iter().filter_map(|field| object[field].as_object());
        Known::Present { keys: Some(maps.flat_map(|map| map.keys().cloned()).collect()) }
    }))
}

/// The first few names, and how many more there are.
fn names<'t>(targets: impl ExactSizeIterator<Item = &'t ObjectRef>) -> String {
    let more = targets.len().saturating_sub(SHOWN);
    let shown: Vec<String> = targets.take(SHOWN).map(ToString::to_string).collect();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    shown.join(", ") + &more
}

/// The minor version in `v1.34.4` or `v1.34+`.
fn minor(version: &str) -> Option<u32> {
    let minor = version.trim_start_matches('v').split('.').nth(1)?;
    minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_names_are_read() {
        assert_eq!((minor("v1.34.4"), minor("v1.27+"), minor("unknown")), (Some(34), Some(27), None));
        let targets: Vec<ObjectRef> = ["a", "b", "c", "d", "e"]
            .map(|name| ObjectRef { kind: "Secret".into(), name: name.into(), ..ObjectRef::default() })
            .into();
        assert_eq!(names(targets.iter()), "secret/a, secret/b, secret/c and 2 more");
        assert_eq!(names(targets.iter().take(2)), "secret/a, secret/b");
    }
}
