//! The one error type: what went wrong, where, why, and what to do next.

use std::fmt;

/// What an [`Error`] means for the caller; `exit.rs` maps each to its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The operation was tried and failed.
    Failed,
    /// The command line, the configuration or a manifest is wrong; nothing was tried.
    Usage,
    /// The cluster or the Docker engine did not answer.
    Unreachable,
    /// The user interrupted.
    Interrupted,
}

/// A place in a text: the file's name as the user gave it, and the line and column counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Place {
    pub file: String,
    /// 0 where only the file is known.
    pub line: u32,
    /// 0 where only the line is known.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// The API server's own words when it refuses a request (`metav1.Status`).
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// The HTTP status code.
    pub code: u16,
    /// The machine-readable reason: `NotFound`, `Conflict`, `Invalid` and so on.
    pub reason: String,
    pub message: String,
    pub causes: Vec<Cause>,
}

/// One cause in a [`Refusal`].
#[derive(Debug, Clone, Default)]
pub struct Cause {
    pub reason: String,
    pub field: String,
    pub message: String,
}

/// An error that carries its cause and a next step.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    place: Option<Place>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    hints: Vec<String>,
    refusal: Option<Refusal>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            place: None,
            source: None,
            hints: Vec::new(),
            refusal: None,
        }))
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unreachable, message)
    }

    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Interrupted, message)
    }

    /// Adds a next step for the reader, a sentence or a command.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub fn refused(mut self, refusal: Refusal) -> Self {
        self.0.refusal = Some(refusal);
        self
    }

    /// Puts what was being done in front of the message.
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.message = format!("{doing}: {}", self.0.message);
        self
    }

    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// What the API server said, when the error is its refusal.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.0.refusal.as_ref()
    }

    /// The HTTP status of the refusal, or 0.
    pub fn code(&self) -> u16 {
        self.0.refusal.as_ref().map_or(0, |refusal| refusal.code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as _)
    }
}

/// What an error and its causes say, from the outermost: without repetition, and without the layers of libraries, which
/// tell a user nothing. Never empty.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let mut layer = Some(error);
    while let Some(error) = layer {
        let words = error.to_string();
        let words = words.strip_prefix("ServiceError: ").unwrap_or(&words);
        if !is_layer(words) && !said.iter().any(|before| before.contains(words)) {
            said.push(words.to_owned());
        }
        layer = error.source();
    }
    if said.is_empty() { vec![error.to_string()] } else { said }
}

/// Whether these are the words by which hyper says only where in it something failed.
fn is_layer(words: &str) -> bool {
    words.starts_with("client error (") || matches!(words, "tcp connect error" | "dns error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_said_before_the_message() {
        let error = Error::usage("unknown key").at(Place { file: "evolve.yaml".into(), line: 3, column: 1 });
        assert_eq!(error.to_string(), "evolve.yaml:3:1: unknown key");
        assert_eq!(error.context("reading").to_string(), "evolve.yaml:3:1: reading: unknown key");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Layer {
        words: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layers(words: &[&'static str]) -> Layer {
        let (last, above) = words.split_last().unwrap();
        let last = Layer { words: last, source: None };
        above.iter().rev().fold(last, |source, words| Layer { words, source: Some(Box::new(source)) })
    }

    #[test]
    fn the_layers_of_libraries_are_left_out() {
        let refused =
            ["ServiceError: client error (Connect)", "client error (Connect)", "tcp connect error", "refused"];
        assert_eq!(causes(&layers(&refused)), ["refused"]);
        assert_eq!(causes(&layers(&["reading it", "torn: here", "torn"])), ["reading it", "torn: here"]);
        assert_eq!(causes(&layers(&["client error (Connect)"])), ["client error (Connect)"]);
    }
}
