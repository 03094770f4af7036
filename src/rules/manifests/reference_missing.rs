//! References to objects, or keys of their data, that are nowhere.

use serde_json::Value;

use super::{
    facts::Known,
    references::Reference,
    rule::{Check, Context, Findings, Rule},
    set::Set,
};
use crate::{
    config::nearest,
    model::{Manifest, ObjectRef, Severity},
    schema::builtin,
};

pub(super) static RULE: Rule = Rule {
    code: "reference-missing",
    severity: Severity::Error,
    summary: "An object or a key that is referred to is neither in the manifests nor in the cluster",
    help: "Pods wait for ever for a ConfigMap, Secret, claim or ServiceAccount that is not there. Add it, correct the name, or mark the reference as optional. Without a cluster to ask, an object outside of the manifests is a warning.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for reference in &context.set.references {
        if reference.optional {
            continue;
        }
        match in_set(context.set, &reference.target) {
            Some(target) => key_in_set(reference, target, findings),
            None if is_always_there(&reference.target) || is_made_here(context.set, &reference.target) => {}
            None => outside(context, reference, findings),
        }
    }
}

/// The objects outside of the set that a cluster should be asked for.
pub fn outside_references<'s, 'a>(set: &'s Set<'a>) -> impl Iterator<Item = &'s Reference<'a>> {
    set.references.iter().filter(|reference| {
        let target = &reference.target;
        !reference.optional && in_set(set, target).is_none() && !is_always_there(target) && !is_made_here(set, target)
    })
}

fn in_set<'a>(set: &Set<'a>, target: &ObjectRef) -> Option<&'a Manifest> {
    let (group, kind, namespace, name) = target.identity();
    set.find(group, kind, namespace, name).map(|(_, manifest)| manifest)
}

fn key_in_set(reference: &Reference<'_>, target: &Manifest, findings: &mut Findings) {
    let Some(key) = reference.key else { return };
    let fields = ["data", "stringData", "binaryData"].map(|field| &target.object[field]);
    let keys: Vec<&str> =
        fields.iter().filter_map(|field| field.as_object()).flat_map(|all| all.keys()).map(String::as_str).collect();
    let filled_later = keys.is_empty() || target.object["type"] == "kubernetes.io/service-account-token";
    if !keys.contains(&key) {
        let found = missing_key(reference, key, &keys, findings);
        if filled_later {
            found.severity(Severity::Info).hint("something has to fill it in the cluster");
        }
    }
}

fn missing_key<'f>(
    reference: &Reference<'_>,
    key: &str,
    keys: &[&str],
    findings: &'f mut Findings,
) -> &'f mut super::rule::Found {
    let target = &reference.target;
    let message = format!("{} {:?} has no key {key:?}", target.kind, target.name);
    let found = findings.add(reference.manifest, reference.path.clone(), message);
    found.hint = match nearest(key, keys.iter().copied()) {
        Some(near) => Some(format!("did you mean {near}?")),
        None if keys.is_empty() => None,
        None => Some(format!("its keys are {}", keys.join(", "))),
    };
    found
}

fn outside(context: &Context<'_>, reference: &Reference<'_>, findings: &mut Findings) {
    let target = &reference.target;
    let known = context.facts.objects.get(target);
    match known {
        Some(Known::Present { keys: Some(keys) }) => {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            if let Some(key) = reference.key.filter(|key| !keys.contains(key)) {
                missing_key(reference, key, &keys, findings);
            }
            return;
        }
        Some(Known::Present { keys: None } | Known::Unknown) => return,
        None if !is_the_applications_own(target) => return,
        Some(Known::Absent) | None => {}
    }
    let place = match &target.namespace {
        Some(namespace) => format!(" of namespace {namespace}"),
        None => String::new(),
    };
    let message = match known {
        Some(_) => format!("{} {:?}{place} is neither in the manifests nor in the cluster", target.kind, target.name),
        None => {
            format!("{} {:?}{place} is not in the manifests, and no cluster could be asked", target.kind, target.name)
        }
    };
    let found = findings.add(reference.manifest, reference.path.clone(), message);
    if known.is_none() || !reference.needed {
        found.severity(Severity::Warning);
    }
    if let Some(near) = near_name(context.set, target) {
        found.hint(format!("did you mean {near}?"));
    } else if let Some(maker) = maker(context.set, target) {
        found.severity(Severity::Warning).hint(format!("{maker} lets something make it in the cluster"));
    }
}

