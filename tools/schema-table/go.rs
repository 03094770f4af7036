//! What the Go types of `k8s.io/api` tell and OpenAPI does not: which fields are held by pointer, which have `omitempty`.

use std::{collections::HashMap, error::Error, fs, path::Path};

use kubectl_evolve::schema::{Schema, Shape, Zero};

/// The fields of a Go struct.
#[derive(Default)]
struct Struct {
    /// Name in JSON, Go type, options of the tag.
    fields: Vec<(String, String, String)>,
    /// Structs whose fields count as its own.
    embedded: Vec<String>,
}

/// Structs by the last two parts of their package and their name: `core.v1.PodSpec`.
type Structs = HashMap<String, Struct>;

/// Tells each field of the table what the server does with its zero value.
pub fn fill_in(schema: &mut Schema, folders: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let mut structs = Structs::new();
    for folder in folders {
        read_folder(Path::new(&folder), &mut structs)?;
    }
    for found in &mut schema.types {
        let mut parts = found.name.rsplitn(4, '.');
        let (Some(name), Some(version), Some(group)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let mut fields = Vec::new();
        flatten(&structs, &format!("{group}.{version}"), name, &mut fields);
        for (field, held, options) in fields {
            if let Some(field) = found.field_mut(field) {
                field.zero = zero(&field.shape, held, options);
            }
        }
    }
    Ok(())
}

fn zero(shape: &Shape, held: &str, options: &str) -> Zero {
    let omits = options.contains("omitempty");
    let scalar = matches!(shape, Shape::String | Shape::Boolean | Shape::Int32 | Shape::Int64 | Shape::Number);
    if held.starts_with('*') || held.starts_with('[') || held.starts_with("map[") {
        return if omits { Zero::Usual } else { Zero::Null };
    }
    match (scalar, omits) {
        _ if options.contains("omitzero") => Zero::Usual,
        (true, true) => Zero::Dropped,
        // A list or map behind a name of its own, such as ResourceList, or JSON as it stands.
        (false, true) if matches!(shape, Shape::List(_) | Shape::Map(_) | Shape::Bytes | Shape::Any) => Zero::Usual,
        _ => Zero::Written,
    }
}

/// The fields of a struct with those of the structs that it embeds.
fn flatten<'s>(structs: &'s Structs, package: &str, name: &str, into: &mut Vec<(&'s str, &'s str, &'s str)>) {
    let Some(found) = structs.get(&format!("{package}.{name}")) else { return };
    into.extend(found.fields.iter().map(|(name, held, options)| (name.as_str(), held.as_str(), options.as_str())));
    for embedded in &found.embedded {
        match embedded.split_once('.') {
            Some(("metav1", name)) => flatten(structs, "meta.v1", name, into),
            Some(("v1", name)) => flatten(structs, "core.v1", name, into),
            _ => flatten(structs, package, embedded, into),
        }
    }
}

fn read_folder(folder: &Path, structs: &mut Structs) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            read_folder(&path, structs)?;
        } else if name.ends_with("types.go") || name == "types_jsonschema.go" {
            let parts: Vec<_> = folder.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
            if let [version, group] = parts.as_slice() {
                read(&fs::read_to_string(&path)?, &format!("{group}.{version}"), structs);
            }
        }
    }
    Ok(())
}

/// Reads the structs of a Go file as `gofmt` writes them: a field to a line.
fn read(text: &str, package: &str, structs: &mut Structs) {
    let mut current: Option<(String, Struct)> = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (&mut current, words.as_slice()) {
            (_, ["type", name, "struct", "{", ..]) => current = Some((format!("{package}.{name}"), Struct::default())),
            (Some(_), ["}"]) if line == "}" => {
                structs.extend(current.take());
            }
            (Some((_, fields)), [first, rest @ ..]) if !first.starts_with("//") => {
                let Some((_, tag)) = line.split_once("`json:\"") else { continue };
                let (name, options) =
                    tag.split_once('"').map_or((tag, ""), |(tag, _)| tag.split_once(',').unwrap_or((tag, "")));
                if name.is_empty() {
                    fields.embedded.push((*first).to_owned());
                } else if let Some(held) = rest.first() {
                    fields.fields.push((name.to_owned(), (*held).to_owned(), options.to_owned()));
                }
            }
            _ => {}
        }
    }
}
