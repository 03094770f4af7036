//! What a word of the command line means, and which pods belong to an object.

use regex::Regex;
use serde_json::Value;

use super::{
    fields::text,
    selector::{selector_text, set_text},
};
use crate::{
    error::{Error, Result},
    model::ObjectRef,
};

/// How many near names are offered for one that is not there.
const OFFERED: usize = 3;

/// A word that names objects.
#[derive(Debug, Clone)]
pub enum Word {
    /// `deployment/api`
    Named { kind: String, name: String },
    /// `api`
    Name(String),
    /// `/api-.*/`
    Pattern(Regex),
}

impl Word {
    /// Reads a word.
    ///
    /// # Errors
    /// Usage, for an expression that cannot be read and for a name or a kind that is empty.
    pub fn parse(word: &str) -> Result<Self> {
        if let Some(expression) = word.strip_prefix('/') {
            let expression = expression.strip_suffix('/').unwrap_or(expression);
            return Regex::new(expression)
                .map(Self::Pattern)
                .map_err(|cause| Error::usage(format!("/{expression}/ is not a regular expression")).because(cause));
        }
        let parsed = match word.split_once('/') {
            None => Self::Name(word.to_owned()),
            Some((kind, name)) => Self::Named { kind: kind.to_owned(), name: name.to_owned() },
        };
        let empty = match &parsed {
            Self::Named { kind, name } => kind.is_empty() || name.is_empty() || name.contains('/'),
            Self::Name(name) => name.is_empty(),
            Self::Pattern(_) => false,
        };
        if empty {
            return Err(Error::usage(format!("{word:?} names nothing"))
                .hint("write KIND/NAME as in deployment/api, a name alone, or a regular expression as in /api.*/"));
        }
        Ok(parsed)
    }
}

/// The names that are likely meant by one that is not there: those nearest in spelling, and those that begin with it,
/// best first.
pub fn near<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|other| {
            let distance = strsim::damerau_levenshtein(name, other);
            let alike = distance <= 1 + other.len() / 4;
            let begins = other.starts_with(name) || name.starts_with(other);
            (alike || begins).then_some((distance, other))
        })
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|(_, name)| *name);
    found.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// How the pods of an object are listed or watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodQuery {
    /// None: in every namespace.
    pub namespace: Option<String>,
    pub labels: Option<String>,
    pub fields: Option<String>,
    /// Only pods of Jobs that the object with this uid controls.
    pub jobs_of: Option<String>,
}

/// How to list the pods of an object; None for objects that have none, and for a Service or a workload that selects
/// nothing.
pub fn pods(object: &Value) -> Option<PodQuery> {
    let reference = ObjectRef::of(object);
    let namespace = reference.namespace.clone();
    let labelled = |labels: String| {
        Some(PodQuery { namespace: namespace.clone(), labels: Some(labels), ..PodQuery::default() })
            .filter(|query| query.labels.as_ref().is_some_and(|labels| !labels.is_empty()))
    };
    let map = |pointer: &str| object.pointer(pointer).and_then(Value::as_object);
    match (reference.group(), reference.kind.as_str()) {
        ("", "Pod") => {
            let fields = Some(format!("metadata.name={}", reference.name));
            Some(PodQuery { namespace, fields, ..PodQuery::default() })
        }
        ("", "Node") => {
            Some(PodQuery { fields: Some(format!("spec.nodeName={}", reference.name)), ..PodQuery::default() })
        }
        ("", "Service" | "ReplicationController") => labelled(set_text(map("/spec/selector")?)),
        ("batch", "CronJob") => {
            let uid = text(object, "/metadata/uid").to_owned();
            let labels = Some("batch.kubernetes.io/job-name".to_owned());
            Some(PodQuery { namespace, labels, jobs_of: Some(uid), ..PodQuery::default() })
        }
        ("apps" | "batch", _) => labelled(selector_text(map("/spec/selector")?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn a_word_is_a_kind_with_a_name_a_name_or_an_expression() {
        assert!(matches!(Word::parse("api"), Ok(Word::Name(name)) if name == "api"));
        assert!(
            matches!(Word::parse("deploy/api"), Ok(Word::Named { kind, name }) if (kind.as_str(), name.as_str()) == ("deploy", "api"))
        );
        assert!(matches!(Word::parse("/a.c/"), Ok(Word::Pattern(pattern)) if pattern.is_match("xabcx")));
        for wrong in ["", "deploy/", "/(/", "a/b/c"] {
            assert!(Word::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn near_names_are_alike_or_begin_alike() {
        let known = ["api", "web", "database", "api-worker", "apx"];
        assert_eq!(near("apii", known), ["api"]);
        assert_eq!(near("api", ["api-worker", "web"]), ["api-worker"]);
        assert_eq!(near("databsae", known), ["database"]);
        assert!(near("queue", known).is_empty());
    }

    #[test]
    fn the_pods_of_an_object_are_listed_by_what_selects_them() {
        let of = |text: &str| pods(&yaml(text));
        let labels = |query: Option<PodQuery>| query.and_then(|query| query.labels);
        let deployment = of(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop}, spec: {selector: {matchLabels: {app: api}, matchExpressions: [{key: tier, operator: In, values: [b, a]}]}}}",
        );
        assert_eq!(deployment.as_ref().and_then(|query| query.namespace.as_deref()), Some("shop"));
        assert_eq!(labels(deployment).as_deref(), Some("app=api,tier in (a,b)"));
        let service = "{apiVersion: v1, kind: Service, metadata: {namespace: shop}, spec: {selector: {app: api}}}";
        assert_eq!(labels(of(service)).as_deref(), Some("app=api"));
        assert_eq!(of("{apiVersion: v1, kind: Service, spec: {}}"), None);
        assert_eq!(of("{apiVersion: v1, kind: ConfigMap}"), None);
        let node = of("{apiVersion: v1, kind: Node, metadata: {name: n1}}");
        assert_eq!(node.and_then(|query| query.fields).as_deref(), Some("spec.nodeName=n1"));
        let cron = of("{apiVersion: batch/v1, kind: CronJob, metadata: {namespace: shop, uid: u}}");
        assert_eq!(cron.and_then(|query| query.jobs_of).as_deref(), Some("u"));
    }
}
