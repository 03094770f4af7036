//! One step of a path to a field: its name, the keys or the value of a list's item.
//!
//! Order and spelling are those of structured-merge-diff (`fieldpath/element.go`, `serialize-pe.go`).

use std::{borrow::Cow, cmp::Ordering, fmt};

use serde_json::{Map, Value};

use super::types::{ListForm, Place};
use crate::schema::ListType;

/// The key fields of an item with their values, sorted by name.
type Keys<'a> = Vec<(Cow<'a, str>, Cow<'a, Value>)>;

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Element<'a> {
    /// `f:name`: a field or the key of a map.
    Field(Cow<'a, str>),
    /// `k:{"name":"api"}`: an item of a list of type map, by its keys, sorted.
    Key(Keys<'a>),
    /// `v:"a/b"`: an item of a set.
    Value(Cow<'a, Value>),
    /// `i:0`: an item by its place. Nobody writes it any more.
    Index(usize),
}

impl<'a> Element<'a> {
    pub fn field(name: &'a str) -> Self {
        Self::Field(Cow::Borrowed(name))
    }

    /// What names this item in its list. The error is why nothing can.
    pub(super) fn of_item(list: ListForm<'a>, place: Place<'a>, item: &'a Value) -> Result<Self, String> {
        if list.kind == ListType::Set || list.keys.is_empty() {
            let why = match item {
                Value::Object(_) => "associative list without keys has an element that's a map type",
                Value::Array(_) => "not supported: associative list with lists as elements",
                Value::Null => "associative list without keys has an element that's an explicit null",
                _ => return Ok(Self::Value(Cow::Borrowed(item))),
            };
            return Err(why.into());
        }
        let fields = match item {
            Value::Object(fields) => fields,
            Value::Null => return Err("associative list with keys may not have a null element".into()),
            _ => return Err("associative list with keys may not have non-map elements".into()),
        };
        let items = place.item();
        let value = |key: &'a String| fields.get(key).or_else(|| items.default_of(key)).map(|value| (key, value));
        let mut keys: Keys<'a> = list
            .keys
            .iter()
            .filter_map(value)
            .map(|(key, value)| (Cow::Borrowed(key.as_str()), Cow::Borrowed(value)))
            .collect();
        if keys.is_empty() {
            let named: Vec<String> = list.keys.iter().map(|key| format!("{key:?}")).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
                 values for any key fields)",
                named.join(" ")
            ));
        }
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self::Key(keys))
    }

    /// Reads `f:name` and the like; None for what a later version may have invented, or for nonsense.
    pub fn read(text: &'a str) -> Option<Self> {
        match text.split_once(':')? {
            ("f", name) => Some(Self::Field(Cow::Borrowed(name))),
            ("v", value) => Some(Self::Value(Cow::Owned(serde_json::from_str(value).ok()?))),
            ("k", keys) => {
                let keys: Map<String, Value> = serde_json::from_str(keys).ok()?;
                let mut keys: Keys<'a> =
                    keys.into_iter().map(|(key, value)| (Cow::Owned(key), Cow::Owned(value))).collect();
                keys.sort_by(|a, b| a.0.cmp(&b.0));
                Some(Self::Key(keys))
            }
            ("i", index) => Some(Self::Index(index.parse().ok()?)),
            _ => None,
        }
    }

    /// As `managedFields` spells it.
    pub fn spelled(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => {
                let pair = |(key, value): &(Cow<'_, str>, Cow<'_, Value>)| {
                    format!("{}:{}", json(&Value::from(key.as_ref())), json(value))
                };
                format!("k:{{{}}}", keys.iter().map(pair).collect::<Vec<_>>().join(","))
            }
            Self::Value(value) => format!("v:{}", json(value)),
            Self::Index(index) => format!("i:{index}"),
        }
    }
}

/// JSON as Go writes it, with the characters escaped that matter to HTML.
fn json(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// As messages name it: `.spec`, `[name="api"]`, `[="a/b"]`, `[0]`.
impl fmt::Display for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(keys) => {
                let pairs: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                write!(f, "[{}]", pairs.join(","))
            }
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl Eq for Element<'_> {}

impl PartialOrd for Element<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Element<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => {
                let mut pairs = a.iter().zip(b).map(|(a, b)| a.0.cmp(&b.0).then_with(|| compare(&a.1, &b.1)));
                pairs.find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Self::Value(a), Self::Value(b)) => compare(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Element<'_> {
    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

/// Numbers before strings before booleans before the rest.
fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()),
        },
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)).then_with(|| a.to_string().cmp(&b.to_string())),
    }
}
