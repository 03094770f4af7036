//! Faults on purpose, for tests of clients: at which requests, and what then goes wrong.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// One rule. The first that applies to a request is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// `GET`, `PATCH`, …, or `WATCH`; any where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path with its query; `*` stands for any letters. Any where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// So many requests that fit are left alone first.
    #[serde(default)]
    pub after: u64,
    /// So many are hit then; all where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    pub effect: Effect,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Another answer, and nothing is done.
    Status {
        code: u16,
        #[serde(default)]
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
    /// The request is carried out later.
    Delay { milliseconds: u64 },
    /// The connection ends without an answer, and nothing is done.
    Cut,
    /// The request is carried out, but the connection ends instead of the answer.
    CutAfterwards,
    /// A watch sends nothing any more, and stays open.
    StaleWatch,
    /// A watch is told that its version is gone.
    ExpiredWatch,
    /// The server cuts every connection and listens again after that time.
    Restart { milliseconds: u64 },
}

/// The rules of a server, which count as requests come.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<(Fault, u64)>>);

impl Faults {
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self(Mutex::new(faults.into_iter().map(|fault| (fault, 0)).collect()))
    }

    /// Adds a rule behind the others.
    pub fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((fault, 0));
    }

    /// Ends all faults.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What is to go wrong with this request. Rules that fit count it, up to the first that applies.
    pub(super) fn strike(&self, method: &str, path: &str) -> Option<Effect> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (fault, seen) in rules.iter_mut().filter(|(fault, _)| fault.fits(method, path)) {
            *seen += 1;
            let hits = seen.saturating_sub(fault.after);
            if hits > 0 && fault.times.is_none_or(|times| hits <= times) {
                return Some(fault.effect.clone());
            }
        }
        None
    }
}

impl Fault {
    /// A fault at every request of that method and path.
    pub fn at(method: &str, path: &str, effect: Effect) -> Self {
        Self { method: Some(method.into()), path: Some(path.into()), after: 0, times: None, effect }
    }

    /// Only at the request of this number, counted from 1.
    pub fn only(mut self, number: u64) -> Self {
        (self.after, self.times) = (number.saturating_sub(1), Some(1));
        self
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|pattern| fits(pattern, path))
    }
}

impl Effect {
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Delay { milliseconds } => Some(Duration::from_millis(*milliseconds)),
            _ => None,
        }
    }
}

/// Whether the text fits a pattern with stars.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_yaml::with::singleton_map_recursive;

    use super::*;

    #[test]
    fn patterns_stand_for_any_letters() {
        for (pattern, path, wanted) in [
            ("/api/v1/pods", "/api/v1/pods", true),
            ("/api/v1/pods", "/api/v1/pods?watch=1", false),
            ("*/pods*", "/api/v1/namespaces/a/pods?x", true),
            ("/a*b*c", "/abcbc", true),
            ("/a*b*c", "/acb", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, path), wanted, "{pattern} {path}");
        }
    }

    #[test]
    fn a_fault_strikes_at_the_calls_it_names() {
        let faults = Faults::new([Fault::at("PATCH", "*/pods/*", Effect::Cut).only(2)]);
        let strikes: Vec<bool> = (0..3).map(|_| faults.strike("patch", "/x/pods/a").is_some()).collect();
        assert_eq!(strikes, [false, true, false]);
        assert!(faults.strike("GET", "/x/pods/a").is_none());
    }

    #[test]
    fn faults_are_read_from_yaml() {
        let text = "[{method: WATCH, effect: staleWatch}, {path: '*/leases/*', after: 1, times: 2, effect: {status: {code: 503, retryAfterSeconds: 1}}}]";
        let faults: Vec<Fault> =
            singleton_map_recursive::deserialize(serde_yaml::Deserializer::from_str(text)).unwrap();
        assert_eq!(faults[0].effect, Effect::StaleWatch);
        assert_eq!(faults[1].times, Some(2));
    }
}
