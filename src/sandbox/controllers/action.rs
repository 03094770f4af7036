//! What a controller wants done. Controllers decide, and one place carries it out.

use std::{cell::Cell, collections::hash_map::RandomState, hash::BuildHasher};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    cache::Cache,
    tables::{Key, TableId},
};

/// The managers that write, as `metadata.managedFields` names them.
pub const MANAGER: &str = "kube-controller-manager";
pub const SCHEDULER: &str = "kube-scheduler";
pub const KUBELET: &str = "kubelet";

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Create {
        table: TableId,
        object: Value,
        manager: &'static str,
        refused: Option<Box<Notice>>,
    },
    /// The object as it should be, with the revision it was read at. The subresource is empty, `status` or `finalize`.
    Update {
        key: Key,
        subresource: &'static str,
        object: Value,
        manager: &'static str,
    },
    Delete {
        key: Key,
        uid: Box<str>,
        grace: Option<i64>,
        propagation: Option<&'static str>,
    },
    /// A pod is given its node.
    Bind {
        pod: Key,
        node: Box<str>,
    },
    Tell(Notice),
}

/// An event to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// `involvedObject`.
    pub about: Value,
    pub warning: bool,
    pub reason: &'static str,
    pub message: String,
    pub source: Source,
}

/// Who records an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// `replicaset-controller`.
    Controller(&'static str),
    /// The kubelet of a node.
    Kubelet(Box<str>),
    /// The scheduler, with its action: `Binding` or `Scheduling`.
    Scheduler(&'static str),
}

/// What a controller sees: the objects, the time, and a source of new names.
#[derive(Debug)]
pub struct View<'c> {
    pub cache: &'c Cache,
    pub now: Timestamp,
    pub suffixes: &'c Suffixes,
}

/// What a look at an object comes to.
#[derive(Debug, Default, PartialEq)]
pub struct Decision {
    /// Carried out in order, up to the first that fails.
    pub actions: Vec<Action>,
    /// When to look again though nothing changes.
    pub again: Option<Timestamp>,
}

impl Decision {
    pub fn none() -> Self {
        Self::default()
    }

    pub fn at(&mut self, time: Timestamp) {
        self.again = Some(self.again.map_or(time, |set| set.min(time)));
    }

    pub fn update(&mut self, key: &Key, object: Value) {
        let key = key.clone();
        self.actions.push(Action::Update { key, subresource: "", object, manager: MANAGER });
    }

    pub fn status(&mut self, key: &Key, object: Value) {
        let key = key.clone();
        self.actions.push(Action::Update { key, subresource: "status", object, manager: MANAGER });
    }

    pub fn create(&mut self, table: TableId, object: Value) {
        self.actions.push(Action::Create { table, object, manager: MANAGER, refused: None });
    }

    /// Creates; where that is refused, `refused` is told with the reason behind its message.
    pub fn try_create(&mut self, table: TableId, object: Value, refused: Notice) {
        let refused = Some(Box::new(refused.warning()));
        self.actions.push(Action::Create { table, object, manager: MANAGER, refused });
    }

    pub fn delete(&mut self, key: &Key, uid: &str) {
        self.actions.push(Action::Delete { key: key.clone(), uid: uid.into(), grace: None, propagation: None });
    }

    pub fn tell(&mut self, notice: Notice) {
        self.actions.push(Action::Tell(notice));
    }
}

impl Notice {
    /// An event of a controller about an object.
    pub fn of(object: &Value, controller: &'static str, reason: &'static str, message: String) -> Self {
        Self { about: reference(object), warning: false, reason, message, source: Source::Controller(controller) }
    }

    pub fn warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

/// The reference to an object that events carry.
pub fn reference(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let mut found = json!({"kind": object["kind"], "namespace": metadata["namespace"], "name": metadata["name"],
        "uid": metadata["uid"], "apiVersion": object["apiVersion"], "resourceVersion": metadata["resourceVersion"]});
    if let Some(fields) = found.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    found
}

/// The letters of generated names: none that could make a word.
///
/// Source: `k8s.io/apimachinery/pkg/util/rand`.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Endings of generated names.
#[derive(Debug)]
pub struct Suffixes(Cell<u64>);

impl Default for Suffixes {
    fn default() -> Self {
        // The hasher's keys are random.
        Self(Cell::new(RandomState::new().hash_one(0) | 1))
    }
}

impl Suffixes {
    /// Five letters.
    pub fn next(&self) -> String {
        let mut state = self.0.get();
        let mut letter = || {
            // xorshift64
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(LETTERS[(state >> 33) as usize % LETTERS.len()])
        };
        let name = (0..5).map(|_| letter()).collect();
        self.0.set(state);
        name
    }

    /// A name behind a base that is cut where it would be too long.
    pub fn name(&self, base: &str) -> String {
        let end = base.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= 58).last();
        format!("{}{}", &base[..end.unwrap_or(0)], self.next())
    }
}

/// Writes a number or text in the letters of generated names.
///
/// Source: `SafeEncodeString` of `k8s.io/apimachinery/pkg/util/rand`.
pub fn safe_encode(text: &str) -> String {
    text.bytes().map(|byte| char::from(LETTERS[byte as usize % LETTERS.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_letters_and_the_length_of_the_real_ones() {
        let suffixes = Suffixes::default();
        assert_ne!(suffixes.next(), suffixes.next());
        assert_eq!(suffixes.name(&"a".repeat(80)).len(), 63);
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
    }
}
