//! Other pods as reasons for and against a node: affinity between pods, and how evenly pods are spread.
//!
//! Source: the plugins `InterPodAffinity` and `PodTopologySpread` of Kubernetes 1.34, without preferences.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    super::{action::View, cache::Entry, facts::PodFacts, objects, tables::Key},
    filter::{self, Refusal},
};
use crate::rules::{
    fields::{list, number, text},
    selector::{Selector, selector_text},
};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// What the pods that have a node mean for one that has none.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// The pods that each term wants near: the topology key, and its values where they are. None where it is the first
    /// of its own kind, which any node with the key will do for.
    near: Vec<(String, Option<BTreeSet<String>>)>,
    /// The same of those it wants far.
    far: Vec<(String, BTreeSet<String>)>,
    /// Where other pods do not want it.
    unwanted: Vec<(String, String)>,
    spread: Vec<Spread>,
}

/// A constraint of the spread over the values of a topology key.
#[derive(Debug)]
struct Spread {
    key: String,
    skew: i64,
    /// Whether the pod itself counts.
    own: i64,
    counts: BTreeMap<String, i64>,
    least: i64,
}

/// A term of the affinity of a pod.
struct Term {
    selector: Option<Selector>,
    /// None for all namespaces.
    namespaces: Option<Vec<String>>,
    key: String,
}

impl Term {
    fn all(pod: &Value, affinity: &str) -> Vec<Self> {
        let own = objects::namespace(pod);
        let read = |term: &Value| {
            let mut namespaces: Vec<String> =
                list(term, "/namespaces").iter().filter_map(Value::as_str).map(Into::into).collect();
            let everywhere = term.get("namespaceSelector").is_some_and(|selector| !selector.is_null());
            if namespaces.is_empty() {
                namespaces.push(own.to_owned());
            }
            Self {
                selector: selector(&term["labelSelector"]),
                namespaces: (!everywhere).then_some(namespaces),
                key: text(term, "/topologyKey").to_owned(),
            }
        };
        list(pod, &format!("/spec/affinity/{affinity}/{REQUIRED}")).iter().map(read).collect()
    }

    fn fits(&self, namespace: &str, labels: &Value) -> bool {
        self.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == namespace))
            && self.selector.as_ref().is_some_and(|selector| selector.matches(labels))
    }
}

/// A selector; None where there is none, which fits nothing.
fn selector(written: &Value) -> Option<Selector> {
    Selector::parse(&selector_text(written.as_object()?)).ok()
}

/// The labels of a pod as an object that has nothing else.
fn labelled(facts: &PodFacts) -> Value {
    json!({"metadata": {"labels": facts.labels}})
}

fn label<'n>(node: &'n Value, key: &str) -> Option<&'n str> {
    node["metadata"]["labels"].get(key).and_then(Value::as_str)
}

impl Neighbours {
    /// Looks at the pods of all nodes, where the pod or another one minds them.
    pub fn of(view: &View<'_>, place: &Key, pod: &Value, facts: &PodFacts, nodes: &[Value]) -> Self {
        let (near, far) = (Term::all(pod, "podAffinity"), Term::all(pod, "podAntiAffinity"));
        let own = labelled(facts);
        let namespace = place.namespace();
        let values = |key: &str, fits: &dyn Fn(&str, &Value) -> bool| -> BTreeSet<String> {
            let with_key = nodes.iter().filter_map(|node| Some((node, label(node, key)?)));
            let taken = with_key.filter(|(node, _)| pods_of(view, node).any(|(at, labels)| fits(at, &labels)));
            taken.map(|(_, value)| value.to_owned()).collect()
        };
        let wants = |at: &str, labels: &Value| near.iter().all(|term| term.fits(at, labels));
        let found: Vec<BTreeSet<String>> = near.iter().map(|term| values(&term.key, &wants)).collect();
        let first = found.iter().all(BTreeSet::is_empty) && wants(namespace, &own);
        Self {
            near: near.iter().zip(found).map(|(term, found)| (term.key.clone(), (!first).then_some(found))).collect(),
            far: far
                .iter()
                .map(|term| (term.key.clone(), values(&term.key, &|at, labels| term.fits(at, labels))))
                .collect(),
            unwanted: unwanted(view, namespace, &own, nodes),
            spread: Spread::all(view, namespace, pod, &own, nodes),
        }
    }

