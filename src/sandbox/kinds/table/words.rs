//! The words that several kinds' cells are made of.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::edit::{Fields, Read};
use crate::rules::selector::selector_text;

/// How long ago the time at the keys was; `<unknown>` where there is none.
pub(super) fn age_of(object: &Value, keys: &[&str], now: Timestamp) -> String {
    age(object.text(keys), now)
}

pub(super) fn age(time: &str, now: Timestamp) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => span(now.as_second() - time.as_second()),
        Err(_) => "<unknown>".into(),
    }
}

/// A span of seconds in at most two units: `5m30s`, `3h`, `12d`.
///
/// Source: `HumanDuration` of `k8s.io/apimachinery/pkg/util/duration`.
pub(super) fn span(seconds: i64) -> String {
    let two = |large: i64, unit: &str, small: i64, part: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{part}"),
    };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match (seconds, minutes, hours) {
        (..=-2, ..) => "<invalid>".into(),
        (-1, ..) => "0s".into(),
        (..=119, ..) => format!("{seconds}s"),
        (_, ..=9, _) => two(minutes, "m", seconds % 60, "s"),
        (_, ..=179, _) => format!("{minutes}m"),
        (_, _, ..=7) => two(hours, "h", minutes % 60, "m"),
        (_, _, ..=47) => format!("{hours}h"),
        (_, _, ..=191) => two(hours / 24, "d", hours % 24, "h"),
        (_, _, ..=17519) => format!("{}d", hours / 24),
        (_, _, ..=70079) => two(hours / 24 / 365, "y", hours / 24 % 365, "d"),
        _ => format!("{}y", hours / 24 / 365),
    }
}

/// A text, or `<none>`.
pub(super) fn or_none(text: &str) -> String {
    or(text, "<none>")
}

pub(super) fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.into() } else { text.into() }
}

/// `a=b,c=d`, or `<none>`.
pub(super) fn labels(labels: Option<&Fields>) -> String {
    let mut pairs: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort();
    or_none(&pairs.join(","))
}

/// A label selector as text, or `<none>`.
pub(super) fn selector(selector: Option<&Value>) -> String {
    let fields = selector.and_then(Value::as_object);
    or_none(&fields.map(selector_text).unwrap_or_default())
}

/// The names and the images of containers, each with commas.
pub(super) fn containers(containers: &[Value]) -> [Value; 2] {
    ["name", "image"].map(|key| {
        let texts: Vec<&str> = containers.iter().map(|container| container.text(&[key])).collect();
        json!(texts.join(","))
    })
}

/// A number; 0 where there is none.
pub(super) fn count(object: &Value, keys: &[&str]) -> i64 {
    object.number(keys).unwrap_or_default()
}

/// A number or text, as text.
pub(super) fn either(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The first three, and how many more there are.
pub(super) fn at_most_three(all: &[String]) -> String {
    let first = all.iter().take(3).cloned().collect::<Vec<_>>().join(",");
    if all.len() > 3 { format!("{first} + {} more...", all.len() - 3) } else { first }
}
