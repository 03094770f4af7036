//! The objects of a set of texts, and the places of their fields.

use std::sync::OnceLock;

use serde_json::Value;

use super::{
    document::{Document, Position, split},
    place::Positions,
    side_by_side::side_by_side,
    substitute::{Values, is_hidden},
    yaml::{Excerpt, parse},
};
use crate::{
    error::{Error, Place, Result},
    model::{FieldPath, Manifest, ObjectRef},
};

/// From so many bytes on, the documents of a text are read side by side.
const LARGE: usize = 64 * 1024;

/// Manifests and the texts they came from.
#[derive(Debug, Default)]
pub struct Sources {
    /// In the order they were written: by input, then by file name, then by position.
    pub manifests: Vec<Manifest>,
    texts: Vec<Text>,
    /// For each manifest, where it came from.
    origins: Vec<Origin>,
}

/// A text that was read. Its name is what places show.
#[derive(Debug)]
struct Text {
    name: String,
    content: String,
    documents: Vec<(Document, OnceLock<Positions>)>,
}

#[derive(Debug)]
struct Origin {
    text: usize,
    document: usize,
    /// The way from the document's root to the object; empty unless it is an item of a list.
    path: FieldPath,
}

impl Sources {
    /// The objects of one text.
    ///
    /// # Errors
    /// A usage error with its place for a text that is not YAML, or a document that is not a Kubernetes object.
    pub fn parse(name: impl Into<String>, content: impl Into<String>) -> Result<Self> {
        Self::parse_with(name.into(), content.into(), None)
    }

    /// The same with `${NAME}` replaced.
    pub(super) fn parse_with(name: String, content: String, variables: Option<&Values>) -> Result<Self> {
        let content = match variables {
            Some(variables) => variables.hide(content),
            None => content,
        };
        let documents = split(&name, &content)?.into_iter().map(|document| (document, OnceLock::new())).collect();
        let mut sources = Self { texts: vec![Text { name, content, documents }], ..Self::default() };
        let Some(text) = sources.texts.first() else { return Ok(sources) };
        let documents: Vec<usize> = (0..text.documents.len()).collect();
        let read = |document: &usize| text.objects(*document, variables);
        let found: Vec<_> = match text.content.len() {
            0..LARGE => documents.iter().map(read).collect::<Result<_>>()?,
            LARGE.. => side_by_side(&documents, read)?,
        };
        (sources.manifests, sources.origins) = found.into_iter().flatten().unzip();
        Ok(sources)
    }

    /// Adds the objects of `other` after these.
    pub fn append(&mut self, mut other: Self) {
        let offset = self.texts.len();
        self.texts.append(&mut other.texts);
        self.manifests.append(&mut other.manifests);
        self.origins.extend(other.origins.into_iter().map(|origin| Origin { text: origin.text + offset, ..origin }));
    }

    /// Keeps the manifests that `wanted` chooses.
    pub fn retain(&mut self, wanted: impl Fn(&Manifest) -> bool) {
        let (manifests, origins) = (std::mem::take(&mut self.manifests), std::mem::take(&mut self.origins));
        let kept = manifests.into_iter().zip(origins).filter(|(manifest, _)| wanted(manifest));
        (self.manifests, self.origins) = kept.unzip();
    }

    /// Whether a field's value begins, on its own line, with text that a variable filled in.
    pub fn is_filled_in(&self, manifest: usize, path: &FieldPath) -> bool {
        let Some(origin) = self.origins.get(manifest) else { return false };
        let place = self.place(manifest, path);
        let mut lines = self.texts.get(origin.text).into_iter().flat_map(|text| text.content.lines());
        let line = (place.line as usize).checked_sub(1).and_then(|before| lines.nth(before));
        line.is_some_and(|line| line.chars().skip((place.column as usize).saturating_sub(1)).any(is_hidden))
    }

    /// Where a field of a manifest is written, else its nearest parent that is.
    pub fn place(&self, manifest: usize, path: &FieldPath) -> Place {
        let found = self.origins.get(manifest).and_then(|origin| {
            let mut whole = origin.path.clone();
            whole.0.extend(path.0.iter().cloned());
            self.texts.get(origin.text)?.place(origin.document, &whole)
        });
        found.or_else(|| Some(self.manifests.get(manifest)?.place.clone())).unwrap_or_default()
    }
}

impl Text {
    fn excerpt(&self, document: usize) -> Option<Excerpt<'_>> {
        let (document, _) = self.documents.get(document)?;
        Some(Excerpt { file: &self.name, text: self.content.get(document.range.clone())?, start: document.start })
    }

    /// The objects of a document, and where each came from.
    fn objects(&self, document: usize, variables: Option<&Values>) -> Result<Vec<(Manifest, Origin)>> {
        let mut found = Vec::new();
        if let Some(excerpt) = self.excerpt(document)
            && let Some(parsed) = parse(excerpt, variables)?
        {
            let expansion = Expansion { text: self, document };
            expansion.expand(parsed.value, parsed.place, FieldPath::default(), &mut found)?;
        }
        Ok(found)
    }

    fn place(&self, document: usize, path: &FieldPath) -> Option<Place> {
        let excerpt = self.excerpt(document)?;
        let (_, positions) = self.documents.get(document)?;
        positions
            .get_or_init(|| Positions::of(excerpt.text))
            .find(path)
            .map(|position: Position| excerpt.place(position))
    }
}

