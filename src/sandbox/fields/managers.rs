//! The entries of `metadata.managedFields`: who wrote what, when and how (`managedfields/internal/managedfields.go`).

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    encoding,
    set::Set,
    types::{Place, Types},
};

/// Who writes: what identifies an entry.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    pub manager: &'a str,
    /// Of the request: `apps/v1`.
    pub api_version: &'a str,
    /// Empty for the object itself.
    pub subresource: &'a str,
    pub now: Timestamp,
}

/// How many entries of updates are kept apart.
const UPDATES_KEPT: usize = 10;
/// The manager that older updates are gathered under.
const GATHERED: &str = "ancient-changes";

/// One entry.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub manager: Cow<'a, str>,
    pub is_apply: bool,
    pub api_version: Cow<'a, str>,
    pub subresource: Cow<'a, str>,
    /// RFC 3339 in whole seconds; None for one who applied what was there already.
    pub time: Option<Cow<'a, str>>,
    fields: Fields<'a>,
}

/// The fields of an entry, read when they are needed.
#[derive(Debug, Clone)]
enum Fields<'a> {
    Raw(&'a Value),
    Read(Set<'a>),
}

impl<'a> Entry<'a> {
    pub fn new(writer: &Writer<'a>, is_apply: bool, set: Set<'a>) -> Self {
        Self {
            manager: Cow::Borrowed(if writer.manager.is_empty() { "unknown" } else { writer.manager }),
            is_apply,
            api_version: Cow::Borrowed(writer.api_version),
            subresource: Cow::Borrowed(writer.subresource),
            time: Some(Cow::Owned(time_text(writer.now))),
            fields: Fields::Read(set),
        }
    }

    fn read(entry: &'a Value, position: usize) -> Result<Self, String> {
        let text = |key: &str| Cow::Borrowed(entry.get(key).and_then(Value::as_str).unwrap_or_default());
        let is_apply = match text("operation").as_ref() {
            "Apply" => true,
            "Update" => false,
            _ => return Err("operation must be `Apply` or `Update`".into()),
        };
        let api_version = text("apiVersion");
        if api_version.is_empty() {
            return Err("apiVersion must not be empty".into());
        }
        match text("fieldsType").as_ref() {
            "FieldsV1" => {}
            "" => return Err(format!("missing fieldsType in managed fields entry {position}")),
            other => return Err(format!("invalid fieldsType {other:?} in managed fields entry {position}")),
        }
        let time = entry.get("time").and_then(Value::as_str).map(|time| match time.parse::<Timestamp>() {
            Ok(parsed) if time.len() != 20 || !time.ends_with('Z') => Cow::Owned(time_text(parsed)),
            _ => Cow::Borrowed(time),
        });
        let fields = Fields::Raw(entry.get("fieldsV1").unwrap_or(&Value::Null));
        Ok(Self { manager: text("manager"), is_apply, api_version, subresource: text("subresource"), time, fields })
    }

    pub fn set(&self, place: Place<'a>) -> Cow<'_, Set<'a>> {
        match &self.fields {
            Fields::Raw(raw) => Cow::Owned(encoding::read(raw, place)),
            Fields::Read(set) => Cow::Borrowed(set),
        }
    }

    pub fn put(&mut self, set: Set<'a>) {
        self.fields = Fields::Read(set);
    }

    /// One who applies is the same in every version.
    pub fn is_same_writer(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.is_apply == other.is_apply
            && self.subresource == other.subresource
            && (self.is_apply || self.api_version == other.api_version)
    }

    /// As messages name the manager.
    pub fn named(&self) -> String {
        let mut named = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            named = format!("{named} with subresource {:?}", self.subresource);
        }
        if !self.is_apply {
            named = format!("{named} using {}", self.api_version);
        }
        named
    }

    fn seconds(&self) -> i64 {
        self.time.as_deref().and_then(|time| time.parse::<Timestamp>().ok()).map_or(0, |time| time.as_second())
    }

    fn write(self) -> Value {
        let mut entry = Map::with_capacity(7);
        entry.insert("manager".into(), json!(self.manager));
        entry.insert("operation".into(), json!(if self.is_apply { "Apply" } else { "Update" }));
        entry.insert("apiVersion".into(), json!(self.api_version));
        if let Some(time) = self.time {
            entry.insert("time".into(), json!(time));
        }
        entry.insert("fieldsType".into(), json!("FieldsV1"));
        let fields = match self.fields {
            Fields::Raw(Value::Object(raw)) => Value::Object(raw.clone()),
            Fields::Raw(_) => json!({}),
            Fields::Read(set) => encoding::write(&set),
        };
        entry.insert("fieldsV1".into(), fields);
        if !self.subresource.is_empty() {
            entry.insert("subresource".into(), json!(self.subresource));
        }
        Value::Object(entry)
    }
}

