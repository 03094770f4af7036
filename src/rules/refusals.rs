//! What the API server's refusals of an apply mean for a deploy.

use serde_json::Value;

use crate::{
    config::{ConflictRule, Take},
    error::Refusal,
    model::{FieldConflict, ObjectRef},
    rules::{difference::MASK, migration},
};

/// Words by which the API server says that a field cannot be changed. There is no reason of its own for it
/// (k8s.io/apimachinery/pkg/api/validation, `ValidateImmutableField`, and the validations of the kinds).
const IMMUTABLE: [&str; 6] = [
    "field is immutable",
    "immutable after creation",
    "may not change once set",
    "may not be changed",
    "cannot change roleRef",
    "fields other than",
];

/// Whether the refusal is that a field of an existing object cannot be changed.
pub fn is_immutable(refusal: &Refusal) -> bool {
    matches!(refusal.code, 403 | 422) && IMMUTABLE.iter().any(|words| refusal.message.contains(words))
}

/// Why an object must never be deleted to be created again; None when that would lose nothing.
pub fn replace_would_lose(live: &Value) -> Option<&'static str> {
    match live["kind"].as_str().unwrap_or_default() {
        "PersistentVolumeClaim" | "PersistentVolume" => Some("its data would be lost"),
        "Namespace" => Some("everything in it would be lost"),
        "CustomResourceDefinition" => Some("all objects of its kind would be lost"),
        "StatefulSet" if live["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete" => {
            Some("its claims, and their data, would be deleted with it")
        }
        _ => None,
    }
}

/// The contested fields that a refusal of an apply names, with both values; without those of kubectl's own apply, which
/// are taken over.
pub fn conflicts(refusal: &Refusal, ours: &Value, live: &Value) -> Vec<FieldConflict> {
    let contested = refusal.causes.iter().filter(|cause| cause.reason == "FieldManagerConflict");
    let contested = contested.filter(|cause| !migration::is_migrated_conflict(&cause.message));
    contested
        .map(|cause| {
            let path = cause.field.trim_start_matches('.').to_owned();
            let hidden = live["kind"] == "Secret" && path.contains("ata");
            let show = |object: &Value| {
                let value = find(object, &path)?;
                Some(if hidden { MASK.into() } else { value.clone() })
            };
            // `conflict with "kube-controller-manager" with subresource "scale" using apps/v1`
            let manager = cause.message.split('"').nth(1).unwrap_or("another manager").to_owned();
            FieldConflict { theirs: show(live), ours: show(ours), path, manager }
        })
        .collect()
}

/// Whose value a rule of the configuration lets stay; the first that matches decides.
pub fn decide(rules: &[ConflictRule], object: &ObjectRef, conflict: &FieldConflict) -> Option<Take> {
    let fits = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
    let matching = rules.iter().find(|rule| {
        let field = rule.field.trim_start_matches('.');
        let below = conflict.path.strip_prefix(field);
        let covers = below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        fits(&rule.kind, &object.kind) && fits(&rule.name, &object.name) && covers
    });
    matching.map(|rule| rule.take)
}

/// The value at a path as the API server writes it: `spec.template.spec.containers[name="api"].image`.
fn find<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    steps(object, path)?.iter().try_fold(object, |value, step| match step {
        PathStep::Field(name) => value.get(name),
        PathStep::Item(keys) => value.as_array()?.iter().find(|item| is_item(item, keys)),
    })
}

/// Takes the field at a path out of an object. Returns whether it was there.
pub fn remove(object: &mut Value, path: &str) -> bool {
    let Some(mut steps) = steps(object, path) else { return false };
    let Some(last) = steps.pop() else { return false };
    let parent = steps.iter().try_fold(object, |value, step| match step {
        PathStep::Field(name) => value.get_mut(name),
        PathStep::Item(keys) => value.as_array_mut()?.iter_mut().find(|item| is_item(item, keys)),
    });
    match (parent, last) {
        (Some(Value::Object(fields)), PathStep::Field(name)) => fields.remove(&name).is_some(),
        (Some(Value::Array(items)), PathStep::Item(keys)) => {
            let before = items.len();
            items.retain(|item| !is_item(item, &keys));
            items.len() < before
        }
        _ => false,
    }
}

