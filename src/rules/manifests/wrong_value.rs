//! Values that are none of those a field allows.

use super::{
    rule::{Check, Findings, Rule},
    walk::{Seen, Visit},
};
use crate::{
    config::nearest,
    model::Severity,
    schema::{Field, Type},
};

pub(super) static RULE: Rule = Rule {
    code: "wrong-value",
    severity: Severity::Error,
    summary: "A value that is none of those the field allows",
    help: "The API server refuses the object. The message lists the values that the field allows; capital letters count.",
    check: Check::Field(check),
};

/// Values that OpenAPI does not list and the API server insists on.
const MORE: [(&str, &str, &[&str]); 12] = [
    ("ContainerResizePolicy", "restartPolicy", &["NotRequired", "RestartContainer"]),
    ("CustomResourceDefinitionSpec", "scope", &["Cluster", "Namespaced"]),
    ("HPAScalingPolicy", "type", &["Percent", "Pods"]),
    ("HPAScalingRules", "selectPolicy", &["Disabled", "Max", "Min"]),
    ("IngressClassParametersReference", "scope", &["Cluster", "Namespace"]),
    ("JSONSchemaProps", "type", &["array", "boolean", "integer", "number", "object", "string"]),
    ("LabelSelectorRequirement", "operator", &["In", "NotIn", "Exists", "DoesNotExist"]),
    ("MetricSpec", "type", &["ContainerResource", "External", "Object", "Pods", "Resource"]),
    ("MetricTarget", "type", &["AverageValue", "Utilization", "Value"]),
    ("PodOS", "name", &["linux", "windows"]),
    ("RoleRef", "kind", &["ClusterRole", "Role"]),
    ("Subject", "kind", &["Group", "ServiceAccount", "User"]),
];

/// The values that the field of a type allows; none where it allows any.
pub fn allowed_values<'f>(parent: &Type, field: &'f Field) -> Vec<&'f str> {
    let more = || MORE.iter().find(|(kind, name, _)| *name == field.name && *kind == parent.short_name());
    match field.values.as_slice() {
        [] => more().map(|(_, _, values)| values.to_vec()).unwrap_or_default(),
        values => values.iter().map(String::as_str).filter(|allowed| !allowed.is_empty()).collect(),
    }
}

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Value { value, field: Some((parent, field)), .. } = visit.seen else { return };
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return };
    let allowed = allowed_values(parent, field);
    if allowed.is_empty() || allowed.contains(&text) || visit.trail.in_status() {
        return;
    }
    let message = format!("{text:?} is none of the values of {}: {}", field.name, allowed.join(", "));
    let found = findings.add(visit.manifest, visit.trail.path(), message);
    if let Some(near) = nearest(text, allowed) {
        found.hint(format!("did you mean {near}?"));
    }
    if visit.context.facts.newer_than(&visit.schema.version) {
        found.severity(Severity::Warning);
    }
}
