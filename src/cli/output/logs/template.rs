//! `-o template='{time} {pod}: {message}'`

use std::borrow::Cow;

use crate::{
    error::{Error, Result},
    model::LogSource,
    rules::logs::{Entry, json_pairs, level, logfmt_pairs, to_timestamp, unescape},
};

const KNOWN: &str = "{time} {namespace} {pod} {container} {node} {level} {message} {field.NAME}";

/// A line for each entry, with its parts put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Time,
    Namespace,
    Pod,
    Container,
    Node,
    Level,
    Message,
    /// Of a JSON object or of logfmt.
    Field(String),
}

impl LineTemplate {
    /// Reads a template: `{…}` is put in, `{{` and `}}` are braces, `\n` and `\t` are what they are in most languages.
    ///
    /// # Errors
    /// Usage, for a part that is not known.
    pub fn parse(text: &str) -> Result<Self> {
        let (mut parts, mut words) = (Vec::new(), String::new());
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match (letter, letters.peek()) {
                ('{', Some('{')) | ('}', Some('}')) => words.extend(letters.next()),
                ('\\', Some('n' | 't')) => words.push(if letters.next() == Some('n') { '\n' } else { '\t' }),
                ('{', _) => {
                    let name: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
                    if !words.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut words)));
                    }
                    parts.push(part(&name)?);
                }
                _ => words.push(letter),
            }
        }
        if !words.is_empty() {
            parts.push(Part::Text(words));
        }
        Ok(Self(parts))
    }

    /// Appends the line of an entry, with its end.
    pub fn write(&self, source: &LogSource, entry: &Entry<'_>, stamped: bool, out: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Time => {
                    out.extend(
                        entry
                            .stamp
                            .map(|stamp| format!("{:.9}", to_timestamp(stamp)))
                            .into_iter()
                            .flat_map(String::into_bytes),
                    );
                }
                Part::Namespace => out.extend_from_slice(source.namespace.as_bytes()),
                Part::Pod => out.extend_from_slice(source.pod.as_bytes()),
                Part::Container => out.extend_from_slice(source.container.as_bytes()),
                Part::Node => out.extend_from_slice(source.node.as_bytes()),
                Part::Level => {
                    let level = level(entry.head).map(|level| format!("{level:?}").to_lowercase());
                    out.extend_from_slice(level.unwrap_or_default().as_bytes());
                }
                Part::Message => {
                    for (number, line) in entry.lines(stamped).enumerate() {
                        if number > 0 {
                            out.push(b'\n');
                        }
                        out.extend_from_slice(line);
                    }
                }
                Part::Field(name) => out.extend_from_slice(&field(entry.head, name)),
            }
        }
        out.push(b'\n');
    }
}

fn part(name: &str) -> Result<Part> {
    Ok(match name {
        "time" => Part::Time,
        "namespace" => Part::Namespace,
        "pod" => Part::Pod,
        "container" => Part::Container,
        "node" => Part::Node,
        "level" => Part::Level,
        "message" => Part::Message,
        other => match other.strip_prefix("field.") {
            Some(field) if !field.is_empty() => Part::Field(field.to_owned()),
            _ => {
                return Err(
                    Error::usage(format!("-o template: {{{name}}} is not known")).hint(format!("there are {KNOWN}"))
                );
            }
        },
    })
}

fn field<'l>(line: &'l [u8], name: &str) -> Cow<'l, [u8]> {
    let named = |key: &[u8]| key == name.as_bytes();
    let found = match line.first() {
        Some(b'{') => json_pairs(line).find(|pair| named(pair.key)),
        _ => logfmt_pairs(line).find(|pair| named(pair.key)),
    };
    found.map_or(Cow::Borrowed(&b""[..]), |pair| if pair.quoted { unescape(pair.value) } else { pair.value.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::logs::Entries;

    #[test]
    fn the_parts_of_an_entry_are_put_in() {
        let template =
            LineTemplate::parse(r"{time} {pod}/{container} [{level}] {field.user}: {{{message}}}\t.").unwrap();
        let source = LogSource { pod: "api-1".into(), container: "main".into(), ..LogSource::default() };
        let line = b"2026-11-21T10:00:39.5Z {\"level\":\"error\",\"user\":\"a\\\"b\"}\n";
        let entry = Entries::new(line, true).next().unwrap();
        let mut out = Vec::new();
        template.write(&source, &entry, true, &mut out);
        let expected =
            "2026-11-21T10:00:39.500000000Z api-1/main [error] a\"b: {{\"level\":\"error\",\"user\":\"a\\\"b\"}}\t.\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert!(LineTemplate::parse("{pdo}").is_err_and(|error| error.hints()[0].contains("{pod}")));
    }
}
