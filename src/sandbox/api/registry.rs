//! Which resources are served, by where they are found in URLs.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use serde_json::Value;

use crate::sandbox::{catalogue, resource::Resource, store::Table};

/// A resource in one version, and where its objects are kept.
#[derive(Debug, Clone)]
pub struct Served {
    pub resource: Arc<Resource>,
    pub table: Arc<Table>,
}

/// All that is served; what custom resource definitions add comes and goes.
#[derive(Debug)]
pub struct Registry {
    state: RwLock<Arc<Index>>,
    builtin: Vec<Served>,
}

#[derive(Debug, Default)]
struct Index {
    /// In the order of discovery.
    served: Vec<Served>,
    /// `group/version/plural`
    places: HashMap<String, usize>,
    /// Of each definition by its name.
    custom: Vec<(String, Vec<Served>)>,
}

impl Registry {
    /// The built-in resources.
    pub fn new() -> Self {
        let mut tables: HashMap<(String, String), Arc<Table>> = HashMap::new();
        let builtin: Vec<Served> = catalogue::builtin()
            .into_iter()
            .map(|resource| {
                let (group, plural) = storage(&resource);
                let table = tables
                    .entry((group.into(), plural.into()))
                    .or_insert_with(|| Arc::new(Table { group: group.into(), plural: plural.into() }));
                Served { table: table.clone(), resource: Arc::new(resource) }
            })
            .collect();
        let state = RwLock::new(Arc::new(Index::of(builtin.clone(), Vec::new())));
        Self { state, builtin }
    }

    fn index(&self) -> Arc<Index> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Served> {
        let index = self.index();
        index.places.get(&place(group, version, plural)).and_then(|at| index.served.get(*at)).cloned()
    }

    /// Everything, in the order of discovery.
    pub fn all(&self) -> Vec<Served> {
        self.index().served.clone()
    }

    /// Serves what a definition defines, in place of what it defined before.
    pub fn define(&self, crd: &Value) {
        let name = crd["metadata"]["name"].as_str().unwrap_or_default();
        let added: Vec<Served> = catalogue::custom(crd)
            .into_iter()
            .map(|resource| {
                let table = Table { group: resource.group.clone(), plural: resource.plural.clone() };
                Served { resource: Arc::new(resource), table: Arc::new(table) }
            })
            .collect();
        self.replace(name, added);
    }

    /// What the definition of that name defines.
    pub fn defined_by(&self, name: &str) -> Vec<Served> {
        let index = self.index();
        index.custom.iter().find(|(known, _)| known == name).map(|(_, served)| served.clone()).unwrap_or_default()
    }

    /// Serves no more what the definition of that name defined.
    pub fn forget(&self, name: &str) {
        self.replace(name, Vec::new());
    }

    fn replace(&self, name: &str, added: Vec<Served>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut custom = state.custom.clone();
        custom.retain(|(known, _)| known != name);
        if !added.is_empty() {
            custom.push((name.into(), added));
        }
        // Groups of definitions come in the order of their names.
        custom.sort_by_key(order);
        *state = Arc::new(Index::of(self.builtin.clone(), custom));
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Index {
    fn of(mut served: Vec<Served>, custom: Vec<(String, Vec<Served>)>) -> Self {
        served.extend(custom.iter().flat_map(|(_, served)| served.iter().cloned()));
        let places = served
            .iter()
            .enumerate()
            .map(|(at, served)| {
                let resource = &served.resource;
                (place(&resource.group, &resource.version, &resource.plural), at)
            })
            .collect();
        Self { served, places, custom }
    }
}

fn order((name, served): &(String, Vec<Served>)) -> (String, String) {
    (served.first().map_or_else(String::new, |served| served.resource.group.clone()), name.clone())
}

fn place(group: &str, version: &str, plural: &str) -> String {
    format!("{group}/{version}/{plural}")
}

/// The group and plural that a built-in resource is kept under: events are the same in both of their groups.
fn storage(resource: &Resource) -> (&str, &str) {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("events.k8s.io", "events") => ("", "events"),
        other => other,
    }
}
