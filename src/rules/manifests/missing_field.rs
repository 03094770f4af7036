//! Required fields that are absent.

use super::{
    rule::{Check, Findings, Rule},
    unknown_field::of_type,
    walk::{Seen, Visit},
};
use crate::model::Severity;

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

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Missing { parent, field } = visit.seen else { return };
    let lenient =
        LENIENT.iter().any(|(kind, name)| *name == field.name && parent.name.rsplit('.').next() == Some(kind));
    if lenient || visit.trail.in_status() {
        return;
    }
    let message = format!("required field {:?}{} is missing", field.name, of_type(parent));
    findings.add(visit.manifest, visit.trail.path(), message);
}
