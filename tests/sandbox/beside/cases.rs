//! What is played on both sides, and the differences that are known.

use std::{fs, sync::LazyLock};

use regex::Regex;
use serde::Deserialize;

/// Manifests, one after the other, and what has to be seen before the two sides are compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Applied, as YAML.
    pub apply: String,
    /// Each is a part of a line that both sides have to show, all at the same time.
    pub until: Vec<String>,
}

/// A difference on purpose: a pattern of its line, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    line: String,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: Vec<Case>,
    known: Vec<Known>,
}

fn file() -> File {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox/beside/cases.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

pub fn all() -> Vec<Case> {
    file().cases
}

static KNOWN: LazyLock<Vec<Regex>> =
    LazyLock::new(|| file().known.iter().map(|known| Regex::new(&known.line).unwrap()).collect());

pub fn is_known(line: &str) -> bool {
    KNOWN.iter().any(|known| known.is_match(line))
}
