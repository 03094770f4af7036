//! Growing claims: what stands in the way, and the StatefulSet that takes the place of one whose template is too small.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::claim::resizing;
use crate::rules::{
    fields::{is_true, list, text},
    quantity::Quantity,
};

const REQUEST: &str = "/spec/resources/requests/storage";

/// The size that is wanted: an amount, or with a plus that much more than `now`.
///
/// # Errors
/// What is wrong with the text.
pub fn wanted_size(words: &str, now: &Quantity) -> Result<Quantity, String> {
    let read = |text: &str| Quantity::parse(text).filter(|amount| !amount.is_negative() && !amount.is_zero());
    let size = match words.strip_prefix('+') {
        Some(more) => read(more).map(|more| now.plus(&more)),
        None => read(words),
    };
    size.ok_or_else(|| format!("{words:?} is no size: write 2Gi, or +1Gi for that much more"))
}

/// What a claim asks for.
pub fn requested(claim: &Value) -> Quantity {
    Quantity::parse(text(claim, REQUEST)).unwrap_or_else(|| Quantity::of(0))
}

/// What stands in the way of these claims growing to the size: their phase, their class, the namespace's quotas.
pub fn refusals(claims: &[&Value], classes: &[Value], quotas: &[Value], size: &Quantity) -> Vec<String> {
    let mut refusals = Vec::new();
    let mut growth: BTreeMap<String, i128> = BTreeMap::new();
    for claim in claims.iter().filter(|claim| requested(claim) < *size) {
        let (name, class) = (text(claim, "/metadata/name"), text(claim, "/spec/storageClassName"));
        if text(claim, "/status/phase") != "Bound" {
            refusals.push(format!("claim/{name} is not bound, and only a bound claim can grow"));
        }
        match classes.iter().find(|known| text(known, "/metadata/name") == class) {
            Some(known) if is_true(known, "/allowVolumeExpansion") => {}
            Some(_) => refusals.push(format!(
                "claim/{name}: its class {class} does not let volumes grow (allowVolumeExpansion is not true)"
            )),
            None => refusals.push(format!("claim/{name}: its class {class:?} is not there")),
        }
        *growth.entry(class.to_owned()).or_default() += size.nano() - requested(claim).nano();
    }
    refusals.extend(quotas.iter().flat_map(|quota| exceeded(quota, &growth)));
    refusals
}

/// The limits of a quota that the growth of each class would exceed.
fn exceeded(quota: &Value, growth: &BTreeMap<String, i128>) -> Vec<String> {
    let name = text(quota, "/metadata/name");
    let amount = |part: &str, key: &str| {
        let fields = quota.pointer(part).and_then(|fields| fields.get(key));
        fields.and_then(Value::as_str).and_then(Quantity::parse)
    };
    let all: i128 = growth.values().sum();
    let classes =
        growth.iter().map(|(class, more)| (format!("{class}.storageclass.storage.k8s.io/requests.storage"), *more));
    let limits = std::iter::once(("requests.storage".to_owned(), all)).chain(classes);
    limits
        .filter_map(|(key, more)| {
            let hard = amount("/status/hard", &key).or_else(|| amount("/spec/hard", &key))?;
            let used = amount("/status/used", &key).unwrap_or_else(|| Quantity::of(0));
            let over = more > 0 && used.nano() + more > hard.nano();
            over.then(|| format!("the quota {name} allows {hard} of {key}, and {used} are used already"))
        })
        .collect()
}

/// The claim template that is meant: the only one, or the one of this name.
///
/// # Errors
/// What there is instead.
pub fn template<'s>(set: &'s Value, name: Option<&str>) -> Result<&'s Value, String> {
    let templates = list(set, "/spec/volumeClaimTemplates");
    let names: Vec<&str> = templates.iter().map(|template| text(template, "/metadata/name")).collect();
    let found = match (name, templates) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(name), templates) => templates.iter().find(|template| text(template, "/metadata/name") == name),
    };
    let set = text(set, "/metadata/name");
    found.ok_or_else(|| match (names.as_slice(), name) {
        ([], _) => format!("statefulset/{set} makes no claims"),
        (names, Some(name)) => format!("statefulset/{set} has no claim template {name}: it has {}", names.join(", ")),
        (names, None) => format!("statefulset/{set} has several claim templates: {}", names.join(", ")),
    })
}

/// The StatefulSet as it is to be created again: the same, with the template asking for the size, and without what the
/// server fills in.
pub fn with_template_size(set: &Value, template: &str, size: &Quantity) -> Value {
    let mut new = json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": text(set, "/metadata/name"), "namespace": text(set, "/metadata/namespace")},
        "spec": set["spec"],
    });
    for key in ["labels", "annotations", "ownerReferences"] {
        if let Some(kept) = set["metadata"].get(key) {
            new["metadata"][key] = kept.clone();
        }
    }
    // Finalizers of the deletion itself are not the object's own.
    let is_own = |finalizer: &&Value| !matches!(finalizer.as_str(), Some("orphan" | "foregroundDeletion"));
    let finalizers: Vec<Value> = list(set, "/metadata/finalizers").iter().filter(is_own).cloned().collect();
    if !finalizers.is_empty() {
        new["metadata"]["finalizers"] = finalizers.into();
    }
    let templates = new.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut);
    for claim in templates.into_iter().flatten() {
        if text(claim, "/metadata/name") == template {
            claim["spec"]["resources"]["requests"]["storage"] = size.to_string().into();
            claim.as_object_mut().map(|claim| claim.shift_remove("status"));
        }
    }
    new
}

