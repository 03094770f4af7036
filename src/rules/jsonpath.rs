//! As much of kubectl's JSONPath as columns of custom resources and `-o jsonpath=` use: fields, positions, wildcards and
//! filters that compare one field with a constant.

use serde_json::Value;

/// The first value that a path such as `.status.conditions[?(@.type=="Ready")].status` leads to.
pub fn first<'v>(path: &str, object: &'v Value) -> Option<&'v Value> {
    all(path, object).first().copied()
}

/// Every value that a path leads to; none for a path that cannot be read.
pub fn all<'v>(path: &str, object: &'v Value) -> Vec<&'v Value> {
    let path = path.trim().trim_start_matches('{').trim_end_matches('}');
    let mut found = vec![object];
    let mut rest = path.trim_start_matches(['$', '@']);
    while !rest.is_empty() {
        let Some((step, after)) = next(rest) else { return Vec::new() };
        rest = after;
        found = found.into_iter().flat_map(|value| follow(&step, value)).collect();
    }
    found
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
        let end = closing(rest, ']')?;
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

/// Where what is open ends; brackets in quotes do not count.
fn closing(text: &str, end: char) -> Option<usize> {
    let mut quote = None;
    for (position, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c == end => return Some(position),
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
            let at = |item: &'v Value| keys.iter().try_fold(item, |value, key| value.get(key));
            let fits = |item: &&'v Value| match at(item) {
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

/// A template as `-o jsonpath=` takes it: text, paths in braces, and `{range PATH}…{end}`.
///
/// Source: `k8s.io/client-go/util/jsonpath`. What a path finds is written with spaces between; text in quotes inside
/// braces knows `\n` and `\t`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Path(String),
    Range(String, Vec<Part>),
}

impl Template {
    /// Reads a template; braces around a single path may be left out.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = if text.contains('{') { text.to_owned() } else { format!("{{{text}}}") };
        let mut open: Vec<(String, Vec<Part>)> = vec![(String::new(), Vec::new())];
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (before, after) = rest.split_once('{').unwrap_or((rest, ""));
            if !before.is_empty() {
                push(&mut open, Part::Text(before.to_owned()));
            }
            if before.len() == rest.len() {
                break;
            }
            let end = closing(after, '}').ok_or_else(|| format!("{{{after} is not closed"))?;
            let inner = after.get(..end).unwrap_or_default().trim();
            rest = after.get(end + 1..).unwrap_or_default();
            match inner.split_once(char::is_whitespace).map_or((inner, ""), |(word, path)| (word, path.trim())) {
                ("range", path) => open.push((checked(path)?, Vec::new())),
                ("end", _) => match open.pop() {
                    Some((path, parts)) if !open.is_empty() => push(&mut open, Part::Range(path, parts)),
                    _ => return Err("{end} without {range}".into()),
                },
                _ if inner.starts_with(['"', '\'']) => {
                    push(&mut open, Part::Text(unquoted(inner).replace("\\n", "\n").replace("\\t", "\t")));
                }
                _ => push(&mut open, Part::Path(checked(inner)?)),
            }
        }
        match open.pop() {
            Some((_, parts)) if open.is_empty() => Ok(Self(parts)),
            _ => Err("{range} without {end}".into()),
        }
    }

    /// Fills the template in.
    pub fn fill(&self, object: &Value) -> String {
        let mut text = String::new();
        fill(&self.0, object, &mut text);
        text
    }
}

fn push(open: &mut [(String, Vec<Part>)], part: Part) {
    if let Some((_, parts)) = open.last_mut() {
        parts.push(part);
    }
}

fn checked(path: &str) -> Result<String, String> {
    let mut rest = path.trim_start_matches(['$', '@']);
    while !rest.is_empty() {
        (_, rest) = next(rest).ok_or_else(|| format!("{path} is no path"))?;
    }
    Ok(path.to_owned())
}

fn fill(parts: &[Part], object: &Value, text: &mut String) {
    for part in parts {
        match part {
            Part::Text(words) => text.push_str(words),
            Part::Path(path) => {
                let words: Vec<String> = all(path, object).into_iter().map(in_words).collect();
                text.push_str(&words.join(" "));
            }
            Part::Range(path, parts) => all(path, object).into_iter().for_each(|item| fill(parts, item, text)),
        }
    }
}

fn in_words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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

    #[test]
    fn templates_repeat_what_is_in_a_range() {
        let object = json!({"items": [{"name": "a", "n": 1}, {"name": "b", "n": 2}]});
        let filled = |text: &str| Template::parse(text).unwrap().fill(&object);
        assert_eq!(filled("{.items[*].name}"), "a b");
        assert_eq!(filled(".items[0].n"), "1");
        assert_eq!(filled(r#"{range .items[*]}{.name}={@.n}{"\n"}{end}!"#), "a=1\nb=2\n!");
        for wrong in ["{.a", "{end}", "{range .a}x", "{..}"] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }
}
