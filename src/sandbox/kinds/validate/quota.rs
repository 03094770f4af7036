//! Quotas and ranges of limits.
//!
//! Source: `ValidateResourceQuota` and `ValidateLimitRange` of `pkg/apis/core/validation`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    super::edit::{Fields, Read},
    causes::{Causes, Path},
    common::amount,
    meta, resources, text,
};
use crate::rules::quantity::Quantity;

const NOT_FOR_SCOPE: &str = "unsupported scope applied to resource";

/// Whether a quota may count it.
fn is_counted(name: &str) -> bool {
    const COUNTED: [&str; 19] = [
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "persistentvolumeclaims",
        "configmaps",
        "services.nodeports",
        "services.loadbalancers",
    ];
    COUNTED.contains(&name) || name.starts_with("requests.hugepages-") || name.starts_with("hugepages-")
}

pub(super) fn quota(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    amounts(object, &["spec", "hard"], &path.to("hard"), causes);
    scopes(object, &path.to("scopes"), causes);
    selector(object, &path.to("scopeSelector"), causes);
}

pub(super) fn status(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("status");
    for key in ["hard", "used"] {
        amounts(object, &["status", key], &path.to(key), causes);
    }
}

/// The scopes of a quota stay.
pub(super) fn changed_quota(object: &Value, live: &Value, causes: &mut Causes) {
    let scopes = |object: &Value| -> BTreeSet<String> {
        object.items(&["spec", "scopes"]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    if scopes(object) != scopes(live) {
        let path = Path::Root.to("spec");
        let shown = object.at(&["spec", "scopes"]).cloned().unwrap_or_default();
        causes.invalid(&path.to("scopes"), shown, meta::IMMUTABLE);
    }
}

fn amounts(object: &Value, keys: &[&str], path: &Path<'_>, causes: &mut Causes) {
    let empty = Fields::new();
    let hard = object.fields(keys).unwrap_or(&empty);
    for name in hard.keys() {
        let at = path.key(name);
        let faults = text::qualified_name(name);
        let plain = !name.contains('/');
        if faults.is_empty() && plain && !resources::is_standard(name) {
            causes.invalid(&at, name.as_str(), "must be a standard resource type or fully qualified");
        }
        causes.all(&at, name, faults);
        if plain && !is_counted(name) {
            causes.invalid(&at, name.as_str(), "must be a standard resource for quota");
        }
        if let Some(amount) = amount(hard, name) {
            resources::quantity(name, &amount, &at, causes);
        }
    }
}

/// Whether a quota of that scope can count it.
fn fits_scope(scope: &str, name: &str) -> bool {
    let of_pods =
        ["pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"].contains(&name);
    match scope {
        "Terminating" | "NotTerminating" | "NotBestEffort" | "PriorityClass" | "CrossNamespacePodAffinity" => of_pods,
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

fn is_scope(scope: &str) -> bool {
    matches!(
        scope,
        "Terminating"
            | "NotTerminating"
            | "BestEffort"
            | "NotBestEffort"
            | "PriorityClass"
            | "CrossNamespacePodAffinity"
            | "VolumeAttributesClass"
    )
}

/// The names that a quota counts, in order.
fn counted(object: &Value) -> BTreeSet<&str> {
    let hard = object.fields(&["spec", "hard"]);
    hard.into_iter().flat_map(Fields::keys).map(String::as_str).filter(|name| is_counted(name)).collect()
}

fn scopes(object: &Value, path: &Path<'_>, causes: &mut Causes) {
    let scopes = object.items(&["spec", "scopes"]);
    let names: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
    for scope in &names {
        if !is_scope(scope) {
            causes.invalid(path, scopes.to_vec(), "unsupported scope");
        }
        for _ in counted(object).iter().filter(|name| !fits_scope(scope, name)) {
            causes.invalid(path, scopes.to_vec(), NOT_FOR_SCOPE);
        }
    }
    contradictions(&names, scopes, path, causes);
}

fn contradictions(names: &[&str], shown: &[Value], path: &Path<'_>, causes: &mut Causes) {
    for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if names.contains(&one) && names.contains(&other) {
            causes.invalid(path, shown.to_vec(), "conflicting scopes");
        }
    }
}

fn selector(object: &Value, path: &Path<'_>, causes: &mut Causes) {
    let path = path.to("matchExpressions");
    let terms = object.items(&["spec", "scopeSelector", "matchExpressions"]);
    for term in terms {
        let (scope, operator) = (term.text(&["scopeName"]), term.text(&["operator"]));
        if !is_scope(scope) {
            causes.invalid(&path.to("scopeName"), scope, "unsupported scope");
        }
        for _ in counted(object).iter().filter(|name| !fits_scope(scope, name)) {
            let shown = object.at(&["spec", "scopeSelector"]).cloned().unwrap_or_default();
            causes.invalid(&path, shown, NOT_FOR_SCOPE);
        }
        let exists = matches!(
            scope,
            "BestEffort" | "NotBestEffort" | "Terminating" | "NotTerminating" | "CrossNamespacePodAffinity"
        );
        if exists && operator != "Exists" {
            let detail = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            causes.invalid(&path.to("operator"), operator, detail);
        }
        let values = term.items(&["values"]);
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                causes.required(&path.to("values"), detail);
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                causes.invalid(&path.to("values"), values.to_vec(), detail);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => causes.invalid(&path.to("operator"), other, "not a valid selector operator"),
        }
    }
    let names: Vec<&str> = terms.iter().map(|term| term.text(&["scopeName"])).collect();
    contradictions(&names, object.items(&["spec", "scopes"]), &path, causes);
}

/// Limits of one kind for a type of object: none below another that it has to be above.
pub(super) fn limits(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let list = path.to("limits");
    let mut seen = BTreeSet::new();
    for (position, limit) in object.items(&["spec", "limits"]).iter().enumerate() {
        let path = list.index(position);
        let kind = limit.text(&["type"]);
        type_name(kind, &path.to("type"), causes);
        if !seen.insert(kind) {
            causes.duplicate(&path.to("type"), kind);
        }
        names(limit, kind, &path, causes);
        let keys: BTreeSet<&str> = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"]
            .iter()
            .filter(|part| kind != "Pod" || !part.starts_with("default"))
            .flat_map(|part| limit.fields(&[part]).into_iter().flat_map(Fields::keys))
            .map(String::as_str)
            .collect();
        for name in keys {
            range(limit, name, kind, &path, causes);
        }
    }
}

fn type_name(kind: &str, path: &Path<'_>, causes: &mut Causes) {
    let faults = text::qualified_name(kind);
    if faults.is_empty() && !kind.contains('/') && !matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim") {
        causes.invalid(path, kind, "must be a standard limit type or fully qualified");
    }
    causes.all(path, kind, faults);
}

fn names(limit: &Value, kind: &str, path: &Path<'_>, causes: &mut Causes) {
    let judge = |part: &str, causes: &mut Causes| {
        let at = path.to(part);
        for name in limit.fields(&[part]).into_iter().flat_map(Fields::keys) {
            resources::name(name, matches!(kind, "Pod" | "Container"), &at.key(name), causes);
        }
    };
    judge("max", causes);
    judge("min", causes);
    for part in ["default", "defaultRequest"] {
        if kind != "Pod" {
            judge(part, causes);
        } else if limit.fields(&[part]).is_some_and(|found| !found.is_empty()) {
            causes.forbidden(&path.to(part), "may not be specified when `type` is 'Pod'");
        }
    }
    if kind == "PersistentVolumeClaim" && !limit.has(&["min", "storage"]) && !limit.has(&["max", "storage"]) {
        let detail = "either minimum or maximum storage value is required, but neither was provided";
        causes.required(&path.to("limits"), detail);
    }
    judge("maxLimitRequestRatio", causes);
}

fn range(limit: &Value, name: &str, kind: &str, path: &Path<'_>, causes: &mut Causes) {
    let of = |part: &str| {
        let known = kind != "Pod" || !part.starts_with("default");
        limit.fields(&[part]).filter(|_| known).and_then(|amounts| amount(amounts, name))
    };
    let (lower, upper, default, request) = (of("min"), of("max"), of("default"), of("defaultRequest"));
    let above = |one: &Option<Quantity>, other: &Option<Quantity>| match (one, other) {
        (Some(one), Some(other)) => one > other,
        _ => false,
    };
    let mut refuse =
        |part: &str, shown: &Option<Quantity>, one: (&str, &Option<Quantity>), other: (&str, &Option<Quantity>)| {
            let text = |amount: &Option<Quantity>| amount.as_ref().map(ToString::to_string).unwrap_or_default();
            let detail = format!("{} value {} is greater than {} value {}", one.0, text(one.1), other.0, text(other.1));
            causes.invalid(&path.to(part).key(name), text(shown), detail);
        };
    if above(&lower, &upper) {
        refuse("min", &lower, ("min", &lower), ("max", &upper));
    }
    if above(&lower, &request) {
        refuse("defaultRequest", &request, ("min", &lower), ("default request", &request));
    }
    if above(&request, &upper) {
        refuse("defaultRequest", &request, ("default request", &request), ("max", &upper));
    }
    if above(&request, &default) {
        refuse("defaultRequest", &request, ("default request", &request), ("default limit", &default));
    }
    if above(&lower, &default) {
        refuse("default", &lower, ("min", &lower), ("default", &default));
    }
    if above(&default, &upper) {
        refuse("default", &upper, ("default", &default), ("max", &upper));
    }
    if let Some(ratio) = of("maxLimitRequestRatio") {
        let at = path.to("maxLimitRequestRatio");
        if ratio < Quantity::of(1) {
            causes.invalid(&at.key(name), ratio.to_string(), format!("ratio {ratio} is less than 1"));
        }
        if let (Some(lower), Some(upper)) = (lower, upper) {
            let most = upper.nano() as f64 / lower.nano() as f64;
            let wanted = ratio.nano() as f64 / 1e9;
            if wanted > most {
                let detail = format!("ratio {ratio} is greater than max/min = {most:.6}");
                causes.invalid(&at.key(name), ratio.to_string(), detail);
            }
        }
    }
}
