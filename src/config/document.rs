//! YAML as a tree that knows where each key and value is written.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Spanned, options::DuplicateKeyPolicy};

use crate::{error::Place, model::ConfigProblem};

/// A line and a column, counted from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub line: u32,
    pub column: u32,
}

impl Position {
    /// The place in a file.
    pub fn of(self, file: &str) -> Place {
        Place { file: file.to_owned(), line: self.line, column: self.column }
    }
}

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub position: Position,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub position: Position,
    pub value: Node,
}

impl Node {
    /// A map without entries, as at the begin of a file.
    pub fn empty() -> Self {
        Self { position: Position { line: 1, column: 1 }, value: Value::Map(Vec::new()) }
    }

    /// The value at a key; nothing when this is no map or has no such key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value without its places. Keys that are set to nothing are left out, as if they were not there.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(value) => value.clone().into(),
            Value::Text(value) => value.as_str().into(),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .filter(|entry| entry.value.value != Value::Null)
                .map(|entry| (entry.key.clone(), entry.value.to_json()))
                .collect(),
        }
    }
}

/// Reads the text. A key that is written twice is a problem, and the first one counts.
///
/// # Errors
/// What is no YAML, with its place.
pub(super) fn read(file: &str, text: &str, problems: &mut Vec<ConfigProblem>) -> Result<Node, ConfigProblem> {
    match parse(text, DuplicateKeyPolicy::Error) {
        Ok(node) => Ok(node),
        Err(error) => match error.without_snippet() {
            serde_saphyr::Error::DuplicateMappingKey { .. } => {
                problems.push(problem(file, &error));
                parse(text, DuplicateKeyPolicy::FirstWins).map_err(|error| problem(file, &error))
            }
            _ => Err(problem(file, &error)),
        },
    }
}

fn parse(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Node, serde_saphyr::Error> {
    // Only true and false are booleans, so that `off` in `checks` is a word, as it is for editors.
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false, duplicate_keys: duplicate_keys };
    // An empty text is an empty map, in which the required keys are missing.
    let node: Option<Node> = serde_saphyr::from_str_with_options(text, options)?;
    Ok(node
        .filter(|node| node.value != Value::Null)
        .unwrap_or(Node { position: Position { line: 1, column: 1 }, value: Value::Map(Vec::new()) }))
}

fn problem(file: &str, error: &serde_saphyr::Error) -> ConfigProblem {
    let position = error.location().map(|location| position(&location)).unwrap_or_default();
    let message = match error {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key {key:?} is there twice"),
        _ => {
            let options = serde_saphyr::render_options! {
                formatter: &serde_saphyr::UserMessageFormatter,
                snippets: serde_saphyr::SnippetMode::Off,
            };
            let text = error.render_with_options(options);
            // The place stands in front of the message already.
            text.split(" at line ").next().unwrap_or(&text).to_owned()
        }
    };
    ConfigProblem { place: position.of(file), path: String::new(), message, hint: None }
}

fn position(location: &serde_saphyr::Location) -> Position {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: narrow(location.line()), column: narrow(location.column()) }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { position: position(&spanned.referenced), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(value).ok_or_else(|| E::custom("expected a finite number"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = map.next_value()?;
            if entries.iter().any(|entry| entry.key == key.value) {
                return Err(A::Error::custom(format!("the key {:?} is there twice", key.value)));
            }
            entries.push(Entry { key: key.value, position: position(&key.referenced), value });
        }
        Ok(Value::Map(entries))
    }
}
