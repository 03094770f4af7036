//! What a rule is, what it is given, and what it finds.

use super::{facts::Facts, set::Set, walk::Visit};
use crate::model::{FieldPath, Severity};

/// A check of manifests, with what the outputs say about it.
pub struct Rule {
    /// A stable name: `unknown-field`.
    pub code: &'static str,
    /// Unless the finding or the configuration says otherwise.
    pub severity: Severity,
    /// One sentence: what is wrong where the rule finds something.
    pub summary: &'static str,
    /// Why it matters and what to do.
    pub help: &'static str,
    pub(super) check: Check,
}

/// How a rule looks at the set.
pub(super) enum Check {
    /// At each value whose type is known, and at what lacks or is too much there.
    Field(fn(&Visit<'_>, &mut Findings)),
    /// At the set as a whole.
    Set(fn(&Context<'_>, &mut Findings)),
}

/// What rules judge.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub set: &'a Set<'a>,
    pub facts: &'a Facts,
}

/// Something found. Its place in the text is for the caller to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub code: &'static str,
    pub severity: Severity,
    /// The index of the manifest.
    pub manifest: usize,
    pub path: FieldPath,
    pub message: String,
    pub hint: Option<String>,
}

impl Found {
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }
}

/// Collects what one rule after the other finds.
pub struct Findings {
    rule: &'static Rule,
    pub(super) found: Vec<Found>,
}

impl Findings {
    pub(super) fn new(rule: &'static Rule) -> Self {
        Self { rule, found: Vec::new() }
    }

    /// What comes next is found by this rule.
    pub(super) fn of(&mut self, rule: &'static Rule) -> &mut Self {
        self.rule = rule;
        self
    }

    pub fn add(&mut self, manifest: usize, path: FieldPath, message: impl Into<String>) -> &mut Found {
        let Rule { code, severity, .. } = self.rule;
        let (severity, message) = (*severity, message.into());
        let position = self.found.len();
        self.found.push(Found { code, severity, manifest, path, message, hint: None });
        &mut self.found[position]
    }
}
