//! Objects of which exactly one field says what they are.

use super::{
    rule::{Check, Findings, Rule},
    walk::{Seen, Visit},
};
use crate::model::Severity;

pub(super) static RULE: Rule = Rule {
    code: "one-of",
    severity: Severity::Error,
    summary: "None or several of the fields of which exactly one has to be given",
    help: "A probe asks in one way, a volume has one source, a variable one origin. The API server refuses none and several.",
    check: Check::Field(check),
};

/// Types of which each field is an alternative, but for those named; `true` where none may be given too.
const CHOICES: [(&str, &[&str], bool); 8] = [
    ("EnvFromSource", &["prefix"], false),
    ("EnvVarSource", &[], false),
    ("IngressBackend", &[], false),
    ("LifecycleHandler", &[], false),
    ("Probe", &PROBE, false),
    ("ServiceBackendPort", &[], false),
    // A volume without a source is an emptyDir.
    ("Volume", &["name"], true),
    ("VolumeProjection", &[], true),
];
const PROBE: [&str; 6] = [
    "failureThreshold",
    "initialDelaySeconds",
    "periodSeconds",
    "successThreshold",
    "terminationGracePeriodSeconds",
    "timeoutSeconds",
];

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Object { kind, keys } = visit.seen else { return };
    let Some((_, beside, optional)) = CHOICES.iter().find(|(name, ..)| *name == kind.short_name()) else { return };
    // An unknown field may be an alternative of a newer Kubernetes; another rule speaks of it.
    if keys.keys().any(|key| kind.field(key).is_none()) {
        return;
    }
    let is_choice = |name: &str| !beside.contains(&name);
    let given = keys.iter().filter(|(key, value)| !value.is_null() && is_choice(key)).map(|(key, _)| key.as_str());
    let message = match given.collect::<Vec<_>>().as_slice() {
        [_] => return,
        [] if *optional => return,
        [] => {
            let choices: Vec<&str> =
                kind.fields.iter().map(|field| field.name.as_str()).filter(|name| is_choice(name)).collect();
            format!("one of {} has to be given", choices.join(", "))
        }
        several => format!("{}: only one of them may be given", several.join(" and ")),
    };
    findings.add(visit.manifest, visit.trail.path(), message);
}
