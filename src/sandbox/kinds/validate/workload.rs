//! The group apps, and replication controllers.
//!
//! Source: `pkg/apis/apps/validation`.

use serde_json::Value;

use super::{
    super::edit::{Edit, Fields, Read},
    causes::{Causes, Path},
    claim,
    common::{is_nothing, not_negative, number_or_percent, optional_one_of, percent_of},
    meta, pod, text,
};

const NO_MATCH: &str = "`selector` does not match template `labels`";

pub(super) fn deployment(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    not_negative(spec, &["replicas"], &path, causes);
    let selectable = selector(spec, "deployment", &path, causes);
    if selectable {
        template(spec, "ReplicaSet", &path.to("template"), causes);
    }
    strategy(spec, &path.to("strategy"), causes);
    not_negative(spec, &["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"], &path, causes);
    let ready = spec.number(&["minReadySeconds"]).unwrap_or_default();
    if let Some(deadline) = spec.number(&["progressDeadlineSeconds"]).filter(|deadline| *deadline <= ready) {
        causes.invalid(&path.to("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds");
    }
    fixed_selector(object, live, causes);
}

pub(super) fn replica_set(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    not_negative(spec, &["replicas", "minReadySeconds"], &path, causes);
    if selector(spec, "deployment", &path, causes) {
        template(spec, "ReplicaSet", &path.to("template"), causes);
    }
    fixed_selector(object, live, causes);
}

pub(super) fn replication_controller(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    not_negative(spec, &["minReadySeconds"], &path, causes);
    let labels = spec.fields(&["selector"]).cloned().unwrap_or_default();
    if labels.is_empty() {
        causes.required(&path.to("selector"), "");
    }
    not_negative(spec, &["replicas"], &path, causes);
    let at = path.to("template");
    if !spec.has(&["template"]) {
        return causes.required(&at, "");
    }
    let as_selector = serde_json::json!({"matchLabels": labels});
    let found = spec.fields(&["template", "metadata", "labels"]);
    if !labels.is_empty() && !meta::matches(&as_selector, found) {
        mismatch(spec, &at, causes);
    }
    pods(spec, "ReplicationController", &at, causes);
}

pub(super) fn daemon_set(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    fixed_selector(object, live, causes);
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    let at = path.to("template");
    let chosen = spec.get("selector").unwrap_or(&Value::Null);
    meta::selector(chosen, &path.to("selector"), causes);
    if !selects(spec) {
        mismatch(spec, &at, causes);
    }
    if !chosen.is_null() && is_empty(chosen) {
        causes.invalid(&path.to("selector"), chosen.clone(), "empty selector is invalid for daemonset");
    }
    pods(spec, "DaemonSet", &at, causes);
    not_negative(spec, &["minReadySeconds"], &path, causes);
    daemon_strategy(spec, &path.to("updateStrategy"), causes);
    not_negative(spec, &["revisionHistoryLimit"], &path, causes);
}

pub(super) fn stateful_set(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    let policy = spec.text(&["podManagementPolicy"]);
    if !matches!(policy, "OrderedReady" | "Parallel") {
        causes.invalid(&path.to("podManagementPolicy"), policy, "must be 'OrderedReady' or 'Parallel'");
    }
    stateful_strategy(spec, &path.to("updateStrategy"), causes);
    let retention = spec.get("persistentVolumeClaimRetentionPolicy").unwrap_or(&Value::Null);
    let at = path.to("persistentVolumeClaimRetentionPolicy");
    for key in ["whenDeleted", "whenScaled"] {
        optional_one_of(retention, key, &["Retain", "Delete"], &at, causes);
    }
    if live.is_none() {
        let list = path.to("volumeClaimTemplates");
        for (position, template) in spec.items(&["volumeClaimTemplates"]).iter().enumerate() {
            let at = list.index(position);
            claim::spec(template.get("spec").unwrap_or(&Value::Null), &at.to("spec"), causes);
        }
    }
    not_negative(spec, &["replicas", "minReadySeconds"], &path, causes);
    let name = spec.text(&["serviceName"]);
    if live.is_none() && !name.is_empty() {
        causes.all(&path.to("serviceName"), name, text::dns_label(name));
    }
    if selector(spec, "statefulset", &path, causes) {
        let at = path.to("template");
        let with_claims = with_claims(spec);
        if !selects(spec) {
            mismatch(spec, &at, causes);
        }
        pod::template(&with_claims, &at, causes);
        // The labels and annotations of the template are judged twice.
        meta::labels(with_claims.fields(&["metadata", "labels"]), &at.to("labels"), causes);
        meta::annotations(with_claims.fields(&["metadata", "annotations"]), &at.to("annotations"), causes);
        restarts(spec, "StatefulSet", &at, causes);
    }
    if let Some(live) = live {
        stateful_change(object, live, &path, causes);
    }
}

/// The template with a volume for each claim that the set will make.
fn with_claims(spec: &Value) -> Value {
    let mut template = spec.get("template").cloned().unwrap_or_default();
    let Some(pod) = template.as_object_mut().and_then(|template| template.inside("spec")) else { return template };
    pod.shift_remove("hostname");
    pod.shift_remove("subdomain");
    let names: Vec<&str> =
        spec.items(&["volumeClaimTemplates"]).iter().map(|claim| claim.text(&["metadata", "name"])).collect();
    if names.is_empty() {
        return template;
    }
    let mut volumes: Vec<Value> = names
        .iter()
        .map(|name| serde_json::json!({"name": name, "persistentVolumeClaim": {"claimName": name}}))
        .collect();
    volumes.extend(pod.items(&["volumes"]).iter().filter(|it| !names.contains(&it.text(&["name"]))).cloned());
    pod.insert("volumes".into(), volumes.into());
    template
}

fn stateful_change(object: &Value, live: &Value, path: &Path<'_>, causes: &mut Causes) {
    const CHANGEABLE: [&str; 7] = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let fixed = |object: &Value| -> Fields {
        let mut spec = object.fields(&["spec"]).cloned().unwrap_or_default();
        spec.retain(|key, _| !CHANGEABLE.contains(&key.as_str()));
        spec
    };
    if fixed(object) != fixed(live) {
        let named = "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'";
        causes.forbidden(path, format!("updates to statefulset spec for fields other than {named} are forbidden"));
    }
}

fn is_empty(selector: &Value) -> bool {
    selector.fields(&["matchLabels"]).is_none_or(Fields::is_empty) && selector.items(&["matchExpressions"]).is_empty()
}

/// Judges the selector of a set; whether it can be used.
fn selector(spec: &Value, set: &str, path: &Path<'_>, causes: &mut Causes) -> bool {
    let at = path.to("selector");
    let Some(selector) = spec.get("selector").filter(|selector| !selector.is_null()) else {
        causes.required(&at, "");
        return true;
    };
    meta::selector(selector, &at, causes);
    if is_empty(selector) {
        causes.invalid(&at, selector.clone(), format!("empty selector is invalid for {set}"));
    }
    let known = ["In", "NotIn", "Exists", "DoesNotExist"];
    let readable =
        selector.items(&["matchExpressions"]).iter().all(|expression| known.contains(&expression.text(&["operator"])));
    if !readable {
        let detail = if set == "statefulset" { "" } else { "invalid label selector" };
        causes.invalid(&at, selector.clone(), detail);
    }
    readable
}

/// Whether the selector of a set matches the labels of its template; none matches nothing, an empty one everything.
fn selects(spec: &Value) -> bool {
    let labels = spec.fields(&["template", "metadata", "labels"]);
    spec.get("selector").is_some_and(|chosen| !chosen.is_null() && meta::matches(chosen, labels))
}

fn fixed_selector(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    if let Some(live) = live {
        meta::immutable(object, live, &["spec", "selector"], &Path::Root.to("spec").to("selector"), causes);
    }
}

fn mismatch(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let labels = spec.at(&["template", "metadata", "labels"]).cloned().unwrap_or_default();
    causes.invalid(&path.to("metadata").to("labels"), labels, NO_MATCH);
}

fn template(spec: &Value, set: &str, path: &Path<'_>, causes: &mut Causes) {
    if !selects(spec) {
        mismatch(spec, path, causes);
    }
    pods(spec, set, path, causes);
}

fn pods(spec: &Value, set: &str, path: &Path<'_>, causes: &mut Causes) {
    pod::template(spec.get("template").unwrap_or(&Value::Null), path, causes);
    restarts(spec, set, path, causes);
}

/// The pods of a set run for ever.
fn restarts(spec: &Value, set: &str, path: &Path<'_>, causes: &mut Causes) {
    let path = path.to("spec");
    let policy = spec.text(&["template", "spec", "restartPolicy"]);
    if policy != "Always" {
        causes.unsupported(&path.to("restartPolicy"), policy, &["Always"]);
    }
    if spec.has(&["template", "spec", "activeDeadlineSeconds"]) {
        let detail = format!("activeDeadlineSeconds in {set} is not Supported");
        causes.forbidden(&path.to("activeDeadlineSeconds"), detail);
    }
}

/// A percentage of at most a hundred.
fn not_more_than_all(value: &Value, path: &Path<'_>, causes: &mut Causes) {
    if percent_of(value).is_some_and(|percent| percent > 100) {
        causes.invalid(path, value.clone(), "must not be greater than 100%");
    }
}

fn strategy(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to("rollingUpdate");
    let null = Value::Null;
    match spec.text(&["strategy", "type"]) {
        "Recreate" if spec.has(&["strategy", "rollingUpdate"]) => {
            causes.forbidden(&at, "may not be specified when strategy `type` is 'Recreate'");
        }
        "Recreate" => {}
        "RollingUpdate" => {
            let rolling = spec.at(&["strategy", "rollingUpdate"]).unwrap_or(&null);
            let (unavailable, surge) = (&rolling["maxUnavailable"], &rolling["maxSurge"]);
            number_or_percent(unavailable, &at.to("maxUnavailable"), causes);
            number_or_percent(surge, &at.to("maxSurge"), causes);
            if is_nothing(unavailable) && is_nothing(surge) {
                let detail = "may not be 0 when `maxSurge` is 0";
                causes.invalid(&at.to("maxUnavailable"), unavailable.clone(), detail);
            }
            not_more_than_all(unavailable, &at.to("maxUnavailable"), causes);
        }
        other => {
            let shown = shown_strategy(spec.get("strategy"), other);
            causes.unsupported_as(path, shown, &["Recreate", "RollingUpdate"]);
        }
    }
}

/// A strategy as the API server keeps it.
fn shown_strategy(strategy: Option<&Value>, kind: &str) -> String {
    let zero = serde_json::json!(0);
    let rolling = strategy.and_then(|strategy| strategy.get("rollingUpdate")).filter(|rolling| !rolling.is_null());
    let rolling = rolling.map_or_else(
        || "null".into(),
        |rolling| {
            let of = |key: &str| rolling.get(key).unwrap_or(&zero).clone();
            format!("{{\"MaxUnavailable\":{},\"MaxSurge\":{}}}", of("maxUnavailable"), of("maxSurge"))
        },
    );
    format!("{{\"Type\":{},\"RollingUpdate\":{rolling}}}", super::causes::quoted(kind))
}

fn daemon_strategy(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to("rollingUpdate");
    let null = Value::Null;
    match spec.text(&["updateStrategy", "type"]) {
        "OnDelete" => {}
        "RollingUpdate" => {
            let rolling = spec.at(&["updateStrategy", "rollingUpdate"]).unwrap_or(&null);
            let (unavailable, surge) = (&rolling["maxUnavailable"], &rolling["maxSurge"]);
            number_or_percent(unavailable, &at.to("maxUnavailable"), causes);
            number_or_percent(surge, &at.to("maxSurge"), causes);
            not_more_than_all(unavailable, &at.to("maxUnavailable"), causes);
            not_more_than_all(surge, &at.to("maxSurge"), causes);
            match (is_nothing(unavailable), is_nothing(surge)) {
                (false, false) => {
                    let detail = "may not be set when maxUnavailable is non-zero";
                    causes.invalid(&at.to("maxSurge"), surge.clone(), detail);
                }
                (true, true) => causes.required(&at.to("maxUnavailable"), "cannot be 0 when maxSurge is 0"),
                _ => {}
            }
        }
        other => {
            let shown = shown_strategy(spec.get("updateStrategy"), other);
            causes.unsupported_as(path, shown, &["RollingUpdate", "OnDelete"]);
        }
    }
}

fn stateful_strategy(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to("rollingUpdate");
    let rolling = spec.at(&["updateStrategy", "rollingUpdate"]);
    match (spec.text(&["updateStrategy", "type"]), rolling) {
        ("OnDelete", Some(_)) => {
            let partition = spec.number(&["updateStrategy", "rollingUpdate", "partition"]).unwrap_or_default();
            let shown = format!("{{\"Partition\":{partition},\"MaxUnavailable\":null}}");
            causes.invalid_as(&at, shown, "only allowed for updateStrategy 'RollingUpdate'");
        }
        ("OnDelete", None) | ("RollingUpdate", None) => {}
        ("RollingUpdate", Some(rolling)) => {
            not_negative(rolling, &["partition"], &at, causes);
        }
        (other, _) => {
            let shown = format!("{{\"Type\":{},\"RollingUpdate\":null}}", super::causes::quoted(other));
            causes.invalid_as(path, shown, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

/// Judges what a controller writes as the status of its set.
pub(super) fn status(object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("status");
    let Some(status) = object.get("status") else { return };
    let numbers = [
        "replicas",
        "fullyLabeledReplicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
    ];
    not_negative(status, &numbers, &path, causes);
    let count = |key: &str| status.number(&[key]).unwrap_or_default();
    for key in ["fullyLabeledReplicas", "currentReplicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        if count(key) > count("replicas") {
            causes.invalid(&path.to(key), count(key), "cannot be greater than status.replicas");
        }
    }
    if count("availableReplicas") > count("readyReplicas") {
        let detail = "cannot be greater than readyReplicas";
        causes.invalid(&path.to("availableReplicas"), count("availableReplicas"), detail);
    }
}
