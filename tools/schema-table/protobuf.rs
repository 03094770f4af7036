//! The numbers of fields in protobuf, which clients written in Go send by default: from the tags of the Go types.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

/// The fields of a message by their numbers: the name in JSON, or the struct whose fields count as its own.
pub type Messages = BTreeMap<String, BTreeMap<u32, (String, String)>>;

/// The messages of the Go types below folders, by the last two parts of their package and their name: `core.v1.PodSpec`.
pub fn messages(folders: &[String]) -> Result<Messages, Box<dyn Error>> {
    let mut found = Messages::new();
    for folder in folders {
        read_folder(Path::new(folder), &mut found)?;
    }
    Ok(found)
}

fn read_folder(folder: &Path, messages: &mut Messages) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            read_folder(&path, messages)?;
        } else if name.ends_with("types.go") || name == "types_jsonschema.go" {
            let parts: Vec<_> = folder.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
            if let [version, group] = parts.as_slice() {
                read(&fs::read_to_string(&path)?, &format!("{group}.{version}"), messages);
            }
        }
    }
    Ok(())
}

fn read(text: &str, package: &str, messages: &mut Messages) {
    let mut current = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["type", name, "struct", "{", ..] => current = Some(format!("{package}.{name}")),
            ["}"] if line == "}" => current = None,
            [first, ..] if !first.starts_with("//") => {
                let (Some(message), Some(field)) = (&current, field(line, first, package)) else { continue };
                messages.entry(message.clone()).or_default().insert(field.0, (field.1, field.2));
            }
            _ => {}
        }
    }
}

/// The number of a field with its name in JSON, or with the struct that it embeds.
fn field(line: &str, first: &str, package: &str) -> Option<(u32, String, String)> {
    let number = line.split_once("protobuf:\"")?.1.split(',').nth(1)?.parse().ok()?;
    let name = line.split_once("json:\"")?.1.split(['"', ',']).next()?;
    if !name.is_empty() {
        return Some((number, name.to_owned(), String::new()));
    }
    let embedded = match first.split_once('.') {
        Some(("metav1", name)) => format!("meta.v1.{name}"),
        Some(("v1", name)) => format!("core.v1.{name}"),
        _ => format!("{package}.{first}"),
    };
    Some((number, String::new(), embedded))
}
