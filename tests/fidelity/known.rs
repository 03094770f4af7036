//! The differences that are known, and told in docs/sandbox.md.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::compare::Difference;

/// A known difference: three patterns that have to match, and the words of docs/sandbox.md.
#[derive(Debug)]
pub struct Known {
    request: Regex,
    path: Regex,
    real: Regex,
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    request: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    real: String,
    why: String,
}

static ALL: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let written: Vec<Written> = serde_yaml::from_str(include_str!("known.yaml")).unwrap();
    let pattern = |text: &str| Regex::new(text).unwrap();
    let known = |written: Written| Known {
        request: pattern(&written.request),
        path: pattern(&written.path),
        real: pattern(&written.real),
        why: written.why,
    };
    written.into_iter().map(known).collect()
});

pub fn all() -> &'static [Known] {
    &ALL
}

/// Why this difference, of a request told as `METHOD path type body`, is listed; None where it is not.
/// `EVOLVE_FIDELITY_ALL` takes nothing for known.
pub fn reason(request: &str, difference: &Difference) -> Option<&'static str> {
    static ANY: LazyLock<bool> = LazyLock::new(|| std::env::var_os("EVOLVE_FIDELITY_ALL").is_none());
    let real = difference.real.to_string();
    let fits = |known: &&Known| {
        known.request.is_match(request) && known.path.is_match(&difference.path) && known.real.is_match(&real)
    };
    all().iter().filter(|_| *ANY).find(fits).map(|known| known.why.as_str())
}
