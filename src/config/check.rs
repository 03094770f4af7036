//! The settings as written, held against the JSON Schema: every problem, with its place.

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value as Json;

use super::{
    document::{Entry, Node, Position, Value},
    formats,
};
use crate::model::ConfigProblem;

/// Checks a document against a schema whose keywords are those that `schema` emits.
pub(super) fn check(file: &str, document: &Node, schema: &Json) -> Vec<ConfigProblem> {
    let mut checker = Checker { file, root: schema, problems: Vec::new(), patterns: HashMap::new() };
    checker.check(document, schema, "");
    checker.problems
}

/// A path one step deeper. A key with a dot is quoted, so that the path stays readable.
pub(super) fn below(path: &str, key: &str) -> String {
    let key = if key.contains('.') { format!("{key:?}") } else { key.to_owned() };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// The known name nearest to a misspelt one, when one is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    known
        .into_iter()
        .map(|other| (distance(other), other))
        .filter(|(distance, other)| *distance <= 1 + other.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

struct Checker<'a> {
    file: &'a str,
    root: &'a Json,
    problems: Vec<ConfigProblem>,
    /// Patterns are few, used often, and slow to make.
    patterns: HashMap<&'a str, Option<Regex>>,
}

impl<'a> Checker<'a> {
    fn check(&mut self, node: &Node, schema: &'a Json, path: &str) {
        let Some(schema) = self.branch(node, schema) else {
            return self.wrong_type(node, schema, path);
        };
        match &node.value {
            Value::Map(entries) => self.map(node, entries, schema, path),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(schema) = schema.get("items") {
                        self.check(item, schema, &format!("{path}[{index}]"));
                    }
                }
            }
            Value::Text(text) => self.text(node, text, schema, path),
            Value::Number(number) => self.number(node, number, schema, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The schema behind references and alternatives that takes this kind of value.
    fn branch(&self, node: &Node, schema: &'a Json) -> Option<&'a Json> {
        let schema = self.resolve(schema);
        match schema.get("anyOf").and_then(Json::as_array) {
            Some(branches) => branches.iter().find_map(|branch| self.branch(node, branch)),
            None => self.types(schema).iter().any(|name| takes(name, &node.value)).then_some(schema),
        }
    }

    fn resolve(&self, schema: &'a Json) -> &'a Json {
        let target = schema.get("$ref").and_then(Json::as_str).and_then(|reference| reference.strip_prefix('#'));
        target.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema)
    }

    fn types(&self, schema: &'a Json) -> Vec<&'a str> {
        let schema = self.resolve(schema);
        if let Some(branches) = schema.get("anyOf").and_then(Json::as_array) {
            return branches.iter().flat_map(|branch| self.types(branch)).collect();
        }
        match schema.get("type") {
            Some(Json::String(name)) => vec![name],
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
            // An enumeration with a description for each value has the type in the values.
            _ => vec!["string"],
        }
    }

    fn map(&mut self, node: &Node, entries: &[Entry], schema: &'a Json, path: &str) {
        let properties = schema.get("properties").and_then(Json::as_object);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        for entry in entries {
            let below = below(path, &entry.key);
            match properties.and_then(|properties| properties.get(&entry.key)).or(others) {
                Some(schema) => self.check(&entry.value, schema, &below),
                None => self.unknown_key(entry, properties.into_iter().flat_map(|known| known.keys()), path),
            }
            self.key(entry, schema, path);
        }
        let has = |name: &str| node.get(name).is_some_and(|value| value.value != Value::Null);
        for name in names(schema.get("required")) {
            if !has(name) {
                let message = format!("{}the key {name:?} is missing", prefix(path));
                self.report(node.position, path, message, None);
            }
        }
        self.choice(node, schema, path, has);
    }

    /// The rules between keys: one of several, not both, one only with another.
    fn choice(&mut self, node: &Node, schema: &'a Json, path: &str, has: impl Fn(&str) -> bool) {
        if let Some(branches) = schema.get("oneOf").and_then(Json::as_array) {
            let choices: Vec<&str> = branches.iter().flat_map(|branch| names(branch.get("required"))).collect();
            let chosen: Vec<&str> = choices.iter().copied().filter(|name| has(name)).collect();
            if chosen.len() != 1 {
                let got = if chosen.is_empty() { "none".to_owned() } else { series(&chosen, "and") };
                let message = format!("{}expected one of {}, got {got}", prefix(path), series(&choices, "and"));
                self.report(node.position, path, message, None);
            }
        }
        let excluded: Vec<&str> = names(schema.pointer("/not/required")).collect();
        if !excluded.is_empty() && excluded.iter().all(|name| has(name)) {
            let message = format!("{}expected only one of {}", prefix(path), series(&excluded, "and"));
            self.report(node.position, path, message, None);
        }
        for (name, needs) in schema.get("dependentRequired").and_then(Json::as_object).into_iter().flatten() {
            for needed in names(Some(needs)).filter(|needed| has(name) && !has(needed)) {
                let message = format!("{}{name:?} goes only with {needed:?}", prefix(path));
                self.report(node.position, path, message, None);
            }
        }
    }

    fn unknown_key(&mut self, entry: &Entry, known: impl Iterator<Item = &'a String>, path: &str) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let place = if path.is_empty() { String::new() } else { format!(" in {path}") };
        let mut message = format!("unknown key {:?}{place}", entry.key);
        let hint = match nearest(&entry.key, known.iter().copied()) {
            Some(near) => {
                message.push_str(&format!("; did you mean {near:?}?"));
                None
            }
            None => Some(format!("the keys here are {}", series(&known, "and"))),
        };
        self.report(entry.position, &below(path, &entry.key), message, hint);
    }

    fn key(&mut self, entry: &Entry, schema: &'a Json, path: &str) {
        if let Some(pattern) = schema.pointer("/propertyNames/pattern").and_then(Json::as_str)
            && !self.matches(pattern, &entry.key)
        {
            let expected = formats::expected(pattern).unwrap_or(pattern);
            let message = format!("{}the key {:?} has to be {expected}", prefix(path), entry.key);
            self.report(entry.position, &below(path, &entry.key), message, None);
        }
    }

    fn text(&mut self, node: &Node, text: &str, schema: &'a Json, path: &str) {
        let values = values(schema);
        if !values.is_empty() {
            if !values.contains(&text) {
                let near = nearest(text, values.iter().copied());
                let suggestion = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                let message = format!("{}expected {}, got {text:?}{suggestion}", prefix(path), series(&values, "or"));
                self.report(node.position, path, message, None);
            }
            return;
        }
        let short = schema.get("minLength").and_then(Json::as_u64).is_some_and(|least| (text.len() as u64) < least);
        let pattern = schema.get("pattern").and_then(Json::as_str);
        if short || pattern.is_some_and(|pattern| !self.matches(pattern, text)) {
            let expected = pattern.map_or("some text", |pattern| formats::expected(pattern).unwrap_or(pattern));
            // Among the secrets the text stays unsaid: it may be one, written at the wrong place.
            let got = if path.contains("secrets[") { "something else".to_owned() } else { format!("{text:?}") };
            self.report(node.position, path, format!("{}expected {expected}, got {got}", prefix(path)), None);
        }
    }

    fn number(&mut self, node: &Node, number: &serde_json::Number, schema: &'a Json, path: &str) {
        let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
        let value = number.as_f64().unwrap_or_default();
        let (least, most) = (bound("minimum").unwrap_or(f64::MIN), bound("maximum").unwrap_or(f64::from(u32::MAX)));
        if value < least || value > most {
            let message = format!("{}expected a number from {least} to {most}, got {number}", prefix(path));
            self.report(node.position, path, message, None);
        }
    }

    fn wrong_type(&mut self, node: &Node, schema: &'a Json, path: &str) {
        let schema = self.resolve(schema);
        let types = self.types(schema);
        let expected = match schema.get("pattern").and_then(Json::as_str).and_then(formats::expected) {
            Some(expected) => expected.to_owned(),
            None => {
                let words: Vec<&str> = types.iter().filter(|name| **name != "null").map(|name| word(name)).collect();
                series(&words, "or")
            }
        };
        let mut quoted = |text: &str| {
            let pattern = schema.get("pattern").and_then(Json::as_str);
            types.contains(&"string") && pattern.is_none_or(|pattern| self.matches(pattern, text))
        };
        let hint = match &node.value {
            Value::Number(number) if quoted(&number.to_string()) => Some("put the value in quotes".to_owned()),
            Value::Bool(value) if quoted(&value.to_string()) => Some("put the value in quotes".to_owned()),
            _ if names(schema.pointer("/dependentRequired/length")).next().is_some() => Some(
                "write {env: VARIABLE}, {file: PATH} or {generate: password}; secret values do not belong in this file"
                    .to_owned(),
            ),
            _ => None,
        };
        let message = format!("{}expected {expected}, got {}", prefix(path), kind(&node.value));
        self.report(node.position, path, message, hint);
    }

    fn matches(&mut self, pattern: &'a str, text: &str) -> bool {
        let made = self.patterns.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
        made.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }

    fn report(&mut self, position: Position, path: &str, message: String, hint: Option<String>) {
        self.problems.push(ConfigProblem { place: position.of(self.file), path: path.to_owned(), message, hint });
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// The strings in a JSON list.
fn names(list: Option<&Json>) -> impl Iterator<Item = &str> {
    list.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

/// The values of an enumeration; none where any text is allowed.
fn values(schema: &Json) -> Vec<&str> {
    let constants = schema.get("oneOf").and_then(Json::as_array).into_iter().flatten();
    let constants = constants.filter_map(|value| value.get("const").and_then(Json::as_str));
    let listed = constants.chain(schema.get("const").and_then(Json::as_str));
    let mut values: Vec<&str> = listed.chain(names(schema.get("enum"))).collect();
    for group in schema.get("oneOf").and_then(Json::as_array).into_iter().flatten() {
        values.extend(names(group.get("enum")));
    }
    values
}

fn takes(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => name == "integer" && !number.is_f64(),
        Value::Text(_) => name == "string",
        Value::List(_) => name == "array",
        Value::Map(_) => name == "object",
    }
}

fn word(name: &str) -> &str {
    match name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "array" => "a list",
        "object" => "a map",
        _ => "a string",
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::Text(_) => "a string",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

/// Words as a series: `a, b and c`.
fn series(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
