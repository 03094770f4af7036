//! Where each field of a document stands. Computed only when somebody asks, by scanning the document again.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StrInput};

use super::{
    document::Position,
    scalar::resolve,
    yaml::{parser_options, position},
};
use crate::model::FieldPath;

/// The positions of the fields of one document, relative to its start.
#[derive(Debug)]
pub(super) struct Positions(HashMap<FieldPath, Position>);

impl Positions {
    pub(super) fn of(text: &str) -> Self {
        let mut scan =
            Scan { parser: Parser::new_from_str_with_options(text, parser_options()), found: HashMap::new() };
        // The text was parsed before; should it end early, the places found so far are the answer.
        while let Some((event, at)) = scan.next() {
            if event.is_node() && scan.node(&event, at, &FieldPath::default()).is_none() {
                break;
            }
        }
        Self(scan.found)
    }

    /// Where the field stands: a key, or the beginning of a list's item. Else its nearest parent that is written.
    pub(super) fn find(&self, path: &FieldPath) -> Option<Position> {
        let mut path = path.clone();
        loop {
            match self.0.get(&path) {
                Some(found) => return Some(*found),
                None => path.0.pop()?,
            };
        }
    }
}

struct Scan<'t> {
    parser: Parser<'t, StrInput<'t>>,
    found: HashMap<FieldPath, Position>,
}

impl<'t> Scan<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Position)> {
        let (event, span) = self.parser.next_event()?.ok()?;
        Some((event, position(span.start)))
    }

    /// Notes the node at `path`, which `event` begins, and all below it.
    fn node(&mut self, event: &Event<'t>, at: Position, path: &FieldPath) -> Option<()> {
        self.found.entry(path.clone()).or_insert(at);
        match event {
            Event::SequenceStart(..) => {
                for index in 0.. {
                    let (event, at) = self.next()?;
                    if event == Event::SequenceEnd {
                        break;
                    }
                    self.node(&event, at, &path.index(index))?;
                }
            }
            Event::MappingStart(..) => loop {
                let (event, at) = self.next()?;
                let path = match &event {
                    Event::MappingEnd => break,
                    Event::Scalar(key, ScalarStyle::Plain, ..) => {
                        path.key(&resolve(key).into_key(key.as_ref()).unwrap_or_default())
                    }
                    Event::Scalar(key, ..) => path.key(key),
                    // A key that is an alias has no name here; its value is found by its parent.
                    _ => path.key("*"),
                };
                self.found.entry(path.clone()).or_insert(at);
                let (value, at) = self.next()?;
                self.node(&value, at, &path)?;
            },
            _ => {}
        }
        Some(())
    }
}
