//! Autoscalers and disruption budgets.
//!
//! Source: `pkg/apis/autoscaling/validation` and `pkg/apis/policy/validation`.

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::{number_or_percent, optional_one_of, percent_of, positive},
    meta, text,
};

pub(super) fn autoscaler(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    let least = spec.number(&["minReplicas"]);
    if let Some(least) = least.filter(|least| *least < 1) {
        causes.invalid(&path.to("minReplicas"), least, "must be greater than or equal to 1");
    }
    let most = spec.number(&["maxReplicas"]).unwrap_or_default();
    if most < 1 {
        causes.invalid(&path.to("maxReplicas"), most, "must be greater than 0");
    }
    if least.is_some_and(|least| most < least) {
        causes.invalid(&path.to("maxReplicas"), most, "must be greater than or equal to `minReplicas`");
    }
    let null = Value::Null;
    reference(spec.get("scaleTargetRef").unwrap_or(&null), &path.to("scaleTargetRef"), causes);
    let list = path.to("metrics");
    for (position, metric) in spec.items(&["metrics"]).iter().enumerate() {
        self::metric(metric, &list.index(position), causes);
    }
    if least == Some(0) {
        let outside = |metric: &Value| matches!(metric.text(&["type"]), "Object" | "External");
        if !spec.items(&["metrics"]).iter().any(outside) {
            let detail = "must specify at least one Object or External metric to support scaling to zero replicas";
            causes.forbidden(&list, detail);
        }
    }
    let behavior = path.to("behavior");
    for direction in ["scaleUp", "scaleDown"] {
        if let Some(rules) = spec.at(&["behavior", direction]) {
            scaling(rules, &behavior.to(direction), causes);
        }
    }
}

fn reference(target: &Value, path: &Path<'_>, causes: &mut Causes) {
    for key in ["kind", "name"] {
        match target.text(&[key]) {
            "" => causes.required(&path.to(key), ""),
            found => causes.all(&path.to(key), found, text::path_segment(found)),
        }
    }
    let version = target.text(&["apiVersion"]);
    let at = path.to("apiVersion");
    if version.matches('/').count() > 1 {
        causes.invalid(&at, version, format!("unexpected GroupVersion string: {version}"));
    } else if !version.contains('/') && target.text(&["kind"]) != "ReplicationController" {
        causes.invalid(&at, version, "apiVersion must specify API group");
    }
}

fn metric(metric: &Value, path: &Path<'_>, causes: &mut Causes) {
    const SOURCES: [(&str, &str); 5] = [
        ("ContainerResource", "containerResource"),
        ("External", "external"),
        ("Object", "object"),
        ("Pods", "pods"),
        ("Resource", "resource"),
    ];
    /// The order in which the API server looks at them.
    const JUDGED: [&str; 5] = ["object", "external", "pods", "resource", "containerResource"];
    let kind = metric.text(&["type"]);
    let known = SOURCES.map(|(known, _)| known);
    if kind.is_empty() {
        causes.required(&path.to("type"), "must specify a metric source type");
    }
    if !known.contains(&kind) {
        causes.unsupported(&path.to("type"), kind, &known);
    }
    let present: Vec<&str> = JUDGED.into_iter().filter(|source| metric.has(&[source])).collect();
    if let Some(source) = present.first() {
        target(&metric[*source], &path.to(source), source.ends_with("esource"), causes);
    }
    let expected = SOURCES.iter().find(|(known, _)| *known == kind).map(|(_, source)| *source);
    match expected {
        None => causes.unsupported(&path.to("type"), kind, &known),
        Some(source) if !present.contains(&source) => {
            causes.required(&path.to(source), "must populate information for the given metric source");
        }
        Some(_) => {}
    }
    if present.len() != 1 {
        for source in present.into_iter().filter(|source| Some(*source) != expected) {
            causes.forbidden(&path.to(source), "must populate the given metric source only");
        }
    }
}

fn target(source: &Value, path: &Path<'_>, resource: bool, causes: &mut Causes) {
    let at = path.to("target");
    let null = Value::Null;
    let target = source.get("target").unwrap_or(&null);
    if resource && source.text(&["name"]).is_empty() {
        causes.required(&path.to("name"), "must specify a resource name");
    }
    match target.text(&["type"]) {
        "" => causes.required(&at.to("type"), "must specify a metric target type"),
        "Utilization" | "Value" | "AverageValue" => {}
        other => causes.invalid(&at.to("type"), other, "must be either Utilization, Value, or AverageValue"),
    }
    if let Some(percent) = target.number(&["averageUtilization"]).filter(|percent| *percent < 1) {
        causes.invalid(&at.to("averageUtilization"), percent, "must be greater than 0");
    }
    let (percent, average) = (target.has(&["averageUtilization"]), target.has(&["averageValue"]));
    if resource && !percent && !average {
        let detail = "must set either a target raw value or a target utilization";
        causes.required(&at.to("averageUtilization"), detail);
    }
    if resource && percent && average {
        let detail = "may not set both a target raw value and a target utilization";
        causes.forbidden(&at.to("averageValue"), detail);
    }
}

fn scaling(rules: &Value, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to("stabilizationWindowSeconds");
    match rules.number(&["stabilizationWindowSeconds"]) {
        Some(seconds) if seconds < 0 => causes.invalid(&at, seconds, "must be greater than or equal to zero"),
        Some(seconds) if seconds > 3600 => causes.invalid(&at, seconds, "must be less than or equal to 3600"),
        _ => {}
    }
    optional_one_of(rules, "selectPolicy", &["Disabled", "Max", "Min"], path, causes);
    let list = path.to("policies");
    let policies = rules.items(&["policies"]);
    if policies.is_empty() {
        causes.required(&list, "must specify at least one Policy");
    }
    for (position, policy) in policies.iter().enumerate() {
        let path = list.index(position);
        let kind = policy.text(&["type"]);
        if !matches!(kind, "Percent" | "Pods") {
            causes.unsupported(&path.to("type"), kind, &["Percent", "Pods"]);
        }
        positive(policy.number(&["value"]).unwrap_or_default(), &path.to("value"), causes);
        let period = policy.number(&["periodSeconds"]).unwrap_or_default();
        positive(period, &path.to("periodSeconds"), causes);
        if period > 1800 {
            causes.invalid(&path.to("periodSeconds"), period, "must be less than or equal to 1800");
        }
    }
}

pub(super) fn budget(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    if spec.has(&["minAvailable"]) && spec.has(&["maxUnavailable"]) {
        let shown = |key: &str| spec.get(key).map_or("null".into(), ToString::to_string);
        let selector = spec.get("selector").map_or("null".into(), ToString::to_string);
        let shown = format!(
            "{{\"MinAvailable\":{},\"Selector\":{selector},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}",
            shown("minAvailable"),
            shown("maxUnavailable"),
            shown("unhealthyPodEvictionPolicy"),
        );
        causes.invalid_as(&path, shown, "minAvailable and maxUnavailable cannot be both set");
    }
    for key in ["minAvailable", "maxUnavailable"] {
        let Some(bound) = spec.get(key) else { continue };
        number_or_percent(bound, &path.to(key), causes);
        if percent_of(bound).is_some_and(|percent| percent > 100) {
            causes.invalid(&path.to(key), bound.clone(), "must not be greater than 100%");
        }
    }
    if let Some(selector) = spec.get("selector") {
        meta::selector(selector, &path.to("selector"), causes);
    }
    let policies = ["AlwaysAllow", "IfHealthyBudget"];
    optional_one_of(spec, "unhealthyPodEvictionPolicy", &policies, &path, causes);
}
