//! Label selectors as text, as in `-l app=api,tier!=front,env in (dev,test),!legacy`
//! (k8s.io/apimachinery/pkg/labels, `Parse`).

use std::{cmp::Reverse, collections::BTreeSet};

use serde_json::{Map, Value};

use super::fields::{list, text};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    /// A label that is a number above this one.
    Above(String, i64),
    Below(String, i64),
}

/// A label selector; all of its requirements must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

impl Selector {
    /// Reads the text of a selector.
    ///
    /// # Errors
    /// The requirement that cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        split(text).into_iter().filter(|part| !part.is_empty()).map(requirement).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the labels of an object fit.
    pub fn matches(&self, object: &Value) -> bool {
        let label = |key: &String| object["metadata"]["labels"].get(key).and_then(Value::as_str);
        let read = |text: &str| text.parse::<i64>().ok();
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            // As in Kubernetes, an absent label is not in any list.
            Requirement::NotIn(key, values) => label(key).is_none_or(|value| values.iter().all(|other| other != value)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
            Requirement::Above(key, number) => label(key).and_then(read).is_some_and(|found| found > *number),
            Requirement::Below(key, number) => label(key).and_then(read).is_some_and(|found| found < *number),
        })
    }
}

/// The selector of an object as text: `app=web,tier in (a,b)`.
///
/// Source: `LabelSelectorAsSelector` of `k8s.io/apimachinery/pkg/apis/meta/v1`, whose requirements are sorted by key.
pub fn selector_text(selector: &Map<String, Value>) -> String {
    let labels = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut found: Vec<(&str, String)> = labels.map(|(key, value)| (key.as_str(), equals(key, value))).collect();
    for requirement in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = text(requirement, "/key");
        let mut values: Vec<&str> = list(requirement, "/values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let words = match text(requirement, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        found.push((key, words));
    }
    joined(found)
}

/// A selector that finds the pods of all the workloads: one label key that all of them select by, with their values.
/// None where they have none in common, and for no workloads.
pub fn common_selector<'v>(workloads: impl IntoIterator<Item = &'v Value>) -> Option<String> {
    let selected: Option<Vec<&Map<String, Value>>> = workloads
        .into_iter()
        .map(|workload| {
            let selector = workload.pointer("/spec/selector")?;
            // A ReplicationController has no matchLabels around its labels.
            selector.get("matchLabels").unwrap_or(selector).as_object()
        })
        .collect();
    let selected = selected?;
    // The key with the most values tells the workloads apart best.
    let candidates = selected.first()?.keys().filter_map(|key| {
        let values: Option<BTreeSet<&str>> = selected.iter().map(|labels| labels.get(key)?.as_str()).collect();
        values.map(|values| (values.len(), key, values))
    });
    let (_, key, values) = candidates.max_by_key(|(number, key, _)| (*number, Reverse(key.as_str())))?;
    let values: Vec<&str> = values.into_iter().collect();
    Some(format!("{key} in ({})", values.join(",")))
}

/// A set of labels as a selector: `app=web,tier=front`.
pub fn set_text(labels: &Map<String, Value>) -> String {
    joined(labels.iter().map(|(key, value)| (key.as_str(), equals(key, value))).collect())
}

fn equals(key: &str, value: &Value) -> String {
    format!("{key}={}", value.as_str().unwrap_or_default())
}

fn joined(mut requirements: Vec<(&str, String)>) -> String {
    requirements.sort_by(|a, b| a.0.cmp(b.0));
    requirements.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
}

/// Splits at the commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let unreadable = || format!("{text:?} is no requirement of a label selector");
    let key = |key: &str| {
        let key = key.trim();
        let plain = !key.is_empty() && !key.contains(|letter: char| letter.is_whitespace() || "=!(),".contains(letter));
        plain.then(|| key.to_owned()).ok_or_else(unreadable)
    };
    let list = |values: &str| {
        let inside =
            values.trim().strip_prefix('(').and_then(|values| values.strip_suffix(')')).ok_or_else(unreadable)?;
        Ok::<_, String>(inside.split(',').map(|value| value.trim().to_owned()).collect())
    };
    if let Some((name, value)) = text.split_once("!=") {
        return Ok(Requirement::NotIn(key(name)?, vec![value.trim().to_owned()]));
    }
    if let Some((name, value)) = text.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        return Ok(Requirement::In(key(name)?, vec![value.trim().to_owned()]));
    }
    if let Some((name, values)) = text.split_once(" notin ") {
        return Ok(Requirement::NotIn(key(name)?, list(values)?));
    }
    if let Some((name, values)) = text.split_once(" in ") {
        return Ok(Requirement::In(key(name)?, list(values)?));
    }
    for (sign, make) in [('>', Requirement::Above as fn(String, i64) -> Requirement), ('<', Requirement::Below)] {
        if let Some((name, number)) = text.split_once(sign) {
            return Ok(make(key(name)?, number.trim().parse().map_err(|_| unreadable())?));
        }
    }
    match text.strip_prefix('!') {
        Some(name) => Ok(Requirement::Absent(key(name)?)),
        None => Ok(Requirement::Exists(key(text)?)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_choose_as_kubernetes_does() {
        let api = json!({"metadata": {"labels": {"app": "api", "env": "dev", "rank": "4"}}});
        let bare = json!({"metadata": {}});
        for (text, fits_api, fits_bare) in [
            ("app=api", true, false),
            ("app==api,env!=test", true, false),
            ("app!=api", false, true),
            ("env in (dev, test)", true, false),
            ("env notin (dev,test)", false, true),
            ("app", true, false),
            ("!app", false, true),
            ("", true, true),
            ("rank>3", true, false),
            ("rank<3", false, false),
        ] {
            let selector = Selector::parse(text).unwrap();
            assert_eq!((selector.matches(&api), selector.matches(&bare)), (fits_api, fits_bare), "{text}");
        }
        for wrong in ["=api", "app in dev", "a b"] {
            assert!(Selector::parse(wrong).is_err(), "{wrong}");
        }
    }
}
