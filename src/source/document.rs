//! A text is cut into documents as kubectl cuts it, before any of them is parsed.

use std::ops::Range;

use serde::de::IgnoredAny;

use crate::error::{Error, Place, Result};

/// One document of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Where it begins.
    pub start: Position,
}

/// A line and a column of a text, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub line: u32,
    pub column: u32,
}

impl Position {
    pub(super) const START: Position = Position { line: 1, column: 1 };

    /// The position after `text`, which begins here.
    pub(super) fn after(self, text: &str) -> Self {
        match text.rfind('\n') {
            None => Self { line: self.line, column: self.column + text.chars().count() as u32 },
            Some(last) => Self {
                line: self.line + text.bytes().filter(|byte| *byte == b'\n').count() as u32,
                column: 1 + text[last + 1..].chars().count() as u32,
            },
        }
    }

    /// The place in a file of what stands at `inner` in a part of it that begins here.
    pub(super) fn place(self, file: &str, inner: Position) -> Place {
        let column = if inner.line == 1 { self.column + inner.column - 1 } else { inner.column };
        Place { file: file.into(), line: self.line + inner.line - 1, column }
    }
}

/// The documents of a text: JSON objects while there are any, then YAML between `---` lines.
pub(super) fn split(file: &str, text: &str) -> Result<Vec<Document>> {
    let mut documents = split_json(text);
    let (end, start) = match documents.last() {
        Some(last) => (last.range.end, last.start.after(&text[last.range.clone()])),
        None => (0, Position::START),
    };
    split_yaml(file, text, end, start, &mut documents)?;
    Ok(documents)
}

fn split_json(text: &str) -> Vec<Document> {
    let mut documents = Vec::new();
    if !text.trim_start().starts_with('{') {
        return documents;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut end, mut position) = (0, Position::START);
    while let Some(Ok(_)) = values.next() {
        let range = end..values.byte_offset();
        let gap = text[range.clone()].find('{').unwrap_or_default();
        let start = position.after(&text[end..end + gap]);
        documents.push(Document { range: end + gap..range.end, start });
        position = start.after(&text[end + gap..range.end]);
        end = range.end;
    }
    documents
}

/// Cuts `text` from the byte `begin`, which stands at `start`, before each line that begins with `---`.
fn split_yaml(file: &str, text: &str, begin: usize, start: Position, documents: &mut Vec<Document>) -> Result<()> {
    let (mut begin, mut start, mut searched) = (begin, start, begin);
    while let Some(found) = text[searched..].find("---") {
        let at = searched + found;
        searched = at + 3;
        if !(at == 0 || text[..at].ends_with('\n')) {
            continue;
        }
        let here = start.after(&text[begin..at]);
        let rest = text[searched..].lines().next().unwrap_or_default().trim();
        if !(rest.is_empty() || rest.starts_with('#')) {
            return Err(Error::usage("a line that begins with `---` separates documents and may only hold a comment")
                .at(Position::START.place(file, here))
                .hint("put the content on the next line; indent a line of dashes that belongs to a text"));
        }
        if !only_directives(&text[begin..at]) {
            documents.push(Document { range: begin..at, start });
            (begin, start) = (at, here);
        }
    }
    documents.push(Document { range: begin..text.len(), start });
    Ok(())
}

/// Whether the text holds directives (`%YAML 1.1`) for the document after it, and nothing else but comments.
fn only_directives(text: &str) -> bool {
    text.contains('%')
        && text.lines().map(str::trim_end).all(|line| line.is_empty() || line.starts_with(['%', '#', '\u{feff}']))
}
