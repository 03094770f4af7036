//! The group batch.
//!
//! Source: `pkg/apis/batch/validation`.

use serde_json::Value;

use super::{
    super::edit::{Edit, Fields, Read},
    causes::{Causes, Path},
    common::{not_negative, one_of, optional_one_of},
    internal, meta, pod, text,
};
use crate::rules::schedule::Schedule;

pub(super) fn create(job: &Value, causes: &mut Causes) {
    content(job, causes);
}

/// What a Job holds, with the name that its pods take from it.
pub(super) fn content(job: &Value, causes: &mut Causes) {
    generated_selector(job, causes);
    with_selector(job, causes);
    let spec = job.get("spec").unwrap_or(&Value::Null);
    let completions = spec.number(&["completions"]).unwrap_or_default();
    if spec.text(&["completionMode"]) == "Indexed" && completions > 0 {
        let name = job.text(&["metadata", "name"]);
        let host = format!("{name}-{}", completions - 1);
        if !text::dns_label(&host).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {host}");
            causes.invalid(&Path::Root.to("metadata").to("name"), name, detail);
        }
    }
}

/// A Job that selects its own pods has the labels for it, and no others.
fn generated_selector(job: &Value, causes: &mut Causes) {
    if job.is_true(&["spec", "manualSelector"]) || !job.has(&["spec", "selector"]) {
        return;
    }
    let path = Path::Root.to("spec");
    let at = path.to("template");
    let at = at.to("metadata");
    let (uid, name) = (job.text(&["metadata", "uid"]), job.text(&["metadata", "name"]));
    let expected = [
        ("controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
    ];
    let labels = at.to("labels");
    for (key, wanted) in expected {
        let found = job.at(&["spec", "template", "metadata", "labels", key]).and_then(Value::as_str);
        match found {
            None => causes.required(&labels.key(key), format!("must be '{wanted}'")),
            Some(found) if found != wanted => {
                let all = job.at(&["spec", "template", "metadata", "labels"]).cloned().unwrap_or_default();
                causes.invalid(&labels.key(key), all, format!("must be '{wanted}'"));
            }
            Some(_) => {}
        }
    }
    let expected: Fields = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    let selector = job.at(&["spec", "selector"]).unwrap_or(&Value::Null);
    if !meta::matches(selector, Some(&expected)) {
        causes.invalid(&path.to("selector"), selector.clone(), "`selector` not auto-generated");
    }
}

fn with_selector(job: &Value, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = job.get("spec") else { return };
    common(spec, &path, causes);
    let selector = spec.get("selector");
    match selector {
        None => causes.required(&path.to("selector"), ""),
        Some(selector) => meta::selector(selector, &path.to("selector"), causes),
    }
    if !selector.is_some_and(|chosen| meta::matches(chosen, spec.fields(&["template", "metadata", "labels"]))) {
        let labels = spec.at(&["template", "metadata", "labels"]).cloned().unwrap_or_default();
        let at = path.to("template");
        let at = at.to("metadata");
        causes.invalid(&at.to("labels"), labels, "`selector` does not match template `labels`");
    }
}

/// A Job that is changed: what its pods are like stays.
pub(super) fn changed(job: &Value, live: &Value, causes: &mut Causes) {
    with_selector(job, causes);
    let path = Path::Root.to("spec");
    let indexed = job.text(&["spec", "completionMode"]) == "Indexed";
    if !indexed {
        meta::immutable(job, live, &["spec", "completions"], &path.to("completions"), causes);
    } else if let Some(completions) = job.number(&["spec", "completions"])
        && live.number(&["spec", "completions"]) != Some(completions)
        && job.number(&["spec", "parallelism"]) != Some(completions)
    {
        let detail = "can only be modified in tandem with spec.parallelism";
        causes.invalid(&path.to("completions"), completions, detail);
    }
    meta::immutable(job, live, &["spec", "selector"], &path.to("selector"), causes);
    fixed_template(job, live, &path.to("template"), causes);
    for key in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
        meta::immutable(job, live, &["spec", key], &path.to(key), causes);
    }
}

