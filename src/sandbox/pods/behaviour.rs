//! What a simulated container does.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, de};

/// What a container does, as annotations or a scenario say. What is not given is as of a healthy server.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Behaviour {
    /// From the start of the container to the moment when its probes can succeed.
    pub startup: Option<Span>,
    /// What the readiness probe says later; ready from the start-up on.
    pub readiness: Vec<Probe>,
    /// What the liveness probe says later; alive from the start-up on.
    pub liveness: Vec<Probe>,
    /// What it writes.
    pub logs: Vec<Line>,
    /// How it ends by itself; never where absent.
    pub exit: Option<Exit>,
    /// How its image is pulled.
    pub pull: Option<Pull>,
    /// What it depends on.
    pub needs: Vec<Need>,
    /// How long it takes to end when it is asked to; longer than its grace, and it is killed.
    pub stop: Option<Span>,
}

/// The result of a probe from some time after the start.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    #[serde(default)]
    pub after: Span,
    pub ok: bool,
}

/// A line of the log, once or again and again.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Line {
    /// From the start of the container.
    pub after: Span,
    /// Repeated with this distance.
    pub every: Option<Span>,
    pub text: String,
}

/// An end.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exit {
    /// From the start of the container.
    pub after: Span,
    pub code: i32,
    /// Killed for want of memory: code 137, whatever `code` says.
    pub oom: bool,
    /// The last lines of the log.
    pub logs: Vec<String>,
    /// What it leaves in its termination message.
    pub message: String,
    /// How often it ends so; later starts go well. Always where absent.
    pub times: Option<u32>,
}

impl Default for Exit {
    fn default() -> Self {
        let after = Span(Duration::from_millis(500));
        Self { after, code: 0, oom: false, logs: Vec::new(), message: String::new(), times: None }
    }
}

/// A pull of an image.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pull {
    pub time: Option<Span>,
    pub error: Option<PullError>,
}

/// Why an image cannot be pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PullError {
    NotFound,
    Unauthorized,
    NoHost,
    Timeout,
    RateLimit,
}

/// What a container depends on: a Service with endpoints, or a variable with the value of a Secret's key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Need {
    /// A Service of the pod's namespace that must have ready endpoints.
    pub service: Option<String>,
    /// A variable of the container, which must have the wanted value.
    pub variable: Option<String>,
    /// The Secret that must hold the wanted value, or that the variable is compared with.
    pub secret: Option<String>,
    pub key: Option<String>,
    /// The wanted value.
    pub value: Option<String>,
    /// What happens without it.
    pub without: Without,
    /// What it then writes.
    pub log: Option<String>,
    /// What it then exits with.
    pub code: i32,
    /// How long after its start it finds out.
    pub after: Span,
}

impl Default for Need {
    fn default() -> Self {
        Self {
            service: None,
            variable: None,
            secret: None,
            key: None,
            value: None,
            without: Without::default(),
            log: None,
            code: 1,
            after: Span(Duration::from_millis(500)),
        }
    }
}

/// What happens without what is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Without {
    /// It runs and is not ready.
    #[default]
    Unready,
    /// It ends.
    Crash,
}

/// A length of time: `300ms`, `2s`, `1m`, `1h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    fn parse(text: &str) -> Option<Self> {
        let end = text.find(|letter: char| !letter.is_ascii_digit()).filter(|end| *end > 0)?;
        let number: u64 = text[..end].parse().ok()?;
        let milliseconds = match &text[end..] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        Some(Self(Duration::from_millis(number.checked_mul(milliseconds)?)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 300ms, 2s, 1m or 1h")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                Span::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
