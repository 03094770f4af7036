//! `${NAME}` and `${NAME:-default}` in manifests.
//!
//! Expressions are hidden from the YAML parser (each of their characters becomes one of a private plane, so that
//! places stay right) and replaced inside the parsed scalars. A value therefore never changes the structure of a
//! document: it is all of a scalar or a part of one.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
};

use super::folder::unreadable;
use crate::{
    config::{Substitute, Variables},
    error::{Error, Place, Result},
};

/// Which `${NAME}` are replaced, and by what.
#[derive(Clone, Default)]
pub struct Substitution {
    /// The names that are replaced, besides those in the files; others stay as they are. None for all names.
    names: Option<BTreeSet<String>>,
    /// What the environment holds; it goes before the files.
    environment: BTreeMap<String, String>,
    /// Files of `NAME=value` lines; a later one goes before an earlier one.
    files: Vec<PathBuf>,
}

impl Substitution {
    /// What the configuration asks for, with what it allows of the environment.
    pub fn new(settings: &Substitute, environment: &BTreeMap<String, String>) -> Self {
        let names = match &settings.env {
            Variables::All(_) => None,
            Variables::Named(names) => Some(names.iter().cloned().collect()),
        };
        let mut environment = environment.clone();
        environment.retain(|name, _| settings.env.allows(name));
        Self { names, environment, files: settings.env_file.clone() }
    }

    /// The values of the environment and of the files, which are relative to `base`.
    ///
    /// # Errors
    /// A usage error for a file that cannot be read, with the line that is not `NAME=value`.
    pub(super) fn load(&self, base: &Path) -> Result<Values> {
        let mut values = BTreeMap::new();
        for file in &self.files {
            let content = fs::read_to_string(base.join(file)).map_err(|error| unreadable(file, error))?;
            for (line, text) in content.trim_start_matches('\u{feff}').lines().enumerate() {
                if let Some((name, value)) = assignment(text).map_err(|message| {
                    let place = Place { file: file.display().to_string(), line: line as u32 + 1, column: 0 };
                    Error::usage(message).at(place).hint("write NAME=value, or NAME='value' to keep blanks")
                })? {
                    values.insert(name.into(), value.into());
                }
            }
        }
        let names = self.names.as_ref().map(|names| names.iter().chain(values.keys()).cloned().collect());
        values.extend(self.environment.clone());
        Ok(Values { names, values })
    }
}

/// The name and value on a line of an env file; none for a comment or an empty line. Values are taken as they are,
/// without the quotes around them: nothing is expanded.
fn assignment(line: &str) -> Result<Option<(&str, &str)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').ok_or("this line has no `=`")?;
    let (name, value) = (name.trim_end(), value.trim_start());
    if !is_name(name) {
        return Err("a name consists of letters, digits and `_`, and does not begin with a digit");
    }
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.strip_suffix(quote).map(|inner| Some((name, inner))).ok_or("the quote is not closed");
        }
    }
    Ok(Some((name, value)))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Values may be secret.
impl fmt::Debug for Substitution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Substitution").field("names", &self.names).field("files", &self.files).finish_non_exhaustive()
    }
}

/// The first character of the private plane that expressions hide in.
const PLANE: u32 = 0xF0000;

/// An expression at the beginning of a text.
#[derive(Debug, PartialEq, Eq)]
struct Expression<'t> {
    name: &'t str,
    default: Option<&'t str>,
    /// `$${NAME}`: not replaced, and one `$` less.
    escaped: bool,
    length: usize,
}

impl<'t> Expression<'t> {
    /// The expression that `text` begins with.
    fn parse(text: &'t str) -> Option<Self> {
        let (escaped, inner) = match text.strip_prefix("$${") {
            Some(inner) => (true, inner),
            None => (false, text.strip_prefix("${")?),
        };
        let line = inner.lines().next()?;
        let (inside, _) = line.split_once('}')?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let length = text.len() - inner.len() + inside.len() + 1;
        is_name(name).then_some(Self { name, default, escaped, length })
    }
}

/// A name that has no value and no default.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub name: String,
    /// The expression as it stands in the hidden text.
    pub hidden: String,
}

