//! The simulated kubelet of all nodes: one look at one pod.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    logs::LogBook,
    run::Step,
    scenario::{self, Scenario},
    state::{ContainerRun, PodRun},
    status,
};
use crate::{
    rules::fields::text,
    sandbox::controllers::{
        action::{Action, Decision, KUBELET, View, reference},
        nodes, objects,
        tables::{self, Key},
    },
};

/// Runs the pods that have a node.
#[derive(Debug)]
pub struct Kubelet {
    runs: HashMap<Key, (Box<str>, PodRun)>,
    /// Images by node that need no pull.
    present: HashSet<(String, String)>,
    /// The last address given to a pod, by node.
    addresses: HashMap<String, u32>,
    /// The pods that have to be looked at when a Service, Secret or ConfigMap of their namespace changes.
    dependents: HashMap<String, BTreeSet<Key>>,
    scenario: Scenario,
    logs: Arc<LogBook>,
}

impl Kubelet {
    pub fn new(scenario: Scenario, logs: Arc<LogBook>) -> Self {
        Self {
            runs: HashMap::new(),
            present: HashSet::new(),
            addresses: HashMap::new(),
            dependents: HashMap::new(),
            scenario,
            logs,
        }
    }

    /// The pods of a namespace that depend on its Services, Secrets or ConfigMaps.
    pub fn dependents(&self, namespace: &str) -> impl Iterator<Item = &Key> {
        self.dependents.get(namespace).into_iter().flatten()
    }

    /// What a pod with a node needs done now.
    pub fn reconcile(&mut self, view: &View<'_>, key: &Key) -> Decision {
        let entry = view.cache.entry(key);
        let assigned = entry.filter(|entry| entry.pod.as_ref().is_some_and(|pod| !pod.node.is_empty()));
        let mut killed = Vec::new();
        if let Some((uid, run)) = self.runs.get(key)
            && assigned.is_none_or(|entry| entry.head.uid != *uid)
        {
            killed = run.killed();
            self.forget(key);
        }
        let Some(entry) = assigned else {
            return Decision { actions: killed.into_iter().map(Action::Tell).collect(), again: None };
        };
        let pod = entry.object();
        let ended = entry.pod.as_ref().is_some_and(|pod| pod.has_ended());
        if ended && entry.head.deleted.is_none() && !self.runs.contains_key(key) {
            return Decision::none();
        }
        if !self.runs.contains_key(key) {
            let run = self.begin(view, &pod);
            self.runs.insert(key.clone(), (entry.head.uid.clone(), run));
        }
        let Some((_, run)) = self.runs.get_mut(key) else { return Decision::none() };
        let mut step = Step::new(view, &pod, run, &mut self.present, &self.logs);
        step.tell_unread(&self.scenario);
        step.advance();
        let depends = step.depends();
        let gone = step.is_gone();
        let mut decision = Decision { actions: Vec::new(), again: step.next };
        decision.actions.extend(killed.into_iter().chain(step.notices).map(Action::Tell));
        let status = status::of(view, &pod, run);
        if status != pod["status"] {
            let mut changed = pod.clone();
            changed["status"] = status;
            let (key, object) = (key.clone(), changed);
            decision.actions.push(Action::Update { key, subresource: "status", object, manager: KUBELET });
        }
        if gone {
            let (key, uid) = (key.clone(), entry.head.uid.clone());
            decision.actions.push(Action::Delete { key, uid, grace: Some(0), propagation: None });
        }
        self.note_dependence(key, depends);
        decision
    }

    fn note_dependence(&mut self, key: &Key, depends: bool) {
        if depends {
            self.dependents.entry(key.namespace().to_owned()).or_default().insert(key.clone());
        } else if let Some(found) = self.dependents.get_mut(key.namespace()) {
            found.remove(key);
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some((uid, _)) = self.runs.remove(key) {
            self.logs.forget(&uid);
        }
        self.note_dependence(key, false);
    }

    /// A pod as it begins, or as its status says that it was when the sandbox stopped.
    fn begin(&mut self, view: &View<'_>, pod: &Value) -> PodRun {
        let containers = scenario::containers(pod).map(|(container, step)| {
            let behaviour = self.scenario.behaviour(pod, container).unwrap_or_default();
            let sidecar = step && text(container, "/restartPolicy") == "Always";
            let mut run = ContainerRun::new(text(container, "/name"), step, sidecar, behaviour);
            status::restore(&mut run, pod, container, &self.logs);
            run
        });
        let containers = containers.collect();
        let node = text(pod, "/spec/nodeName");
        let ip = match text(pod, "/status/podIP") {
            "" => self.address(view, node, pod),
            ip => ip.to_owned(),
        };
        let started: Option<Timestamp> = objects::read_time(pod, "/status/startTime");
        let started = started.unwrap_or(view.now);
        let about = reference(pod);
        PodRun { about, node: node.into(), started, ip, containers, stops: None, mount: None, told: false }
    }

    /// An address of the node's range that no pod of it has.
    fn address(&mut self, view: &View<'_>, node: &str, pod: &Value) -> String {
        let object = view.cache.get(&Key::new(tables::NODES, "", node)).unwrap_or_default();
        if pod.pointer("/spec/hostNetwork") == Some(&Value::Bool(true)) {
            return status::node_address(&object).to_owned();
        }
        let range = text(&object, "/spec/podCIDR");
        let base = range.rsplit_once('.').map_or("10.244.0", |(base, _)| base);
        let taken: HashSet<&str> =
            view.cache.pods_on(node).filter_map(|(_, entry)| entry.pod.as_deref()).map(|pod| &*pod.ip).collect();
        let last = self.addresses.entry(node.to_owned()).or_insert(1);
        for _ in 0..253 {
            *last = if *last >= 254 { 2 } else { *last + 1 };
            let address = format!("{base}.{last}");
            if !taken.contains(address.as_str()) {
                return address;
            }
        }
        nodes::address(0)
    }
}