/// What a set usually brings along itself; classes and the like are the cluster's.
fn is_the_applications_own(target: &ObjectRef) -> bool {
    matches!(target.kind.as_str(), "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "ServiceAccount")
}

/// What every cluster has.
fn is_always_there(target: &ObjectRef) -> bool {
    let name = target.name.as_str();
    match target.kind.as_str() {
        "ServiceAccount" => name == "default",
        "ConfigMap" => name == "kube-root-ca.crt",
        "Namespace" => matches!(name, "default" | "kube-system" | "kube-public" | "kube-node-lease"),
        "PriorityClass" => name.starts_with("system-"),
        "ClusterRole" => matches!(name, "cluster-admin" | "admin" | "edit" | "view") || name.starts_with("system:"),
        _ => false,
    }
}

/// Whether the set makes it by other means: a StatefulSet its claims, a custom resource what it names.
fn is_made_here(set: &Set<'_>, target: &ObjectRef) -> bool {
    let namespace = target.namespace.as_deref().unwrap_or_default();
    let claims = |manifest: &Manifest| {
        let templates = manifest.object["spec"]["volumeClaimTemplates"].as_array();
        templates.into_iter().flatten().any(|template| {
            let prefix =
                format!("{}-{}-", template["metadata"]["name"].as_str().unwrap_or_default(), manifest.reference.name);
            target.name.strip_prefix(&prefix).is_some_and(|number| number.parse::<u32>().is_ok())
        })
    };
    let own_claim = || {
        let sets = set.manifests.iter().filter(|manifest| manifest.reference.kind == "StatefulSet");
        target.kind == "PersistentVolumeClaim" && sets.filter(|found| set.namespace_of(found) == namespace).any(claims)
    };
    let named_by_custom = || {
        let mut custom = set.custom.iter().filter(|manifest| set.namespace_of(manifest) == namespace);
        custom.any(|manifest| names(&manifest.object, &target.name))
    };
    own_claim() || (is_the_applications_own(target) && named_by_custom())
}

fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| names(item, name)),
        Value::Object(entries) => entries.values().any(|entry| names(entry, name)),
        _ => false,
    }
}

fn near_name<'a>(set: &Set<'a>, target: &ObjectRef) -> Option<&'a str> {
    let namespace = target.namespace.as_deref().unwrap_or_default();
    let alike = set.manifests.iter().filter(|manifest| {
        let (group, kind, in_namespace, _) = set.identity(manifest);
        (group, kind, in_namespace) == (target.group(), &target.kind, namespace)
    });
    nearest(&target.name, alike.map(|manifest| manifest.reference.name.as_str()))
}

/// A role of the set that lets its holder make objects of this kind.
fn maker(set: &Set<'_>, target: &ObjectRef) -> Option<String> {
    let plural = builtin().kind(&target.api_version, &target.kind)?.plural.as_str();
    let has = |rule: &Value, field: &str, wanted: &str| {
        let listed = rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        listed.into_iter().any(|word| word == wanted || word == "*")
    };
    let allows = |rule: &Value| {
        has(rule, "apiGroups", target.group()) && has(rule, "resources", plural) && has(rule, "verbs", "create")
    };
    let mut roles = set.manifests.iter().filter(|manifest| manifest.reference.group() == "rbac.authorization.k8s.io");
    let role = roles.find(|role| role.object["rules"].as_array().into_iter().flatten().any(allows))?;
    Some(role.reference.to_string())
}