/// The way from a document to its objects.
struct Expansion<'t> {
    text: &'t Text,
    document: usize,
}

impl Expansion<'_> {
    fn error(&self, path: &FieldPath, fallback: &Place, message: impl Into<String>) -> Error {
        let place = self.text.place(self.document, path).unwrap_or_else(|| fallback.clone());
        Error::usage(message).at(place)
    }

    /// Adds the object at `path`, or the objects in it when it is a list.
    fn expand(&self, object: Value, place: Place, path: FieldPath, found: &mut Vec<(Manifest, Origin)>) -> Result<()> {
        let Value::Object(mut fields) = object else {
            return Err(self.error(&path, &place, "expected a Kubernetes object (a mapping with apiVersion and kind)"));
        };
        let text = |key: &str| match fields.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(value) => {
                Err(self.error(&path.key(key), &place, format!("{key} must be a string, not {}", describe(value))))
            }
            None => Err(self.error(&path, &place, format!("not a Kubernetes object: {key} is missing"))),
        };
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        if let Some(item_kind) = kind.strip_suffix("List")
            && let Some(Value::Array(items)) = fields.get_mut("items").filter(|items| items.is_array()).map(Value::take)
        {
            for (index, mut item) in items.into_iter().enumerate() {
                let path = path.key("items").index(index);
                inherit_type(&mut item, &api_version, item_kind);
                let place = self.text.place(self.document, &path).unwrap_or_else(|| place.clone());
                self.expand(item, place, path, found)?;
            }
            return Ok(());
        }
        let object = Value::Object(fields);
        self.check_name(&object, &path, &place)?;
        let reference = ObjectRef::of(&object);
        let origin = Origin { text: 0, document: self.document, path };
        found.push((Manifest { object, reference, place }, origin));
        Ok(())
    }

    fn check_name(&self, object: &Value, path: &FieldPath, place: &Place) -> Result<()> {
        let metadata = path.key("metadata");
        let name = metadata.key("name");
        match (object.pointer("/metadata/name"), object.pointer("/metadata/generateName")) {
            (Some(Value::String(text)), _) if !text.is_empty() => Ok(()),
            (Some(value), _) => Err(self
                .error(&name, place, format!("metadata.name must be a string, not {}", describe(value)))
                .hint("put the name in quotes")),
            (None, Some(_)) => Err(self
                .error(
                    &metadata.key("generateName"),
                    place,
                    "metadata.generateName gives a new name each time, and a deploy needs names that stay",
                )
                .hint("use metadata.name")),
            (None, None) => Err(self.error(&metadata, place, "metadata.name is missing")),
        }
    }
}

/// Items of a typed list (`ConfigMapList`) may leave their type to it.
fn inherit_type(item: &mut Value, api_version: &str, kind: &str) {
    if let Value::Object(fields) = item
        && !kind.is_empty()
        && !fields.contains_key("apiVersion")
        && !fields.contains_key("kind")
    {
        fields.insert("apiVersion".into(), api_version.into());
        fields.insert("kind".into(), kind.into());
    }
}