/// The template stays as it is; while a Job is suspended and never ran, where its pods go may change.
fn fixed_template(job: &Value, live: &Value, path: &Path<'_>, causes: &mut Causes) {
    let mut old = live.at(&["spec", "template"]).cloned().unwrap_or_default();
    let new = job.at(&["spec", "template"]).cloned().unwrap_or_default();
    let waiting = live.is_true(&["spec", "suspend"]) && !live.has(&["status", "startTime"]);
    if waiting && let (Some(old), Some(new)) = (old.as_object_mut(), new.as_object()) {
        let empty = Fields::new();
        for (part, keys) in [
            ("metadata", &["labels", "annotations"][..]),
            ("spec", &["affinity", "nodeSelector", "tolerations", "schedulingGates"][..]),
        ] {
            let from = new.fields(&[part]).unwrap_or(&empty);
            if let Some(to) = old.within(part) {
                keys.iter().for_each(|key| to.copy(key, from));
            }
        }
    }
    if old != new {
        causes.invalid_as(path, internal::shown("PodTemplateSpec", &new), meta::IMMUTABLE);
    }
}

/// What Jobs and their templates have in common.
fn common(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let numbers = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    not_negative(spec, &numbers, path, causes);
    if spec.has(&["maxFailedIndexes"]) && !spec.has(&["backoffLimitPerIndex"]) {
        causes.required(&path.to("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    optional_one_of(spec, "completionMode", &["NonIndexed", "Indexed"], path, causes);
    if spec.text(&["completionMode"]) == "Indexed" {
        indexed(spec, path, causes);
    } else {
        for key in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(number) = spec.number(&[key]) {
                causes.invalid(&path.to(key), number, "requires indexed completion mode");
            }
        }
    }
    failure_policy(spec, path, causes);
    if spec.has(&["successPolicy"]) && spec.text(&["completionMode"]) != "Indexed" {
        let policy = spec.get("successPolicy").cloned().unwrap_or_default();
        causes.invalid(&path.to("successPolicy"), policy, "requires indexed completion mode");
    }
    let replacements: &[&str] =
        if spec.has(&["podFailurePolicy"]) { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    optional_one_of(spec, "podReplacementPolicy", replacements, path, causes);
    let at = path.to("template");
    pod::template(spec.get("template").unwrap_or(&Value::Null), &at, causes);
    let pods = at.to("spec");
    let at = pods.to("restartPolicy");
    match spec.text(&["template", "spec", "restartPolicy"]) {
        "" | "Always" => causes.required(&at, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if spec.has(&["podFailurePolicy"]) => {
            let detail = "only \"Never\" is supported when podFailurePolicy is specified";
            causes.invalid(&at, "OnFailure", detail);
        }
        "OnFailure" | "Never" => {}
        other => causes.unsupported(&at, other, &["OnFailure", "Never"]),
    }
}

fn indexed(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let number = |key: &str| spec.number(&[key]);
    if number("completions").is_none() {
        causes.required(&path.to("completions"), "when completion mode is Indexed");
    }
    if let Some(parallel) = number("parallelism").filter(|parallel| *parallel > 100_000) {
        let detail = "must be less than or equal to 100000 when completion mode is Indexed";
        causes.invalid(&path.to("parallelism"), parallel, detail);
    }
    let (completions, failed) = (number("completions"), number("maxFailedIndexes"));
    if let (Some(completions), Some(failed)) = (completions, failed)
        && failed > completions
    {
        causes.invalid(&path.to("maxFailedIndexes"), failed, "must be less than or equal to completions");
    }
    if let Some(failed) = failed.filter(|failed| *failed > 100_000) {
        causes.invalid(&path.to("maxFailedIndexes"), failed, "must be less than or equal to 100000");
    }
}

fn failure_policy(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let at = path.to("podFailurePolicy");
    let list = at.to("rules");
    let rules = spec.items(&["podFailurePolicy", "rules"]);
    if rules.len() > 20 {
        causes.too_many(&list, rules.len(), 20);
    }
    let actions = ["Count", "FailIndex", "FailJob", "Ignore"];
    for (position, rule) in rules.iter().enumerate() {
        let path = list.index(position);
        let action = rule.text(&["action"]);
        if action == "FailIndex" && !spec.has(&["backoffLimitPerIndex"]) {
            causes.invalid(&path.to("action"), action, "requires the backoffLimitPerIndex to be set");
        }
        one_of(rule, "action", &actions, &path, causes);
        match (rule.has(&["onExitCodes"]), !rule.items(&["onPodConditions"]).is_empty()) {
            (true, true) => {
                let detail = "specifying both OnExitCodes and OnPodConditions is not supported";
                causes.invalid_unseen(&path, detail);
            }
            (false, false) => {
                let detail = "specifying one of OnExitCodes and OnPodConditions is required";
                causes.invalid_unseen(&path, detail);
            }
            _ => {}
        }
    }
}

pub(super) fn cron(object: &Value, live: Option<&Value>, causes: &mut Causes) {
    let path = Path::Root.to("spec");
    let Some(spec) = object.get("spec") else { return };
    let at = path.to("schedule");
    let when = spec.text(&["schedule"]);
    if when.is_empty() {
        causes.required(&at, "");
    } else {
        if let Err(fault) = Schedule::parse(when) {
            causes.invalid(&at, when, fault);
        }
        let before = live.is_some_and(|live| live.text(&["spec", "schedule"]).contains("TZ"));
        if when.contains("TZ") && !before {
            let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            causes.invalid(&at, when, detail);
        } else if when.contains("TZ") && spec.has(&["timeZone"]) {
            causes.invalid(&at, when, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
        }
    }
    not_negative(spec, &["startingDeadlineSeconds"], &path, causes);
    time_zone(spec, &path.to("timeZone"), causes);
    one_of(spec, "concurrencyPolicy", &["Allow", "Forbid", "Replace"], &path, causes);
    let template = path.to("jobTemplate");
    let inner = template.to("spec");
    let null = Value::Null;
    let job = spec.at(&["jobTemplate", "spec"]).unwrap_or(&null);
    common(job, &inner, causes);
    if let Some(selector) = job.get("selector") {
        causes.invalid(&inner.to("selector"), selector.clone(), "`selector` will be auto-generated");
    }
    if job.is_true(&["manualSelector"]) {
        causes.unsupported(&inner.to("manualSelector"), true, &["nil", "false"]);
    }
    not_negative(spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], &path, causes);
}

/// A CronJob's name leaves room for what the names of its Jobs end in.
pub(super) fn cron_name(object: &Value, causes: &mut Causes) {
    let name = object.text(&["metadata", "name"]);
    if name.len() > 52 {
        let at = Path::Root.to("metadata");
        causes.invalid(&at.to("name"), name, "must be no more than 52 characters");
    }
}

fn time_zone(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(zone) = spec.get("timeZone").and_then(Value::as_str) else { return };
    let fits = |part: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+');
        !matches!(part, "" | "." | "..") && !part.starts_with('-') && part.bytes().all(known)
    };
    if zone.is_empty() {
        causes.invalid(path, "", "timeZone must be nil or non-empty string");
    } else if !zone.split('/').all(fits) {
        causes.invalid(path, zone, format!("unknown time zone {zone}"));
    } else if zone.eq_ignore_ascii_case("local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        causes.invalid(path, zone, detail);
        causes.invalid(path, zone, format!("unknown time zone {zone}"));
    } else if jiff::tz::TimeZone::get(zone).is_err() {
        causes.invalid(path, zone, format!("unknown time zone {zone}"));
    }
}
