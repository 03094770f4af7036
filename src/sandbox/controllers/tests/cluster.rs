//! A cluster that a test drives.

use std::sync::Arc;

use serde_json::Value;

use super::super::{
    engine::Engine,
    settings::Settings,
    tables::{self, Key, TableId, Tables},
};
use crate::{
    rules::fields::text,
    sandbox::{
        Clock, Problem,
        api::{Api, DeleteOptions, Write},
        pods::{LogBook, Scenario},
        resource::At,
    },
};

pub struct Cluster {
    pub engine: Engine,
    pub logs: Arc<LogBook>,
}

impl Cluster {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        Self::on(Api::new(Clock::fast()), settings)
    }

    pub fn on(api: Api, settings: Settings) -> Self {
        let logs = LogBook::new(api.clock().clone());
        let mut engine = Engine::new(api, settings, logs.clone());
        engine.seed();
        engine.settle();
        Self { engine, logs }
    }

    pub fn playing(scenario: &str) -> Self {
        let scenario: Scenario = serde_saphyr::from_str(scenario).unwrap();
        Self::with(Settings { scenario, ..Settings::default() })
    }

    /// Makes the objects of a YAML text, in the namespace `default` where they name none.
    pub fn apply(&mut self, yaml: &str) {
        for document in yaml.split("---\n") {
            self.try_apply(document).unwrap();
        }
    }

    pub fn try_apply(&mut self, yaml: &str) -> Result<Value, Problem> {
        let mut object: Value = serde_saphyr::from_str(yaml).unwrap();
        let table = Tables::of_kind(text(&object, "/apiVersion"), text(&object, "/kind")).unwrap();
        let resource = self.engine.resource(table).unwrap();
        if resource.namespaced && object["metadata"].get("namespace").is_none() {
            object["metadata"]["namespace"] = "default".into();
        }
        let namespace = resource.namespaced.then(|| text(&object, "/metadata/namespace").to_owned());
        let at = At { resource, namespace, name: text(&object, "/metadata/name").to_owned() };
        let write = Write::by("test");
        match self.engine.api.get(&at) {
            Ok(_) => self.engine.api.update(&at, "", object, &write),
            Err(_) => self.engine.api.create(&at, object, &write),
        }
    }

    /// Changes an object in place.
    pub fn edit(&mut self, table: TableId, name: &str, change: impl FnOnce(&mut Value)) {
        let at = self.engine.at(&Key::new(table, "default", name)).unwrap();
        let mut object = self.engine.api.get(&at).unwrap();
        change(&mut object);
        self.engine.api.update(&at, "", object, &Write::by("test")).unwrap();
    }

    pub fn delete(&mut self, table: TableId, namespace: &str, name: &str, options: &DeleteOptions) {
        let at = self.engine.at(&Key::new(table, namespace, name)).unwrap();
        self.engine.api.delete(&at, options).unwrap();
    }

    /// Lets time pass until something holds; says what the pods are like where it never does.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..400 {
            self.engine.settle();
            if holds(self) {
                return;
            }
            let Some(timer) = self.engine.agenda.next_timer() else { break };
            self.engine.api.clock().jump_to(timer);
        }
        let pods: Vec<Value> = self.all(tables::PODS).iter().map(|pod| pod["status"].clone()).collect();
        panic!("{what} never came\npods: {pods:#?}\nevents: {:#?}", self.told());
    }

    pub fn get(&self, table: TableId, name: &str) -> Value {
        self.engine.cache.get(&Key::new(table, "default", name)).unwrap_or_default()
    }

    pub fn all(&self, table: TableId) -> Vec<Value> {
        self.engine.cache.all(table, Some("default")).map(|(_, entry)| entry.object()).collect()
    }

    /// The events so far: kind, reason and message.
    pub fn told(&self) -> Vec<String> {
        let events = self.all(tables::EVENTS);
        let mut events: Vec<(String, String)> = events
            .iter()
            .map(|event| {
                let kind = text(event, "/involvedObject/kind");
                let said = format!("{kind} {}: {}", text(event, "/reason"), text(event, "/message"));
                (text(event, "/metadata/name").rsplit('.').next().unwrap().to_owned(), said)
            })
            .collect();
        events.sort();
        events.into_iter().map(|(_, said)| said).collect()
    }
}
