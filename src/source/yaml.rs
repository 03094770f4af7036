//! One YAML (or JSON) document becomes one JSON value, as kubectl's own reader makes it.

use std::{borrow::Cow, collections::HashMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput, Tag, options};
use serde_json::Value;

use super::{
    document::Position,
    mapping::Mapping,
    scalar::{Scalar, resolve},
    substitute::Values,
};
use crate::error::{Error, Place, Result};

/// How much all aliases of a document together may add to it, in bytes of text and 32 for each value.
const EXPANSION_LIMIT: usize = 16 << 20;

pub(super) fn parser_options() -> Options {
    options! { emit_comments: false }
}

pub(super) fn position(marker: Marker) -> Position {
    Position { line: marker.line() as u32, column: marker.col() as u32 + 1 }
}

/// A document with where it stands.
#[derive(Clone, Copy)]
pub(super) struct Excerpt<'t> {
    pub file: &'t str,
    pub text: &'t str,
    pub start: Position,
}

impl Excerpt<'_> {
    pub(super) fn place(&self, position: Position) -> Place {
        self.start.place(self.file, position)
    }
}

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed {
    pub value: Value,
    pub place: Place,
}

/// Parses one document; none when it is empty. Hidden expressions are replaced when there are `variables`.
pub(super) fn parse<'t>(excerpt: Excerpt<'t>, variables: Option<&'t Values>) -> Result<Option<Parsed>> {
    let parser = Parser::new_from_str_with_options(excerpt.text, parser_options());
    let mut reader = Reader { excerpt, variables, parser, anchors: HashMap::new(), expanded: 0 };
    let mut root = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if root.is_some() => {
                return Err(reader
                    .error(span.start, "a second document follows `...`")
                    .hint("separate documents with a line `---`: kubectl reads nothing after `...`"));
            }
            event => {
                let value = reader.node(event, span)?;
                root = Some(Parsed { value, place: excerpt.place(position(span.start)) });
            }
        }
    }
    Ok(root.filter(|root| !root.value.is_null()))
}

