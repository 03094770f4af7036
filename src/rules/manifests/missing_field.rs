//! Required fields that are absent.

use serde_json::Value;

use super::{
    rule::{Check, Findings, Rule},
    unknown_field::of_type,
    walk::{Seen, Visit},
};
use crate::{
    model::Severity,
    schema::{Field, Type},
};

pub(super) static RULE: Rule = Rule {
    code: "missing-field",
    severity: Severity::Error,
    summary: "A required field is missing",
    help: "The API server refuses the object until the field is given.",
    check: Check::Field(check),
};

/// Fields that OpenAPI calls required and the API server does without, as the test of agreement found.
const LENIENT: [(&str, &str); 17] = [
    ("CSIDriver", "spec"),
    ("CSINodeSpec", "drivers"),
    ("CustomResourceDefinitionVersion", "served"),
    ("HTTPHeader", "value"),
    ("ISCSIPersistentVolumeSource", "lun"),
    ("ISCSIVolumeSource", "lun"),
    ("LimitRangeSpec", "limits"),
    ("PodFailurePolicy", "rules"),
    ("PodFailurePolicyOnPodConditionsPattern", "status"),
    ("PreferredSchedulingTerm", "preference"),
    ("ResourceClaimTemplateSpec", "spec"),
    ("RoleRef", "apiGroup"),
    ("ScaleIOPersistentVolumeSource", "secretRef"),
    ("ScaleIOVolumeSource", "secretRef"),
    ("SleepAction", "seconds"),
    ("Sysctl", "value"),
    ("TokenRequest", "audience"),
];

/// Fields that OpenAPI calls optional and the API server does not do without.
const STRICT: [(&str, &str); 31] = [
    ("ConfigMapEnvSource", "name"),
    ("ConfigMapKeySelector", "name"),
    ("ConfigMapProjection", "name"),
    ("ConfigMapVolumeSource", "name"),
    ("Container", "image"),
    ("CronJob", "spec"),
    ("DaemonSet", "spec"),
    ("Deployment", "spec"),
    ("EphemeralContainer", "image"),
    ("ExecAction", "command"),
    ("HTTPGetAction", "port"),
    ("HorizontalPodAutoscaler", "spec"),
    ("IngressServiceBackend", "port"),
    ("Job", "spec"),
    ("PersistentVolume", "spec"),
    ("PersistentVolumeClaim", "spec"),
    ("PersistentVolumeClaimSpec", "accessModes"),
    ("PersistentVolumeClaimSpec", "resources"),
    ("PersistentVolumeSpec", "accessModes"),
    ("PersistentVolumeSpec", "capacity"),
    ("Pod", "spec"),
    ("PodTemplateSpec", "spec"),
    ("ReplicaSet", "spec"),
    ("ReplicaSetSpec", "template"),
    ("ReplicationController", "spec"),
    ("SecretEnvSource", "name"),
    ("SecretKeySelector", "name"),
    ("SecretProjection", "name"),
    ("SecretVolumeSource", "secretName"),
    ("Service", "spec"),
    ("StatefulSet", "spec"),
];

/// Whether the API server refuses an object of a built-in type without the field.
pub fn is_required(kind: &Type, field: &Field) -> bool {
    let listed = |list: &[(&str, &str)]| list.contains(&(kind.short_name(), field.name.as_str()));
    (field.required && !listed(&LENIENT)) || listed(&STRICT)
}

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Object { kind, keys } = visit.seen else { return };
    let name = kind.short_name();
    let is_strict = STRICT.iter().any(|(of, _)| *of == name);
    let candidates = kind.fields.iter().filter(|field| field.required || is_strict);
    let missing = candidates.filter(|field| match keys.get(&field.name) {
        None => true,
        // A definition may allow null.
        Some(_) if visit.schema.is_custom() => false,
        Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        // A slice without endpoints is how a Service without pods looks.
        Some(Value::Array(items)) => items.is_empty() && name != "EndpointSlice",
        Some(_) => false,
    });
    for field in missing {
        let required = match visit.schema.is_custom() {
            true => field.required && field.default.is_none(),
            false => is_required(kind, field),
        };
        if required && !visit.trail.in_status() {
            let state = if keys.get(&field.name).is_some_and(|value| !value.is_null()) { "empty" } else { "missing" };
            let message = format!("required field {:?}{} is {state}", field.name, of_type(kind));
            findings.add(visit.manifest, visit.trail.path(), message);
        }
    }
}
