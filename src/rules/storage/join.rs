//! Puts claims, volumes, pods, workloads and events together.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use super::{
    claim::claim_item,
    mounts::{ClaimUser, PodUse},
    volume::volume_item,
};
use crate::{
    model::{StorageItem, StorageSort, StorageState},
    rules::fields::text,
};

/// What was read of the cluster.
#[derive(Debug, Default)]
pub struct Scene {
    pub claims: Vec<Value>,
    pub volumes: Vec<Value>,
    pub pods: Vec<PodUse>,
    pub users: Vec<ClaimUser>,
    /// Of claims.
    pub events: Vec<Value>,
    /// Whether the pods could be listed.
    pub pods_seen: bool,
    /// Whether the workloads could be listed.
    pub users_seen: bool,
}

/// Every claim, and every volume whose claim is not there. Where namespaces are named, volumes of others and
/// those that never had a claim are left out.
pub fn items(scene: &Scene, namespaces: &[String]) -> Vec<StorageItem> {
    let mut pods: BTreeMap<(&str, &str), Vec<&PodUse>> = BTreeMap::new();
    for pod in &scene.pods {
        for mount in &pod.mounts {
            pods.entry((&pod.namespace, &mount.claim)).or_default().push(pod);
        }
    }
    let mut users: BTreeMap<&str, Vec<&ClaimUser>> = BTreeMap::new();
    for user in &scene.users {
        users.entry(&user.namespace).or_default().push(user);
    }
    let mut events: BTreeMap<(&str, &str), Vec<&Value>> = BTreeMap::new();
    for event in &scene.events {
        let claim = (text(event, "/involvedObject/namespace"), text(event, "/involvedObject/name"));
        events.entry(claim).or_default().push(event);
    }
    let none = Vec::new();
    let claim = |claim: &Value| {
        let key = (text(claim, "/metadata/namespace"), text(claim, "/metadata/name"));
        let (pods, events) = (pods.get(&key).unwrap_or(&none), events.get(&key));
        let users = users.get(key.0).map(Vec::as_slice).unwrap_or_default();
        claim_item(claim, pods, users, events.map(Vec::as_slice).unwrap_or_default())
    };
    let mut items: Vec<StorageItem> = scene.claims.iter().map(claim).collect();
    items.iter_mut().for_each(|item| admit_gaps(scene, item));
    items.extend(unclaimed(scene, namespaces).map(volume_item));
    items
}

/// What could not be seen must not be taken for absent.
fn admit_gaps(scene: &Scene, item: &mut StorageItem) {
    let said = match item.state {
        StorageState::Orphaned | StorageState::Unmounted if !scene.pods_seen => {
            (StorageState::Bound, "whether a pod mounts it could not be seen")
        }
        StorageState::Orphaned if !scene.users_seen => {
            (StorageState::Unmounted, "no pod names it; whether a workload does could not be seen")
        }
        _ => return,
    };
    (item.state, item.reason) = (said.0, Some(said.1.to_owned()));
}

/// The volumes of the scope whose claim is not there. A claim of the same name that is bound to another volume is
/// another claim.
fn unclaimed<'s>(scene: &'s Scene, namespaces: &'s [String]) -> impl Iterator<Item = &'s Value> {
    let claimed: BTreeSet<&str> = scene.claims.iter().map(|claim| text(claim, "/spec/volumeName")).collect();
    let waiting: BTreeSet<(&str, &str)> = scene
        .claims
        .iter()
        .filter(|claim| text(claim, "/spec/volumeName").is_empty())
        .map(|claim| (text(claim, "/metadata/namespace"), text(claim, "/metadata/name")))
        .collect();
    scene.volumes.iter().filter(move |volume| {
        let of = |key: &str| text(volume, &format!("/spec/claimRef/{key}"));
        let in_scope = namespaces.is_empty() || namespaces.iter().any(|namespace| namespace == of("namespace"));
        in_scope
            && !claimed.contains(text(volume, "/metadata/name"))
            && !waiting.contains(&(of("namespace"), of("name")))
    })
}

/// Keeps what the words mean, and puts it in order.
///
/// # Errors
/// The word that means nothing, or cannot be read.
pub fn arrange(items: &mut Vec<StorageItem>, words: &[String], sort: StorageSort) -> Result<(), String> {
    if !words.is_empty() {
        let words: Vec<Word> = words.iter().map(|word| Word::read(word)).collect::<Result<_, _>>()?;
        if let Some(nothing) = words.iter().find(|word| !items.iter().any(|item| word.means(item))) {
            return Err(nothing.text.clone());
        }
        items.retain(|item| words.iter().any(|word| word.means(item)));
    }
    items.sort_by(|a, b| (&a.namespace, &a.claim, &a.volume).cmp(&(&b.namespace, &b.claim, &b.volume)));
    let usage = |item: &StorageItem, of: fn(&crate::model::VolumeUsage) -> u64| item.usage.as_ref().map(of);
    match sort {
        StorageSort::Name => {}
        StorageSort::Used => items.sort_by_key(|item| std::cmp::Reverse(usage(item, |usage| usage.used))),
        StorageSort::Percent => items.sort_by_key(|item| std::cmp::Reverse(usage(item, |usage| usage.percent()))),
        StorageSort::Free => items.sort_by_key(|item| usage(item, |usage| usage.free).unwrap_or(u64::MAX)),
        StorageSort::Capacity => items.sort_by_key(|item| std::cmp::Reverse(item.capacity)),
        StorageSort::Full => {
            items.sort_by_key(|item| item.forecast.as_ref().map_or(u64::MAX, |forecast| forecast.full_in));
        }
    }
    Ok(())
}

