//! What the controllers have seen: every object as stored bytes, with the facts and the indexes that they ask for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::Arc,
};

use bytes::Bytes;
use serde_json::Value;

use super::{
    facts::{Head, Partial, PodFacts},
    tables::{self, Key, TableId, Tables},
};

/// One object as it was last seen.
#[derive(Debug)]
pub struct Entry {
    pub head: Head,
    /// Of pods only.
    pub pod: Option<Box<PodFacts>>,
    bytes: Bytes,
}

impl Entry {
    fn read(table: TableId, bytes: Bytes) -> Self {
        let head = serde_json::from_slice::<Partial>(&bytes).map(|partial| partial.metadata).unwrap_or_default();
        let pod = (table == tables::PODS).then(|| Box::new(PodFacts::read(&bytes)));
        Self { head, pod, bytes }
    }

    pub fn object(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

/// All objects, found by place, owner and node.
#[derive(Debug, Default)]
pub struct Cache {
    pub tables: Tables,
    objects: HashMap<TableId, BTreeMap<Arc<str>, Entry>>,
    by_uid: HashMap<Box<str>, Key>,
    /// The objects that name an owner's uid.
    owned: HashMap<Box<str>, BTreeSet<Key>>,
    /// The pods of a node; those without one under the empty name.
    on_node: HashMap<Box<str>, BTreeSet<Arc<str>>>,
    /// The pods that want others far from them, and have not ended.
    repelling: BTreeSet<Arc<str>>,
}

impl Cache {
    /// Takes an object as it is now; gives how it was.
    pub fn put(&mut self, key: &Key, bytes: Bytes) -> Option<Entry> {
        let entry = Entry::read(key.table, bytes);
        let before = self.take(key);
        self.by_uid.insert(entry.head.uid.clone(), key.clone());
        for owner in &entry.head.owners {
            self.owned.entry(owner.uid.clone()).or_default().insert(key.clone());
        }
        if let Some(pod) = entry.pod.as_ref().filter(|pod| !pod.has_ended()) {
            self.on_node.entry(pod.node.clone()).or_default().insert(key.place.clone());
            if pod.repels {
                self.repelling.insert(key.place.clone());
            }
        }
        self.objects.entry(key.table).or_default().insert(key.place.clone(), entry);
        before
    }

    /// Forgets an object, and gives how it was.
    pub fn take(&mut self, key: &Key) -> Option<Entry> {
        let before = self.objects.get_mut(&key.table)?.remove(&key.place)?;
        if self.by_uid.get(&before.head.uid) == Some(key) {
            self.by_uid.remove(&before.head.uid);
        }
        for owner in &before.head.owners {
            if let Some(owned) = self.owned.get_mut(&owner.uid) {
                owned.remove(key);
                if owned.is_empty() {
                    self.owned.remove(&owner.uid);
                }
            }
        }
        if let Some(pods) = before.pod.as_ref().and_then(|pod| self.on_node.get_mut(&pod.node)) {
            pods.remove(&key.place);
        }
        if before.pod.as_ref().is_some_and(|pod| pod.repels) {
            self.repelling.remove(&key.place);
        }
        Some(before)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.by_uid.clear();
        self.owned.clear();
        self.on_node.clear();
        self.repelling.clear();
    }

    pub fn entry(&self, key: &Key) -> Option<&Entry> {
        self.objects.get(&key.table)?.get(&key.place)
    }

    pub fn get(&self, key: &Key) -> Option<Value> {
        self.entry(key).map(Entry::object)
    }

    pub fn has(&self, key: &Key) -> bool {
        self.entry(key).is_some()
    }

    pub fn by_uid(&self, uid: &str) -> Option<&Key> {
        self.by_uid.get(uid)
    }

    /// The objects of a table that name an owner.
    pub fn owned<'c>(&'c self, uid: &str, table: TableId) -> impl Iterator<Item = (&'c Key, &'c Entry)> {
        let keys = self.owned.get(uid).into_iter().flatten().filter(move |key| key.table == table);
        keys.filter_map(|key| Some((key, self.entry(key)?)))
    }

    /// The objects of a table that an owner controls.
    pub fn controlled<'c>(&'c self, uid: &'c str, table: TableId) -> impl Iterator<Item = (&'c Key, &'c Entry)> {
        self.owned(uid, table).filter(move |(_, entry)| entry.head.controller().is_some_and(|owner| &*owner.uid == uid))
    }

    /// Everything that names an owner.
    pub fn dependents(&self, uid: &str) -> Vec<Key> {
        self.owned.get(uid).into_iter().flatten().cloned().collect()
    }

    /// The pods of a node that have not ended, in the order of their names; those not yet scheduled under the empty name.
    pub fn pods_on<'c>(&'c self, node: &str) -> impl Iterator<Item = (&'c Arc<str>, &'c Entry)> {
        let pods = self.objects.get(&tables::PODS);
        let places = self.on_node.get(node).into_iter().flatten();
        places.filter_map(move |place| Some((place, pods?.get(place)?)))
    }

    /// The pods that want others far from them.
    pub fn repelling(&self) -> impl Iterator<Item = &Entry> {
        let pods = self.objects.get(&tables::PODS);
        self.repelling.iter().filter_map(move |place| pods?.get(place))
    }

    /// The objects of a table, those of one namespace where one is given, in the order of their places.
    pub fn all<'c>(&'c self, table: TableId, namespace: Option<&str>) -> impl Iterator<Item = (Key, &'c Entry)> {
        let bounds: (Bound<Arc<str>>, Bound<Arc<str>>) = match namespace {
            // '0' is the letter behind '/'.
            Some(name) => (Bound::Included(format!("{name}/").into()), Bound::Excluded(format!("{name}0").into())),
            None => (Bound::Unbounded, Bound::Unbounded),
        };
        let range = self.objects.get(&table).map(|objects| objects.range(bounds));
        range.into_iter().flatten().map(move |(place, entry)| (Key { table, place: place.clone() }, entry))
    }

    /// The objects of a namespace, of every table.
    pub fn within(&self, namespace: &str) -> Vec<Key> {
        let mut tables: Vec<TableId> = self.objects.keys().copied().collect();
        tables.sort_unstable();
        tables.into_iter().flat_map(|table| self.all(table, Some(namespace)).map(|(key, _)| key)).collect()
    }

    /// Every place there is.
    pub fn keys(&self) -> Vec<Key> {
        let mut tables: Vec<TableId> = self.objects.keys().copied().collect();
        tables.sort_unstable();
        tables.into_iter().flat_map(|table| self.all(table, None).map(|(key, _)| key)).collect()
    }
}