struct Reader<'t> {
    excerpt: Excerpt<'t>,
    variables: Option<&'t Values>,
    parser: Parser<'t, StrInput<'t>>,
    /// The values of the anchors that are complete.
    anchors: HashMap<usize, Value>,
    /// What aliases have added so far, as [`EXPANSION_LIMIT`] counts it.
    expanded: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span)> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.broken(*error.marker(), format!("not valid YAML: {}", error.info()))),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn error(&self, at: Marker, message: impl Into<String>) -> Error {
        Error::usage(message).at(self.excerpt.place(position(at)))
    }

    /// The error for a text that a template engine may have been meant to read first.
    fn broken(&self, at: Marker, message: impl Into<String>) -> Error {
        let error = self.error(at, message);
        if self.excerpt.text.contains("{{") {
            return error.hint("this looks like a template: render it first, for example with `helm template`");
        }
        error
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Value> {
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let (text, scalar) = self.scalar(text, style, tag.as_deref(), span)?;
                let value = scalar.into_value(text).ok_or_else(|| {
                    self.error(span.start, "JSON has no number for this").hint("put it in quotes to make it a string")
                })?;
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping()?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, span),
            _ => return Err(self.error(span.start, "expected a value")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn sequence(&mut self) -> Result<Value> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Value> {
        let mut mapping = Mapping::default();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::MappingEnd => return Ok(mapping.into_value()),
                Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<" => {
                    let (event, value_span) = self.next()?;
                    let value = self.node(event, value_span)?;
                    if !mapping.merge(value, span.start) {
                        let message = "a merge key `<<` needs a mapping or a list of mappings";
                        return Err(self.error(value_span.start, message));
                    }
                }
                event => {
                    let key = self.key(event, span)?;
                    let (event, value_span) = self.next()?;
                    let value = self.node(event, value_span)?;
                    let inserted = mapping.insert(key, value, span.start);
                    inserted.map_err(|(key, first)| self.twice(&key, first, span.start))?;
                }
            }
        }
    }

    fn twice(&self, key: &str, first: Marker, at: Marker) -> Error {
        let Place { line, column, .. } = self.excerpt.place(position(first));
        let first = format!("first at line {line} column {column}");
        self.error(at, format!("the key {key:?} stands twice with different values, {first}"))
            .hint("keep one of the two: kubectl would silently take the last")
    }

    fn key(&mut self, event: Event<'t>, span: Span) -> Result<String> {
        let key = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let (text, scalar) = self.scalar(text, style, tag.as_deref(), span)?;
                if anchor != 0
                    && let Some(value) = scalar.into_value(text.as_ref())
                {
                    self.anchors.insert(anchor, value);
                }
                scalar.into_key(text)
            }
            Event::Alias(anchor) => match self.alias(anchor, span)? {
                Value::String(text) => Some(text),
                value @ (Value::Bool(_) | Value::Number(_)) => Some(value.to_string()),
                _ => None,
            },
            _ => None,
        };
        key.ok_or_else(|| self.broken(span.start, "a key must be a string, a number or a bool"))
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Value> {
        let Some(value) = self.anchors.get(&anchor) else {
            return Err(self.error(span.start, "an anchor's value holds an alias of itself"));
        };
        self.expanded += weight(value);
        if self.expanded > EXPANSION_LIMIT {
            return Err(self.error(span.start, "the aliases of this document expand to too much"));
        }
        Ok(value.clone())
    }

    fn fill(&self, text: Cow<'t, str>, span: Span) -> Result<Cow<'t, str>> {
        let Some(variables) = self.variables else { return Ok(text) };
        variables.fill(text).map_err(|missing| {
            let source = self.excerpt.text;
            let begin = span.start.byte_offset().unwrap_or_default();
            let found = source.get(begin..).and_then(|from| from.find(&missing.hidden));
            let before = source.get(..begin + found.unwrap_or_default()).unwrap_or_default();
            Error::usage(format!("the variable {} has no value", missing.name))
                .at(self.excerpt.place(Position::START.after(before)))
                .hint(format!(
                    "set {name} in the environment or an env file, or give a default: ${{{name}:-value}}",
                    name = missing.name
                ))
        })
    }

    /// The final text of a scalar and what it means.
    fn scalar(
        &self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(Cow<'t, str>, Scalar)> {
        let text = self.fill(text, span)?;
        let Some(tag) = tag else {
            let scalar = if style == ScalarStyle::Plain { resolve(&text) } else { Scalar::Text };
            return Ok((text, scalar));
        };
        let scalar = match (tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref(), resolve(&text)) {
            (Some("bool"), scalar @ Scalar::Bool(_)) => Some(scalar),
            (Some("int"), scalar @ Scalar::Integer(_)) => Some(scalar),
            (Some("null"), Scalar::Null) => Some(Scalar::Null),
            (Some("float"), Scalar::Integer(integer)) => Some(Scalar::Float(integer as f64)),
            (Some("float"), scalar @ Scalar::Float(_)) => Some(scalar),
            (Some("bool" | "int" | "null" | "float"), _) => None,
            (Some("binary"), _) => match STANDARD.decode(text.replace(['\r', '\n'], "")) {
                Ok(bytes) => return Ok((String::from_utf8_lossy(&bytes).into_owned().into(), Scalar::Text)),
                Err(_) => None,
            },
            _ => Some(Scalar::Text),
        };
        let wrong = || self.error(span.start, format!("this is not a value of its tag {}", tag.original()));
        scalar.map(|scalar| (text, scalar)).ok_or_else(wrong)
    }
}

/// The size of a value, as [`EXPANSION_LIMIT`] counts it.
fn weight(value: &Value) -> usize {
    32 + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + weight(value)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Option<Value>> {
        let excerpt = Excerpt { file: "a.yaml", text, start: Position::START };
        Ok(parse(excerpt, None)?.map(|parsed| parsed.value))
    }

    fn refused(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn a_document_becomes_one_value() {
        let text =
            "# top\na: {b: [1, yes, 'yes', \"1\"]} # end\nc: |\n  x\n  y\nd: >-\n  x\n  y\ne: |+\n  x\n\n1: !!str 2\n";
        let expected = json!({"a": {"b": [1, true, "yes", "1"]}, "c": "x\ny\n", "d": "x y", "e": "x\n\n", "1": "2"});
        assert_eq!(read(text).unwrap(), Some(expected));
        assert_eq!(read("# nothing\n").unwrap(), None);
        assert_eq!(read("---\n").unwrap(), None);
    }

    #[test]
    fn anchors_and_merge_keys_work_as_in_kubectl() {
        let text = "x: &x {a: 1, b: 2}\nz:\n  a: 9\n  <<: *x\n  b: 3\nl: {<<: [*x, {a: 7, c: 8}]}\n";
        let value = read(text).unwrap().unwrap();
        assert_eq!(value["z"], json!({"a": 1, "b": 3}));
        assert_eq!(value["l"], json!({"a": 1, "b": 2, "c": 8}));
        assert!(refused("a: {<<: 1}").starts_with("a.yaml:1:9: a merge key"));
    }

    #[test]
    fn the_same_key_with_another_value_is_refused() {
        let error = read("a: 1\nb:\n  c: 1\n  d: 2\n  c: 2\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"a.yaml:5:3: the key "c" stands twice with different values, first at line 3 column 3"#
        );
        assert_eq!(read("a: 1\na: 1\n").unwrap(), Some(json!({"a": 1})));
    }

    #[test]
    fn faults_say_where_they_are() {
        assert_eq!(refused("a: 1\nb: [\n"), "a.yaml:2:4: not valid YAML: unclosed bracket '['");
        assert!(refused("a: .inf").starts_with("a.yaml:1:4: JSON has no number"));
        assert_eq!(
            read("a: !!binary aGk=\nb: !!float 1\nc: !own 1").unwrap(),
            Some(json!({"a": "hi", "b": 1, "c": "1"}))
        );
        assert!(refused("a: !!int x").contains("not a value of its tag !!int"));
        assert!(refused("a: 1\n...\nb: 2\n").contains("second document"));
        assert!(refused("? {a: 1}\n: 2\n").contains("a key must be"));
        assert!(refused("a: &a [*a]").contains("alias of itself"));
        for template in ["a: {{ .Values.a }}", "{{- if .Values.a }}\na: b\n{{- end }}"] {
            assert!(read(template).unwrap_err().hints()[0].contains("template"));
        }
    }

    #[test]
    fn a_billion_laughs_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            text += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert!(refused(&text).contains("expand to too much"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-a:{}\\[\\]&*!|>'\"#%@ \n\t?,<~0-9]{0,60}|\\PC*") {
            let _ = read(&text);
        }

        #[test]
        fn json_reads_as_json(text in "[ -~é\u{1F600}\\n\\t]{0,20}", integer: i32) {
            let value = json!({"text": text, "list": [integer, null, true, {}, []], text.clone(): ""});
            proptest::prop_assert_eq!(read(&value.to_string()).unwrap(), Some(value.clone()));
            proptest::prop_assert_eq!(read(&serde_json::to_string_pretty(&value).unwrap()).unwrap(), Some(value));
        }
    }
}