/// The values, ready for use.
#[derive(Default)]
pub(super) struct Values {
    names: Option<BTreeSet<String>>,
    values: BTreeMap<String, String>,
}

impl Values {
    /// The text with the expressions hidden that are to be replaced.
    pub(super) fn hide(&self, text: String) -> String {
        if !text.contains("${") {
            return text;
        }
        let mut hidden = String::with_capacity(text.len() + 64);
        let mut rest = text.as_str();
        while let Some(at) = rest.find('$') {
            let (before, from) = rest.split_at(at);
            hidden.push_str(before);
            let expression = Expression::parse(from)
                .filter(|expression| self.names.as_ref().is_none_or(|names| names.contains(expression.name)));
            let (taken, after) = from.split_at(expression.as_ref().map_or(1, |expression| expression.length));
            match expression {
                Some(_) => hidden.extend(taken.chars().map(hide)),
                None => hidden.push_str(taken),
            }
            rest = after;
        }
        hidden.push_str(rest);
        hidden
    }

    /// The scalar with its hidden expressions replaced; borrowed when it has none.
    pub(super) fn fill<'t>(&self, text: Cow<'t, str>) -> Result<Cow<'t, str>, Missing> {
        let (begin, end) = (hide('$'), hide('}'));
        if !text.contains(begin) {
            return Ok(text);
        }
        let mut filled = String::with_capacity(text.len());
        let mut rest = text.as_ref();
        while let Some(at) = rest.find(begin) {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            let length = from.find(end).map_or(from.len(), |last| last + end.len_utf8());
            let (hidden, after) = from.split_at(length);
            let shown: String = hidden.chars().map(show).collect();
            match Expression::parse(&shown) {
                Some(expression) => {
                    let missing = || Missing { name: expression.name.into(), hidden: hidden.into() };
                    filled.push_str(self.value(&expression, &shown).ok_or_else(missing)?);
                }
                // The manifest itself has characters of the private plane.
                None => filled.push_str(hidden),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(Cow::Owned(filled))
    }

    /// What `expression`, written as `source`, is replaced by. An empty value takes the default, as in a shell.
    fn value<'v>(&'v self, expression: &Expression<'v>, source: &'v str) -> Option<&'v str> {
        if expression.escaped {
            return source.strip_prefix('$');
        }
        let value = self.values.get(expression.name).map(String::as_str);
        match expression.default {
            Some(default) => Some(value.filter(|value| !value.is_empty()).unwrap_or(default)),
            None => value,
        }
    }
}

/// Characters that the plane has no room for stay as they are.
fn hide(character: char) -> char {
    char::from_u32(character as u32 + PLANE).unwrap_or(character)
}

/// Whether a character of a hidden text belongs to an expression.
pub(super) fn is_hidden(character: char) -> bool {
    (PLANE..PLANE + 0x1_0000).contains(&(character as u32))
}

