//! Label selectors.

use serde_json::Value;

use crate::model::Step;

/// Whether a map of labels has every pair of `wanted`.
pub fn has_all(labels: &Value, wanted: &Value) -> bool {
    wanted.as_object().into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value))
}

/// Labels as `key=value, key=value`.
pub fn in_words(labels: &Value) -> String {
    let pairs = labels.as_object().into_iter().flatten();
    let pairs = pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    pairs.collect::<Vec<_>>().join(", ")
}

/// The first requirement of a LabelSelector that labels do not meet, as the way to it in the selector with words for
/// the reader; None when they meet all.
pub fn unmet(selector: &Value, labels: &Value) -> Option<(Vec<Step>, String)> {
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        if labels.get(key) != Some(value) {
            let words = format!("{key}={}", value.as_str().unwrap_or_default());
            return Some((vec![Step::Key("matchLabels".into()), Step::Key(key.clone())], words));
        }
    }
    for (index, expression) in selector["matchExpressions"].as_array().into_iter().flatten().enumerate() {
        let (key, operator) = (expression["key"].as_str()?, expression["operator"].as_str()?);
        let values = expression["values"].as_array().map(Vec::as_slice).unwrap_or_default();
        let label = labels.get(key);
        let met = match operator {
            "In" => label.is_some_and(|label| values.contains(label)),
            "NotIn" => label.is_none_or(|label| !values.contains(label)),
            "Exists" => label.is_some(),
            "DoesNotExist" => label.is_none(),
            // Another rule says that the operator is wrong.
            _ => true,
        };
        if !met {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            let words = format!("{key} {operator} {}", values.join(", "));
            return Some((vec![Step::Key("matchExpressions".into()), Step::Index(index)], words.trim_end().into()));
        }
    }
    None
}