enum PathStep {
    Field(String),
    Item(Vec<(String, Value)>),
}

/// A key that is left out has its default, which the server's path spells out.
fn is_item(item: &Value, keys: &[(String, Value)]) -> bool {
    keys.iter().all(|(key, value)| item.get(key).is_none_or(|other| other == value))
}

/// Reads the format of sigs.k8s.io/structured-merge-diff, `fieldpath/element.go`: `.name`, `[key="value",other=1]`. A
/// field's name may hold dots, which the text does not mark, so the names are those that the object has.
fn steps(object: &Value, path: &str) -> Option<Vec<PathStep>> {
    let mut steps = Vec::new();
    let (mut value, mut rest) = (object, path);
    while !rest.is_empty() {
        match value {
            Value::Array(items) => {
                let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
                let pair = |pair: &str| {
                    let (key, value) = pair.split_once('=')?;
                    Some((key.to_owned(), serde_json::from_str(value).ok()?))
                };
                let keys: Vec<(String, Value)> = inside.split(',').map(pair).collect::<Option<_>>()?;
                value = items.iter().find(|item| is_item(item, &keys))?;
                steps.push(PathStep::Item(keys));
                rest = after;
            }
            Value::Object(fields) => {
                rest = rest.trim_start_matches('.');
                let leads = |name: &&String| {
                    rest.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                };
                let name = fields.keys().filter(leads).max_by_key(|name| name.len())?;
                value = &fields[name];
                rest = rest.get(name.len()..)?;
                steps.push(PathStep::Field(name.clone()));
            }
            _ => return None,
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Cause;

    fn refusal(field: &str) -> Refusal {
        let message = "conflict with \"kubectl-edit\" using apps/v1".into();
        let cause = Cause { reason: "FieldManagerConflict".into(), field: field.into(), message };
        Refusal { code: 409, reason: "Conflict".into(), message: String::new(), causes: vec![cause] }
    }

    #[test]
    fn a_conflict_names_the_field_the_manager_and_both_values() {
        let ours = json!({"spec": {"containers": [{"name": "api", "image": "api:2"}]}});
        let live =
            json!({"spec": {"containers": [{"name": "log", "image": "log:1"}, {"name": "api", "image": "api:1"}]}});
        let found = conflicts(&refusal(".spec.containers[name=\"api\"].image"), &ours, &live);
        let expected = FieldConflict {
            path: "spec.containers[name=\"api\"].image".into(),
            manager: "kubectl-edit".into(),
            theirs: Some(json!("api:1")),
            ours: Some(json!("api:2")),
        };
        assert_eq!(found, [expected]);
        let secret = json!({"kind": "Secret", "data": {"password": "eA=="}});
        let found = conflicts(&refusal(".data.password"), &secret, &secret);
        assert!(!format!("{found:?}").contains("eA=="));
    }

    #[test]
    fn a_rule_covers_its_field_and_what_is_below() {
        let rules: Vec<ConflictRule> =
            serde_json::from_value(json!([{"kind": "Deployment", "field": "spec.replicas", "take": "theirs"}]))
                .unwrap();
        let object = ObjectRef { kind: "Deployment".into(), ..Default::default() };
        let conflict =
            |path: &str| FieldConflict { path: path.into(), manager: String::new(), theirs: None, ours: None };
        assert_eq!(decide(&rules, &object, &conflict("spec.replicas")), Some(Take::Theirs));
        assert_eq!(decide(&rules, &object, &conflict("spec.replicasMore")), None);
        assert_eq!(decide(&rules, &ObjectRef::default(), &conflict("spec.replicas")), None);
    }

    #[test]
    fn a_contested_field_is_left_to_its_owner() {
        let mut object = json!({"metadata": {"labels": {"a.b/c": "1", "x": "2"}}, "spec": {"replicas": 2, "ports": [{"port": 1}, {"port": 2}]}});
        assert!(remove(&mut object, "spec.replicas"));
        assert!(remove(&mut object, "metadata.labels.a.b/c"));
        assert!(remove(&mut object, "spec.ports[port=1]"));
        assert!(!remove(&mut object, "spec.absent.field"));
        assert_eq!(object, json!({"metadata": {"labels": {"x": "2"}}, "spec": {"ports": [{"port": 2}]}}));
    }
}