fn show(character: char) -> char {
    (character as u32).checked_sub(PLANE).and_then(char::from_u32).unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::source::Sources;

    const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

    fn variables(names: Option<&[&str]>, values: &[(&str, &str)]) -> Values {
        Values {
            names: names.map(|names| names.iter().map(ToString::to_string).collect()),
            values: values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        }
    }

    fn read(data: &str, variables: &Values) -> Result<Value> {
        let sources = Sources::parse_with("a.yaml".into(), format!("{HEAD}{data}"), Some(variables))?;
        Ok(sources.manifests[0].object["data"].clone())
    }

    #[test]
    fn plain_scalars_get_the_type_of_what_they_become() {
        let variables = variables(None, &[("N", "3"), ("ON", "yes"), ("E", ""), ("P", "80")]);
        let data = "data: {x: ${N}}\n";
        assert_eq!(read(data, &variables).unwrap(), json!({"x": 3}));
        let data = "data:\n  x: ${N}\n  q: '${N}'\n  d: \"${N}\"\n  b: ${ON}\n  e: ${E}\n  p: ${P}${P}\n  ${N}: k\n  l: |\n    ${N}\n";
        let expected = json!({"x": 3, "q": "3", "d": "3", "b": true, "e": null, "p": 8080, "3": "k", "l": "3\n"});
        assert_eq!(read(data, &variables).unwrap(), expected);
    }

    #[test]
    fn a_value_never_becomes_structure() {
        let nasty = "x\n  injected: true # ${N} {a: b}: - [";
        let variables = variables(None, &[("V", nasty)]);
        let data = "data:\n  a: ${V}\n  b: \"${V}\"\n  c: |-\n    ${V}\n";
        assert_eq!(read(data, &variables).unwrap(), json!({"a": nasty, "b": nasty, "c": nasty}));
    }

    #[test]
    fn defaults_escapes_and_what_is_no_expression() {
        let variables = variables(None, &[("SET", "s"), ("EMPTY", "")]);
        let data = "data:\n  a: ${NONE:-a: b # \"'}\n  b: ${EMPTY:-e}${SET:-d}\n  c: $${SET} $SET $$ ${SET%x} ${1} ${ SET }\n  d: \u{F0024}\u{F1234} # ${NONE}\n";
        let expected = json!({"a": "a: b # \"'", "b": "es", "c": "${SET} $SET $$ ${SET%x} ${1} ${ SET }", "d": "\u{F0024}\u{F1234}"});
        assert_eq!(read(data, &variables).unwrap(), expected);
    }

    #[test]
    fn only_the_names_allowed_are_replaced() {
        let variables = variables(Some(&["A"]), &[("A", "1"), ("B", "2")]);
        assert_eq!(read("data:\n  a: x${A}${B}$${B}$${A}\n", &variables).unwrap(), json!({"a": "x1${B}$${B}${A}"}));
    }

    #[test]
    fn a_missing_value_is_an_error_at_its_place() {
        let variables = variables(None, &[("SECRET", "hunter2")]);
        let error = read("data:\n  a: ${SECRET}\n  b: |\n    x\n    é ${NONE}\n", &variables).unwrap_err();
        assert_eq!(error.to_string(), "a.yaml:8:7: the variable NONE has no value");
        let substitution = Substitution { environment: variables.values, ..Substitution::default() };
        assert!(!format!("{substitution:?}").contains("hunter2"));
    }

    #[test]
    fn env_files_hold_assignments() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.env"), "# c\n\nA=1\nexport B = ' x '\nC=\"a=b\"\nD=\n").unwrap();
        fs::write(folder.path().join("b.env"), "A=2\nE=file\n").unwrap();
        fs::write(folder.path().join("c.env"), "A=1\nnonsense\n").unwrap();
        let environment = [("E".to_string(), "environment".to_string())].into();
        let mut substitution = Substitution { names: None, environment, files: vec!["a.env".into(), "b.env".into()] };
        let values = substitution.load(folder.path()).unwrap().values;
        let expected = [("A", "2"), ("B", " x "), ("C", "a=b"), ("D", ""), ("E", "environment")];
        assert_eq!(values.len(), expected.len());
        for (name, value) in expected {
            assert_eq!(values[name], value);
        }
        substitution.names = Some(["N".to_string()].into());
        assert!(substitution.load(folder.path()).unwrap().names.unwrap().iter().eq(["A", "B", "C", "D", "E", "N"]));
        substitution.files = vec!["c.env".into()];
        assert_eq!(substitution.load(folder.path()).err().unwrap().to_string(), "c.env:2: this line has no `=`");
    }

    #[test]
    fn the_configuration_says_what_is_used() {
        let environment = [("A", "1"), ("B", "2")].map(|(name, value)| (name.to_string(), value.to_string())).into();
        let named = Substitute { env: Variables::Named(vec!["A".into()]), env_file: vec!["x.env".into()] };
        let substitution = Substitution::new(&named, &environment);
        assert_eq!(substitution.names, Some(["A".to_string()].into()));
        assert_eq!(substitution.environment, [("A".to_string(), "1".to_string())].into());
        assert_eq!(substitution.files, named.env_file);
        let none = Substitution::new(&Substitute::default(), &environment);
        assert!(none.names.is_none() && none.environment.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn a_value_in_quotes_arrives_unchanged(value: String) {
            let variables = variables(None, &[("V", &value)]);
            let read = read("data:\n  a: '${V}'\n", &variables).unwrap();
            proptest::prop_assert_eq!(read, json!({"a": value}));
        }
    }
}
