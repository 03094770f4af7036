//! Numbers that are too small or too large for their field.

use super::{
    rule::{Check, Findings, Rule},
    walk::{Seen, Visit},
};
use crate::{model::Severity, schema::Shape};

pub(super) static RULE: Rule = Rule {
    code: "out-of-range",
    severity: Severity::Error,
    summary: "A number is too small or too large for its field",
    help: "Counts and times are not negative, and ports are from 1 to 65535. The API server refuses the object.",
    check: Check::Field(check),
};

/// Fields that are ports wherever they are numbers.
const PORTS: [&str; 4] = ["containerPort", "hostPort", "port", "targetPort"];
/// Fields in which a negative number has a meaning, or is not looked at; all of a type where no field is named.
const SIGNED: [(&str, &str); 16] = [
    ("ContainerRestartRuleOnExitCodes", "values"),
    ("CustomResourceColumnDefinition", "priority"),
    ("DeviceAttribute", ""),
    ("DeviceToleration", "tolerationSeconds"),
    ("EndpointPort", ""),
    ("Event", ""),
    ("EventSeries", ""),
    ("FCVolumeSource", "lun"),
    ("JSONSchemaProps", ""),
    ("LeaseSpec", "leaseTransitions"),
    ("ObjectMeta", ""),
    ("PodFailurePolicyOnExitCodesRequirement", "values"),
    ("PodSpec", ""),
    ("PriorityClass", "value"),
    ("ServicePort", "nodePort"),
    ("Toleration", "tolerationSeconds"),
];

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Value { value, shape, field: Some((parent, field)) } = visit.seen else { return };
    let Some(number) = value.as_i64().filter(|_| matches!(shape, Shape::Int32 | Shape::Int64 | Shape::IntOrString))
    else {
        return;
    };
    let name = field.name.as_str();
    let signed = || SIGNED.iter().any(|(of, only)| *of == parent.short_name() && (only.is_empty() || *only == name));
    let wanted = match (number, PORTS.contains(&name)) {
        // A host port of 0 is none.
        (0, true) if name == "hostPort" => return,
        (1..=65535, true) | (0.., false) => return,
        _ if signed() => return,
        (_, true) => "a port is from 1 to 65535",
        (_, false) => "it cannot be negative",
    };
    if !visit.schema.is_custom() && !visit.trail.in_status() {
        findings.add(visit.manifest, visit.trail.path(), format!("{number} is out of range: {wanted}"));
    }
}
