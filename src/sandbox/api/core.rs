//! The API itself: what it is made of, and reads of one object.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde_json::Value;

use super::{
    convert,
    logs::PodLogs,
    registry::{Registry, Served},
};
use crate::sandbox::{
    clock::Clock,
    problem::Problem,
    resource::{At, Resource},
    store::{Place, Restored, Store, Subscription, Table},
};

/// A cluster's API. Copies of it are the same cluster.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    registry: Registry,
    clock: Arc<Clock>,
    logs: OnceLock<Arc<dyn PodLogs>>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("revision", &self.0.store.revision()).finish_non_exhaustive()
    }
}

impl Api {
    /// An API without objects, with the clock of its times.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self::with_store(clock, Store::default())
    }

    pub fn with_store(clock: Arc<Clock>, store: Store) -> Self {
        Self(Arc::new(Inner { store: Arc::new(store), registry: Registry::new(), clock, logs: OnceLock::new() }))
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.0.store
    }

    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Says where logs are kept; the first one stays.
    pub fn set_logs(&self, logs: Arc<dyn PodLogs>) {
        let _ = self.0.logs.set(logs);
    }

    /// Where logs are kept; None where pods do not run.
    pub fn logs(&self) -> Option<&Arc<dyn PodLogs>> {
        self.0.logs.get()
    }

    /// What its times are told by.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.0.clock
    }

    pub fn resource(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.0.registry.find(group, version, plural).map(|served| served.resource)
    }

    /// Where the objects of a resource are kept.
    pub(crate) fn table(&self, resource: &Resource) -> Arc<Table> {
        match self.0.registry.find(&resource.group, &resource.version, &resource.plural) {
            Some(Served { table, .. }) => table,
            // Of a definition that is gone.
            None => Arc::new(Table { group: resource.group.clone(), plural: resource.plural.clone() }),
        }
    }

    pub(super) fn place(&self, at: &At) -> Place {
        let key = match &at.namespace {
            Some(namespace) => format!("{namespace}/{}", at.name),
            None => at.name.clone(),
        };
        Place { table: self.table(&at.resource), key }
    }

    /// One object.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, at: &At) -> Result<Value, Problem> {
        let (_, stored) = self.stored(at)?;
        Ok(convert::value(&at.resource, &stored))
    }

    /// One object as JSON.
    ///
    /// # Errors
    /// There is none.
    pub fn get_bytes(&self, at: &At) -> Result<Bytes, Problem> {
        let (_, stored) = self.stored(at)?;
        Ok(convert::bytes(&at.resource, stored))
    }

    /// The object with its revision, as it is stored.
    pub(super) fn stored(&self, at: &At) -> Result<(u64, Bytes), Problem> {
        self.0.store.get(&self.place(at)).ok_or_else(|| Problem::not_found(&at.resource, &at.name))
    }

    /// Bytes of the store in the version of a resource.
    pub fn in_version(&self, resource: &Resource, stored: Bytes) -> Bytes {
        convert::bytes(resource, stored)
    }

    /// Every change of every object from now on, in order, for controllers.
    pub fn subscribe(&self) -> Subscription {
        Subscription::new(&self.0.store, None)
    }

    /// Puts objects back as they were, before the first request.
    pub fn restore(&self, revision: u64, objects: Vec<Restored>) {
        let written = |object: &Restored| {
            let value: Value = serde_json::from_slice(&object.bytes).unwrap_or_default();
            value["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).unwrap_or(revision)
        };
        for object in &objects {
            if object.plural == "customresourcedefinitions" {
                self.0.registry.define(&serde_json::from_slice(&object.bytes).unwrap_or_default());
            }
        }
        let objects: Vec<(Restored, u64)> = objects.into_iter().map(|it| (it.clone(), written(&it))).collect();
        self.0.store.restore(revision, objects);
    }
}
