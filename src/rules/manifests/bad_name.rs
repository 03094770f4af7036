//! Names that are not formed as Kubernetes wants them.

use serde_json::Value;

use super::{
    rule::{Check, Findings, Rule},
    walk::{Seen, Visit},
};
use crate::{model::Severity, schema::builtin};

pub(super) static RULE: Rule = Rule {
    code: "bad-name",
    severity: Severity::Error,
    summary: "A name, label or label value is not formed as Kubernetes wants it",
    help: "The API server refuses the object. Most names are lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit.",
    check: Check::Field(check),
};

fn check(visit: &Visit<'_>, findings: &mut Findings) {
    let Seen::Value { value, field: Some((parent, field)), .. } = visit.seen else { return };
    let form = match (parent.short_name(), field.name.as_str()) {
        ("ObjectMeta", "name") if visit.trail.depth() == 2 => object_form(visit),
        ("ObjectMeta", "namespace") if visit.trail.depth() == 2 => Some(LABEL),
        ("Container" | "EphemeralContainer" | "Volume", "name") => Some(LABEL),
        ("ServicePort", "name") => Some(LABEL),
        ("ContainerPort", "name") => Some(PORT),
        // A metric's labels are those of the metrics system, which has its own rules.
        ("LabelSelector", _) if visit.object().is_some_and(|found| found.reference.group() == "autoscaling") => None,
        ("ObjectMeta", "labels") | ("LabelSelector", "matchLabels") | ("ServiceSpec", "selector") => {
            return labels(visit, value, true, findings);
        }
        ("ObjectMeta", "annotations") => return labels(visit, value, false, findings),
        _ => None,
    };
    // An empty name is a missing one.
    let (Some(form), Some(text)) = (form, value.as_str().filter(|text| !text.is_empty())) else { return };
    if !(form.fits)(text) {
        let message = format!("{text:?} is no valid name here: {}", form.words);
        findings.add(visit.manifest, visit.trail.path(), message);
    }
}

/// How a name is formed, and that in words.
#[derive(Clone, Copy)]
struct Form {
    fits: fn(&str) -> bool,
    words: &'static str,
}

const LABEL: Form =
    Form { fits: is_label, words: "at most 63 lower-case letters, digits and '-', letters or digits at both ends" };
const SERVICE: Form =
    Form { fits: is_service, words: "at most 63 lower-case letters, digits and '-', beginning with a letter" };
const SUBDOMAIN: Form = Form {
    fits: is_subdomain,
    words: "at most 253 lower-case letters, digits, '-' and '.', letters or digits at both ends of each part",
};
const CRON_JOB: Form = Form {
    fits: |text| is_subdomain(text) && text.len() <= 52,
    words: "at most 52 lower-case letters, digits, '-' and '.', letters or digits at both ends",
};
const SEGMENT: Form =
    Form { fits: |text| !matches!(text, "." | "..") && !text.contains(['/', '%']), words: "no '/' and no '%'" };
const PORT: Form = Form {
    fits: |text| {
        is_label(text) && text.len() <= 15 && text.contains(|c: char| c.is_ascii_lowercase()) && !text.contains("--")
    },
    words: "at most 15 lower-case letters, digits and single '-', at least one letter",
};

/// The form of the name of a built-in kind; what an unknown kind wants, nobody knows.
fn object_form(visit: &Visit<'_>) -> Option<Form> {
    let reference = &visit.object()?.reference;
    builtin().kind(&reference.api_version, &reference.kind)?;
    Some(match (reference.group(), reference.kind.as_str()) {
        ("", "Namespace") => LABEL,
        ("", "Service") => SERVICE,
        ("batch", "CronJob") => CRON_JOB,
        // Named after the address, which may be of version 6.
        ("networking.k8s.io", "IPAddress") => return None,
        ("rbac.authorization.k8s.io", _) => SEGMENT,
        ("" | "apps" | "batch" | "networking.k8s.io" | "autoscaling" | "storage.k8s.io", _) => SUBDOMAIN,
        _ => return None,
    })
}

/// Keys, and for labels their values. Called for the map, and for each of its values, which it leaves alone.
fn labels(visit: &Visit<'_>, value: &Value, with_values: bool, findings: &mut Findings) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = || visit.trail.path().key(key);
        if !is_key(key) {
            let what = if with_values { "label" } else { "annotation" };
            let words =
                "expected prefix/name, the prefix a domain, the name at most 63 letters, digits, '-', '_' and '.'";
            findings.add(visit.manifest, path(), format!("{key:?} is no valid {what} key: {words}"));
        } else if with_values && value.as_str().is_some_and(|text| !is_label_value(text)) {
            let words = "expected at most 63 letters, digits, '-', '_' and '.', letters or digits at both ends";
            findings.add(visit.manifest, path(), format!("{value} is no valid label value: {words}"));
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    let inner = |byte| is_plain(byte) || byte == b'-';
    text.len() <= 63 && text.bytes().all(inner) && ends(text, is_plain)
}

fn is_service(text: &str) -> bool {
    is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn is_subdomain(text: &str) -> bool {
    let inner = |byte| is_plain(byte) || byte == b'-';
    text.len() <= 253 && text.split('.').all(|part| part.bytes().all(inner) && ends(part, is_plain))
}

fn is_label_value(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.is_empty() || (text.len() <= 63 && text.bytes().all(inner) && ends(text, |byte| byte.is_ascii_alphanumeric()))
}

fn is_key(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    // The API server looks at prefixes without regard to case only for annotations; nobody writes others.
    prefix.is_none_or(|prefix| is_subdomain(&prefix.to_ascii_lowercase())) && !name.is_empty() && is_label_value(name)
}

/// Whether the first and the last byte fit; false for nothing.
fn ends(text: &str, fits: fn(u8) -> bool) -> bool {
    text.bytes().next().is_some_and(fits) && text.bytes().last().is_some_and(fits)
}