/// One word of a command line.
struct Word {
    text: String,
    pattern: Option<Regex>,
}

impl Word {
    fn read(word: &str) -> Result<Self, String> {
        let inside = word.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let pattern = inside.map(Regex::new).transpose().map_err(|cause| format!("{word}: {cause}"))?;
        Ok(Self { text: word.to_owned(), pattern })
    }

    fn means(&self, item: &StorageItem) -> bool {
        let names = item.claim.iter().chain(&item.volume);
        if let Some(pattern) = &self.pattern {
            return names.chain(&item.pods).chain(&item.workloads).any(|name| pattern.is_match(name));
        }
        let is = |found: &Option<String>, name: &str| found.as_deref() == Some(name);
        let workload = |kind: &str, name: &str| {
            item.workloads.iter().any(|workload| {
                workload.split_once('/').is_some_and(|(its, named)| named == name && (kind.is_empty() || its == kind))
            })
        };
        match self.text.split_once('/') {
            None => {
                let name = self.text.as_str();
                is(&item.claim, name) || is(&item.volume, name) || workload("", name)
            }
            Some(("pvc" | "persistentvolumeclaim" | "persistentvolumeclaims" | "claim", name)) => is(&item.claim, name),
            Some(("pv" | "persistentvolume" | "persistentvolumes" | "volume", name)) => is(&item.volume, name),
            Some(("po" | "pod" | "pods", name)) => item.pods.iter().any(|pod| pod == name),
            Some((kind, name)) => {
                let kind = match kind {
                    "sts" => "statefulset",
                    "deploy" => "deployment",
                    "ds" => "daemonset",
                    kind => kind.strip_suffix('s').unwrap_or(kind),
                };
                workload(kind, name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn scene() -> Scene {
        let claim = |name: &str, volume: &str| {
            yaml(&format!(
                "{{metadata: {{name: {name}, namespace: shop}}, spec: {{volumeName: '{volume}'}}, status: {{phase: Bound}}}}"
            ))
        };
        let volume = |name: &str, namespace: &str, claim: &str, phase: &str| {
            yaml(&format!(
                "{{metadata: {{name: {name}}}, spec: {{claimRef: {{namespace: '{namespace}', name: '{claim}'}}}}, status: {{phase: {phase}}}}}"
            ))
        };
        Scene {
            claims: vec![claim("data", "pv-1"), claim("again", "pv-3")],
            volumes: vec![
                volume("pv-1", "shop", "data", "Bound"),
                volume("pv-2", "shop", "again", "Released"),
                volume("pv-3", "shop", "again", "Bound"),
                volume("pv-4", "other", "theirs", "Released"),
                volume("pv-5", "", "", "Available"),
            ],
            pods_seen: true,
            users_seen: true,
            ..Scene::default()
        }
    }

    #[test]
    fn a_volume_without_its_claim_is_listed_in_its_scope() {
        let names = |namespaces: &[String]| {
            let mut items = items(&scene(), namespaces);
            arrange(&mut items, &[], StorageSort::Name).unwrap();
            items.into_iter().map(|item| item.claim.or(item.volume).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["shop".into()]), ["pv-2", "again", "data"]);
        assert_eq!(names(&[]), ["pv-5", "pv-4", "pv-2", "again", "data"]);
        let released = items(&scene(), &["shop".into()]).pop().unwrap();
        assert_eq!((released.volume.as_deref(), released.state), (Some("pv-2"), StorageState::Released));
    }

    #[test]
    fn what_could_not_be_seen_is_not_taken_for_absent() {
        let state = |scene: Scene| items(&scene, &["shop".into()])[0].state;
        assert_eq!(state(scene()), StorageState::Orphaned);
        assert_eq!(state(Scene { users_seen: false, ..scene() }), StorageState::Unmounted);
        assert_eq!(state(Scene { pods_seen: false, ..scene() }), StorageState::Bound);
    }

    #[test]
    fn words_mean_claims_volumes_pods_and_workloads() {
        let item = StorageItem {
            claim: Some("data-db-0".into()),
            volume: Some("pv-1".into()),
            pods: vec!["db-0".into()],
            workloads: vec!["statefulset/db".into()],
            ..StorageItem::default()
        };
        let other = StorageItem { claim: Some("files".into()), ..StorageItem::default() };
        let means = |word: &str| {
            let mut items = vec![item.clone(), other.clone()];
            arrange(&mut items, &[word.into()], StorageSort::Name).map(|()| items.len())
        };
        for word in ["data-db-0", "pvc/data-db-0", "pv/pv-1", "db", "sts/db", "statefulset/db", "pod/db-0", "/^data-/"]
        {
            assert_eq!(means(word), Ok(1), "{word}");
        }
        assert_eq!(means("deployment/db"), Err("deployment/db".into()));
        assert!(means("/(/").is_err_and(|message| message.contains("unclosed")));
    }

    #[test]
    fn the_fullest_comes_first_where_that_is_asked_for() {
        let item = |name: &str, used: u64| StorageItem {
            claim: Some(name.into()),
            usage: Some(crate::model::VolumeUsage { used, free: 100 - used, ..Default::default() }),
            ..StorageItem::default()
        };
        let mut items = vec![item("a", 10), item("b", 90), StorageItem::default()];
        for sort in [StorageSort::Used, StorageSort::Percent, StorageSort::Free] {
            arrange(&mut items, &[], sort).unwrap();
            assert_eq!(items[0].claim.as_deref(), Some("b"), "{sort:?}");
        }
    }
}