/// All entries of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Managers<'a> {
    pub entries: Vec<Entry<'a>>,
}

impl<'a> Managers<'a> {
    /// The entries of an object; those of versions that the server does not know are left out.
    pub fn of(types: Types<'a>, object: &'a Value) -> Result<Self, String> {
        let listed = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for (position, entry) in listed.into_iter().flatten().enumerate() {
            let entry = Entry::read(entry, position)?;
            if !is_served(types, &entry.api_version) {
                continue;
            }
            match entries.iter_mut().find(|other| other.is_same_writer(&entry)) {
                Some(earlier) => *earlier = entry,
                None => entries.push(entry),
            }
        }
        Ok(Self { entries })
    }

    /// Gathers the oldest updates where there are too many of them.
    pub fn cap(&mut self, place: Place<'a>) {
        let mut updates: Vec<usize> = (0..self.entries.len()).filter(|at| !self.entries[*at].is_apply).collect();
        if updates.len() <= UPDATES_KEPT {
            return;
        }
        updates.sort_by_key(|at| {
            let entry = &self.entries[*at];
            (entry.seconds(), entry.manager.clone(), entry.api_version.clone(), entry.subresource.clone())
        });
        let mut left = updates.len();
        let mut first_of_version: Vec<usize> = Vec::new();
        let mut gathered: Vec<usize> = Vec::new();
        for at in updates {
            if left <= UPDATES_KEPT {
                break;
            }
            let version = self.entries[at].api_version.clone();
            let Some(first) =
                first_of_version.iter().copied().find(|first| self.entries[*first].api_version == version)
            else {
                first_of_version.push(at);
                continue;
            };
            let set = self.entries[first].set(place).union(&self.entries[at].set(place));
            let time = self.entries[at].time.clone();
            let bucket = &mut self.entries[first];
            (bucket.manager, bucket.subresource, bucket.time) = (Cow::Borrowed(GATHERED), Cow::Borrowed(""), time);
            bucket.put(set);
            gathered.push(at);
            left -= 1;
        }
        let mut position = 0;
        self.entries.retain(|_| {
            position += 1;
            !gathered.contains(&(position - 1))
        });
    }

    /// As `managedFields`, in the real order; None where there is nothing to say.
    pub fn write(mut self) -> Option<Value> {
        if self.entries.is_empty() {
            return None;
        }
        if self.entries.len() > 1 {
            self.entries.sort_by_cached_key(|entry| {
                let words = (entry.manager.to_string(), entry.api_version.to_string(), entry.subresource.to_string());
                (!entry.is_apply, entry.seconds(), words)
            });
        }
        Some(self.entries.into_iter().map(Entry::write).collect())
    }
}

/// Whether objects of this kind have this version.
fn is_served(types: Types<'_>, api_version: &str) -> bool {
    types.root.is_none()
        || types.schema.kind(api_version, types.kind).is_some()
        || types.schema.view(api_version, types.kind).is_some()
}

/// Puts `managedFields` into an object in place of what is there.
pub fn put(object: &mut Value, entries: Option<Value>) {
    let Some(object) = object.as_object_mut() else { return };
    match entries {
        Some(entries) => {
            let metadata = object.entry("metadata").or_insert_with(|| json!({}));
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.insert("managedFields".into(), entries);
            }
        }
        None => {
            if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
                metadata.remove("managedFields");
            }
        }
    }
}

fn time_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