/// Who owned which fields before, to be given back to them: the recorded entries, but those of subresources as they are
/// now.
pub fn owners(recorded: &Value, live: &Value) -> Value {
    let is_part = |entry: &&Value| entry.get("subresource").is_some_and(|name| name != "");
    let before = list(recorded, "/metadata/managedFields").iter().filter(|entry| !is_part(entry));
    let now = list(live, "/metadata/managedFields").iter().filter(is_part);
    before.chain(now).cloned().collect()
}

/// What a claim still waits for on its way to the size; None when it is there.
pub fn waits_for(claim: &Value, size: &Quantity) -> Option<Waiting> {
    let capacity = Quantity::parse(text(claim, "/status/capacity/storage"));
    if capacity.is_some_and(|capacity| capacity >= *size) {
        return None;
    }
    let words = resizing(claim).unwrap_or_else(|| "its class has not begun".into());
    let refused = words.ends_with("which the storage refuses");
    let needs_pod = words.ends_with("when a pod mounts it");
    Some(Waiting { words, refused, needs_pod })
}

/// What a claim waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub words: String,
    /// It will not come.
    pub refused: bool,
    /// It comes when a pod mounts the claim.
    pub needs_pod: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn amount(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn a_size_is_absolute_or_more() {
        let now = amount("1Gi");
        assert_eq!(wanted_size("2Gi", &now).unwrap().to_string(), "2Gi");
        assert_eq!(wanted_size("+512Mi", &now).unwrap().to_string(), "1536Mi");
        for wrong in ["", "+", "2GB", "-1Gi", "0", "+0", "big"] {
            assert!(wanted_size(wrong, &now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn class_phase_and_quota_stand_in_the_way() {
        let claim = |class: &str, phase: &str| {
            yaml(&format!(
                "{{metadata: {{name: data}}, spec: {{storageClassName: {class}, resources: {{requests: {{storage: 1Gi}}}}}}, status: {{phase: {phase}}}}}"
            ))
        };
        let classes =
            [yaml("{metadata: {name: grows}, allowVolumeExpansion: true}"), yaml("{metadata: {name: fixed}}")];
        let quota =
            [yaml("{metadata: {name: q}, status: {hard: {requests.storage: 2Gi}, used: {requests.storage: 1Gi}}}")];
        let judge = |claim: &Value, size: &str| refusals(&[claim], &classes, &quota, &amount(size));
        assert_eq!(judge(&claim("grows", "Bound"), "2Gi"), Vec::<String>::new());
        assert!(judge(&claim("fixed", "Bound"), "2Gi")[0].contains("does not let volumes grow"));
        assert!(judge(&claim("none", "Bound"), "2Gi")[0].contains("is not there"));
        assert!(judge(&claim("grows", "Pending"), "2Gi")[0].contains("is not bound"));
        assert_eq!(
            judge(&claim("grows", "Bound"), "3Gi"),
            ["the quota q allows 2Gi of requests.storage, and 1Gi are used already"]
        );
        assert_eq!(judge(&claim("fixed", "Bound"), "1Gi"), Vec::<String>::new());
    }

    #[test]
    fn a_set_is_made_again_with_the_size_and_nothing_of_the_server() {
        let set = yaml(
            "{metadata: {name: db, namespace: shop, uid: u, resourceVersion: '7', labels: {app: db}, finalizers: [orphan, mine],
               managedFields: [{manager: a}, {manager: b, subresource: status}], deletionTimestamp: now},
              spec: {replicas: 2, volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}, status: {phase: Pending}},
                {metadata: {name: log}, spec: {resources: {requests: {storage: 1Gi}}}}]}, status: {replicas: 2}}",
        );
        let new = with_template_size(&set, "data", &amount("2Gi"));
        assert_eq!(
            new["metadata"],
            json!({"name": "db", "namespace": "shop", "labels": {"app": "db"}, "finalizers": ["mine"]})
        );
        let sizes: Vec<&str> =
            list(&new, "/spec/volumeClaimTemplates").iter().map(|claim| text(claim, REQUEST)).collect();
        assert_eq!((sizes, new.get("status")), (vec!["2Gi", "1Gi"], None));
        let live =
            json!({"metadata": {"managedFields": [{"manager": "us"}, {"manager": "c", "subresource": "status"}]}});
        assert_eq!(owners(&set, &live), json!([{"manager": "a"}, {"manager": "c", "subresource": "status"}]));
    }

    #[test]
    fn the_template_must_be_clear() {
        let set = yaml(
            "{metadata: {name: db}, spec: {volumeClaimTemplates: [{metadata: {name: data}}, {metadata: {name: log}}]}}",
        );
        assert_eq!(text(template(&set, Some("log")).unwrap(), "/metadata/name"), "log");
        assert!(template(&set, None).unwrap_err().ends_with("several claim templates: data, log"));
        assert!(template(&set, Some("x")).unwrap_err().ends_with("no claim template x: it has data, log"));
        assert!(template(&yaml("{metadata: {name: db}}"), None).unwrap_err().ends_with("makes no claims"));
    }

    #[test]
    fn a_claim_has_grown_when_its_capacity_has() {
        let claim = |capacity: &str| {
            yaml(&format!(
                "{{spec: {{resources: {{requests: {{storage: 2Gi}}}}}}, status: {{capacity: {{storage: {capacity}}}}}}}"
            ))
        };
        assert_eq!(waits_for(&claim("2Gi"), &amount("2Gi")), None);
        assert_eq!(waits_for(&claim("1Gi"), &amount("2Gi")).unwrap().words, "from 1Gi to 2Gi");
    }
}
