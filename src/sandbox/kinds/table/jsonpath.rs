//! As much of kubectl's JSONPath as the columns of custom resources may use: fields, positions, wildcards and filters that
//! compare one field with a constant.

use serde_json::Value;

use super::super::edit::Read;

/// The first value that a path such as `.status.conditions[?(@.type=="Ready")].status` leads to.
pub(super) fn first<'v>(path: &str, object: &'v Value) -> Option<&'v Value> {
    let path = path.trim().trim_start_matches('{').trim_end_matches('}');
    let mut found = vec![object];
    let mut rest = path.trim_start_matches('$');
    while !rest.is_empty() {
        let step;
        (step, rest) = next(rest)?;
        found = found.into_iter().flat_map(|value| follow(&step, value)).collect();
        if found.is_empty() {
            return None;
        }
    }
    found.first().copied()
}

enum Step {
    Field(String),
    Position(i64),
    All,
    /// The fields to follow, whether they have to be equal, and the constant.
    Filter(Vec<String>, bool, String),
}

/// The next step of a path, and what follows it.
fn next(path: &str) -> Option<(Step, &str)> {
    if let Some(rest) = path.strip_prefix('[') {
        let end = closing(rest)?;
        let (inner, rest) = (rest.get(..end)?.trim(), rest.get(end + 1..)?);
        return Some((bracket(inner)?, rest));
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let mut name = String::new();
    let mut escaped = false;
    for (position, c) in path.char_indices() {
        match c {
            _ if escaped => {
                name.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '.' | '[' => return field(name, path.get(position..)?),
            c => name.push(c),
        }
    }
    field(name, "")
}

fn field(name: String, rest: &str) -> Option<(Step, &str)> {
    match name.as_str() {
        "" if rest.is_empty() || rest.starts_with('.') => None,
        // `.[0]` is `[0]`.
        "" => next(rest),
        "*" => Some((Step::All, rest)),
        _ => Some((Step::Field(name), rest)),
    }
}

/// Where the bracket that is open ends; brackets in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    for (position, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ']') => return Some(position),
            _ => {}
        }
    }
    None
}

fn bracket(inner: &str) -> Option<Step> {
    if inner == "*" {
        return Some(Step::All);
    }
    if let Some(filter) = inner.strip_prefix("?(").and_then(|inner| inner.strip_suffix(')')) {
        let (left, equal, right) = match (filter.split_once("=="), filter.split_once("!=")) {
            (Some((left, right)), _) => (left, true, right),
            (None, Some((left, right))) => (left, false, right),
            _ => return None,
        };
        let keys = left.trim().strip_prefix('@')?.split('.').filter(|key| !key.is_empty()).map(Into::into).collect();
        return Some(Step::Filter(keys, equal, unquoted(right).to_owned()));
    }
    if inner.starts_with(['\'', '"']) {
        return Some(Step::Field(unquoted(inner).replace("\\.", ".")));
    }
    // Of a range, the columns use the first: `[-1:]`, `[0:2]`.
    inner.split(':').next()?.trim().parse().ok().map(Step::Position)
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['\'', '"'])
}

fn follow<'v>(step: &Step, value: &'v Value) -> Vec<&'v Value> {
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) => fields.get(name).into_iter().collect(),
        (Step::Position(position), Value::Array(items)) => {
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let position = if *position < 0 { position + length } else { *position };
            usize::try_from(position).ok().and_then(|position| items.get(position)).into_iter().collect()
        }
        (Step::All, Value::Array(items)) => items.iter().collect(),
        (Step::All, Value::Object(fields)) => fields.values().collect(),
        (Step::Filter(keys, equal, wanted), Value::Array(items)) => {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let fits = |item: &&Value| match item.at(&keys) {
                Some(Value::String(text)) => (text == wanted) == *equal,
                Some(other) => {
                    let shown = other.to_string();
                    (shown == *wanted) == *equal
                }
                None => false,
            };
            items.iter().filter(fits).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let object = json!({
            "metadata": {"labels": {"a.b/c": "x"}},
            "status": {"conditions": [{"type": "A", "status": "False"}, {"type": "Ready", "status": "True"}], "n": 3},
        });
        let cases = [
            (".status.n", Some(json!(3))),
            (".status.conditions[?(@.type==\"Ready\")].status", Some(json!("True"))),
            (".status.conditions[?(@.type!='Ready')].status", Some(json!("False"))),
            (".status.conditions[0].type", Some(json!("A"))),
            (".status.conditions[-1:].type", Some(json!("Ready"))),
            (".status.conditions[*].type", Some(json!("A"))),
            (".metadata.labels.a\\.b/c", Some(json!("x"))),
            (".metadata.labels['a.b/c']", Some(json!("x"))),
            (".status.none.deeper", None),
            (".status[", None),
            ("..", None),
        ];
        for (path, expected) in cases {
            assert_eq!(first(path, &object), expected.as_ref(), "{path}");
        }
    }
}