/// What kind of value this is, without the value itself, which may be secret.
fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "empty",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

    fn places(text: &str, fields: &[&str]) -> Vec<String> {
        let sources = Sources::parse("a.yaml", text).unwrap();
        let path = fields.iter().fold(FieldPath::default(), |path, field| match field.parse() {
            Ok(index) => path.index(index),
            Err(_) => path.key(field),
        });
        (0..sources.manifests.len()).map(|index| sources.place(index, &path).to_string()).collect()
    }

    fn refused(text: &str) -> String {
        Sources::parse("a.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn objects_keep_their_order_and_their_places() {
        let text = format!("# first\n{MAP}--- # second\n\n{MAP}data: {{x: y}}\n---\n# nothing\n---\n{{}}\n")
            .replace("{}", &MAP.replace("a\n", "c\n"));
        let sources = Sources::parse("a.yaml", text.as_str()).unwrap();
        let shown: Vec<_> =
            sources.manifests.iter().map(|manifest| format!("{} {}", manifest.reference, manifest.place)).collect();
        assert_eq!(shown, ["configmap/a a.yaml:2:1", "configmap/a a.yaml:8:1", "configmap/c a.yaml:16:1"]);
        assert_eq!(places(&text, &["data", "x"]), ["a.yaml:2:1", "a.yaml:12:8", "a.yaml:16:1"]);
    }

    #[test]
    fn a_place_is_the_fields_or_its_nearest_parents() {
        let text = format!("{MAP}spec:\n  list:\n  - a: 1\n    b: 2\n  - &x {{c: 3}}\n  - *x\n");
        assert_eq!(places(&text, &["spec", "list", "0", "b"]), ["a.yaml:8:5"]);
        assert_eq!(places(&text, &["spec", "list", "1", "c"]), ["a.yaml:9:9"]);
        assert_eq!(places(&text, &["spec", "list", "2", "c"]), ["a.yaml:10:5"]);
        assert_eq!(places(&text, &["spec", "none", "0"]), ["a.yaml:5:1"]);
        assert_eq!(places(&format!("{MAP}data:\n  on: 1\n  'y': 2\n"), &["data", "true"]), ["a.yaml:6:3"]);
    }

    #[test]
    fn json_objects_may_follow_one_another() {
        let object = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}"#;
        let text = format!("{object} {object}\n\n{object}\n---\n{MAP}");
        assert_eq!(places(&text, &["kind"]), ["a.yaml:1:22", "a.yaml:1:91", "a.yaml:3:22", "a.yaml:6:1"]);
    }

    #[test]
    fn lists_are_taken_apart() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - metadata: {name: b}\n";
        let sources = Sources::parse("a.yaml", text).unwrap();
        let shown: Vec<_> =
            sources.manifests.iter().map(|manifest| format!("{} {}", manifest.reference, manifest.place)).collect();
        assert_eq!(shown, ["pod/a a.yaml:4:3", "configmap/b a.yaml:8:5"]);
        assert_eq!(places(text, &["metadata", "name"]), ["a.yaml:4:42", "a.yaml:8:16"]);
        assert_eq!(sources.manifests[1].object["kind"], "ConfigMap");
        let own = "apiVersion: a/v1\nkind: AccessList\nmetadata: {name: a}\nitems: {b: c}\n";
        assert_eq!(Sources::parse("a.yaml", own).unwrap().manifests[0].object["items"]["b"], "c");
        assert!(
            refused("apiVersion: v1\nkind: List\nitems:\n- a: 1\n").starts_with("a.yaml:4:3: not a Kubernetes object")
        );
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        assert_eq!(refused("\n- a\n"), "a.yaml:2:1: expected a Kubernetes object (a mapping with apiVersion and kind)");
        assert_eq!(refused("a: 1\n"), "a.yaml:1:1: not a Kubernetes object: apiVersion is missing");
        assert_eq!(refused("apiVersion: v1\nkind: 1\n"), "a.yaml:2:1: kind must be a string, not a number");
        assert_eq!(
            refused("apiVersion: v1\nkind: A\nmetadata:\n  labels: {}\n"),
            "a.yaml:3:1: metadata.name is missing"
        );
        assert_eq!(refused("apiVersion: v1\nkind: A\n"), "a.yaml:1:1: metadata.name is missing");
        assert!(
            refused("apiVersion: v1\nkind: A\nmetadata: {name: 12}").starts_with("a.yaml:3:12: metadata.name must be")
        );
        assert!(refused("apiVersion: v1\nkind: A\nmetadata: {generateName: a}").contains("names that stay"));
    }

    #[test]
    fn documents_end_as_in_kubectl() {
        let crlf = format!("\u{feff}%YAML 1.1\n---\n{MAP}---\n{MAP}").replace('\n', "\r\n");
        assert_eq!(places(&crlf, &["kind"]), ["a.yaml:4:1", "a.yaml:9:1"]);
        assert!(refused("---x\n").starts_with("a.yaml:1:1: a line that begins with `---`"));
        assert!(refused("a: |\n  x\n--- b\n").starts_with("a.yaml:3:1: a line that begins with `---`"));
        assert_eq!(places(&format!("{MAP}data:\n  x: |\n    ---\n    y\n"), &["data", "x"]), ["a.yaml:6:3"]);
    }

    #[test]
    fn what_is_very_large_or_very_deep_is_read_or_refused() {
        let text = format!("{MAP}data:\n  text: |\n{}", "    a line of a text\n".repeat(300_000));
        let large = Sources::parse("a.yaml", text).unwrap();
        assert_eq!(large.manifests[0].object["data"]["text"].as_str().unwrap().len(), 300_000 * 17);
        for depth in [200, 100_000] {
            let flow = format!("{MAP}data: {}{}", "[".repeat(depth), "]".repeat(depth));
            let block = format!("{MAP}data:\n{}{}", "- ".repeat(depth), "[".repeat(depth) + &"]".repeat(depth));
            let json = format!(
                r#"{{"apiVersion": "v1", "kind": "A", "metadata": {{"name": "a"}}, "data": {}{}}}"#,
                "[".repeat(depth),
                "]".repeat(depth)
            );
            for text in [flow, block, json] {
                let read =
                    Sources::parse("a.yaml", text).map(|sources| sources.place(0, &FieldPath::default().key("data")));
                assert_eq!(read.is_ok(), depth < 255, "{read:?}");
            }
        }
    }
}
