//! The Go types in which an API server keeps some objects inside: it shows them in messages.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use serde_json::{Map, Value, json};

/// What is shown: the other types are those that these hold.
const SHOWN: [&str; 3] = ["PodTemplateSpec", "PersistentVolumeClaimSpec", "PersistentVolumeSource"];

/// A struct's fields, in order: name and type; embedded ones have no name.
type Structs = BTreeMap<String, Vec<(String, String)>>;

/// The structs, with names for other types written out: `{"Container": [["Name", "string"], …], …}`.
pub fn types(folder: &str) -> Result<Value, Box<dyn Error>> {
    let text = fs::read_to_string(Path::new(folder).join("types.go"))?;
    let (structs, names) = read(&text);
    let mut found = Map::new();
    let mut wanted: Vec<String> = SHOWN.map(Into::into).into();
    while let Some(name) = wanted.pop() {
        let Some(fields) = structs.get(&name).filter(|_| !found.contains_key(&name)) else { continue };
        let fields: Vec<Value> = fields
            .iter()
            .map(|(field, held)| {
                let held = plain(held, &names);
                wanted.push(held.trim_start_matches(['*', '[', ']']).to_owned());
                json!([field, held])
            })
            .collect();
        found.insert(name, fields.into());
    }
    found.sort_keys();
    Ok(found.into())
}

/// Structs, and names for other types, of a Go file as `gofmt` writes it.
fn read(text: &str) -> (Structs, BTreeMap<String, String>) {
    let (mut structs, mut names) = (Structs::new(), BTreeMap::new());
    let mut current: Option<(String, Vec<(String, String)>)> = None;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        match (&mut current, words.as_slice()) {
            (_, ["type", name, "struct", "{"]) => current = Some(((*name).into(), Vec::new())),
            (None, ["type", name, held]) => _ = names.insert((*name).into(), (*held).into()),
            (Some(_), ["}"]) => structs.extend(current.take()),
            (Some((_, fields)), [embedded]) => fields.push((String::new(), (*embedded).into())),
            (Some((_, fields)), [names @ .., held]) => {
                fields.extend(names.iter().map(|name| (name.trim_end_matches(',').into(), (*held).into())));
            }
            _ => {}
        }
    }
    (structs, names)
}

/// A type without names for what is no struct: `*RestartPolicy` is `*string`.
fn plain(held: &str, names: &BTreeMap<String, String>) -> String {
    for prefix in ["*", "[]"] {
        if let Some(rest) = held.strip_prefix(prefix) {
            return format!("{prefix}{}", plain(rest, names));
        }
    }
    names.get(held).map_or_else(|| held.to_owned(), |other| plain(other, names))
}