    /// Why a node will not do.
    pub fn refusal(&self, node: &Value) -> Option<Refusal> {
        let refuse = |reason: &str, helped_by_preemption| {
            Some(Refusal { reasons: vec![reason.to_owned()], helped_by_preemption })
        };
        for spread in &self.spread {
            let Some(value) = label(node, &spread.key) else {
                return refuse("node(s) didn't match pod topology spread constraints (missing required label)", false);
            };
            let count = spread.counts.get(value).copied().unwrap_or(0);
            if count + spread.own - spread.least > spread.skew {
                return refuse("node(s) didn't match pod topology spread constraints", true);
            }
        }
        let is_near = |(key, values): &(String, Option<BTreeSet<String>>)| {
            label(node, key).is_some_and(|value| values.as_ref().is_none_or(|values| values.contains(value)))
        };
        if !self.near.iter().all(is_near) {
            return refuse("node(s) didn't match pod affinity rules", false);
        }
        if self.far.iter().any(|(key, values)| label(node, key).is_some_and(|value| values.contains(value))) {
            return refuse("node(s) didn't match pod anti-affinity rules", true);
        }
        if self.unwanted.iter().any(|(key, value)| label(node, key) == Some(value)) {
            return refuse("node(s) didn't satisfy existing pods anti-affinity rules", true);
        }
        None
    }
}

/// The pods of a node: their namespace and labels.
fn pods_of<'v>(view: &View<'v>, node: &Value) -> impl Iterator<Item = (&'v str, Value)> {
    let pods = view.cache.pods_on(objects::name(node));
    pods.filter_map(|(place, entry)| Some((place.split_once('/')?.0, labelled(entry.pod.as_deref()?))))
}

/// Where pods are that want this one far.
fn unwanted(view: &View<'_>, namespace: &str, own: &Value, nodes: &[Value]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in view.cache.repelling() {
        let Some(at) = entry.pod.as_deref().and_then(|pod| nodes.iter().find(|node| *objects::name(node) == *pod.node))
        else {
            continue;
        };
        for term in Term::all(&Entry::object(entry), "podAntiAffinity") {
            if let Some(value) = label(at, &term.key).filter(|_| term.fits(namespace, own)) {
                found.push((term.key, value.to_owned()));
            }
        }
    }
    found
}

impl Spread {
    fn all(view: &View<'_>, namespace: &str, pod: &Value, own: &Value, nodes: &[Value]) -> Vec<Self> {
        let hard = list(pod, "/spec/topologySpreadConstraints")
            .iter()
            .filter(|constraint| text(constraint, "/whenUnsatisfiable") != "ScheduleAnyway");
        let hard: Vec<&Value> = hard.collect();
        let keys: Vec<&str> = hard.iter().map(|constraint| text(constraint, "/topologyKey")).collect();
        let counts =
            |node: &&Value| keys.iter().all(|key| label(node, key).is_some()) && filter::fits_selectors(node, pod);
        let eligible: Vec<&Value> = nodes.iter().filter(counts).collect();
        let read = |constraint: &&Value| {
            let key = text(constraint, "/topologyKey");
            let selector = selector(&constraint["labelSelector"]);
            let fits = |labels: &Value| selector.as_ref().is_some_and(|selector| selector.matches(labels));
            let mut counts: BTreeMap<String, i64> = BTreeMap::new();
            for node in &eligible {
                let beside = pods_of(view, node).filter(|(at, labels)| *at == namespace && fits(labels)).count();
                *counts.entry(label(node, key).unwrap_or_default().to_owned()).or_default() += beside as i64;
            }
            let enough = number(constraint, "/minDomains").is_none_or(|domains| counts.len() as i64 >= domains);
            let least = if enough { counts.values().min().copied().unwrap_or(0) } else { 0 };
            let skew = number(constraint, "/maxSkew").unwrap_or(1);
            Self { key: key.to_owned(), skew, own: i64::from(fits(own)), counts, least }
        };
        hard.iter().map(read).collect()
    }
}
