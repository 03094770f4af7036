use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

fn place(key: &str) -> Place {
    Place { table: Arc::new(Table { group: String::new(), plural: "pods".into() }), key: key.into() }
}

fn put(store: &Store, key: &str, expected: Option<u64>, text: &str) -> u64 {
    store.put(&place(key), expected, &mut json!({"metadata": {}, "text": text})).unwrap().0
}

fn texts(chunk: &Chunk) -> Vec<String> {
    let text = |bytes| serde_json::from_slice::<Value>(bytes).unwrap()["text"].as_str().unwrap().to_owned();
    chunk.items.iter().map(|(key, bytes)| format!("{key}={}", text(bytes))).collect()
}

fn range(namespace: &str, after: Option<&str>) -> Range {
    let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
    Range { namespace, after: after.map(Into::into) }
}

#[test]
fn a_write_needs_the_revision_that_it_read() {
    let store = Store::default();
    let first = put(&store, "a/x", None, "1");
    assert_eq!(store.put(&place("a/x"), None, &mut json!({})).unwrap_err(), Clash { found: Some(first) });
    let second = put(&store, "a/x", Some(first), "2");
    assert_eq!(store.remove(&place("a/x"), first, &mut json!({})).unwrap_err(), Clash { found: Some(second) });
    store.remove(&place("a/x"), second, &mut json!({"metadata": {}})).unwrap();
    assert!(store.get(&place("a/x")).is_none());
}

#[test]
fn a_range_can_be_read_as_it_was() {
    let store = Store::default();
    let one = put(&store, "a/one", None, "1");
    put(&store, "a/two", None, "1");
    let then = put(&store, "b/one", None, "1");
    put(&store, "a/one", Some(one), "2");
    let two = store.get(&place("a/two")).unwrap().0;
    store.remove(&place("a/two"), two, &mut json!({"metadata": {}})).unwrap();
    put(&store, "a/three", None, "1");
    let table = place("").table;
    let now = store.chunk(&table, &range("a", None), 10, None).unwrap();
    assert_eq!(texts(&now), ["a/one=2", "a/three=1"]);
    let before = store.chunk(&table, &range("a", None), 1, Some(then)).unwrap();
    assert_eq!((texts(&before), before.remaining), (vec!["a/one=1".to_owned()], 1));
    let rest = store.chunk(&table, &range("", Some("a/one")), 10, Some(then)).unwrap();
    assert_eq!(texts(&rest), ["a/two=1", "b/one=1"]);
    store.compact(then + 1);
    assert!(store.chunk(&table, &range("a", None), 10, Some(then)).is_err());
}

#[test]
fn keys_are_in_the_order_of_etcd() {
    let store = Store::default();
    for key in ["a/x", "a-b/x", "b/x"] {
        put(&store, key, None, "1");
    }
    let all = store.chunk(&place("").table, &Range::default(), 10, None).unwrap();
    assert_eq!(texts(&all), ["a-b/x=1", "a/x=1", "b/x=1"]);
    assert_eq!(texts(&store.chunk(&place("").table, &range("a", None), 10, None).unwrap()), ["a/x=1"]);
}

#[test]
fn a_reader_that_falls_behind_is_told() {
    let store = Arc::new(Store::new(Limits { changes: 3, bytes: 1 << 20 }));
    let mut slow = Changes::after(&store, &place("").table, store.revision());
    let mut all = Subscription::new(&store, None);
    put(&store, "a/1", None, "1");
    let seen: Vec<String> =
        slow.take(10).unwrap().iter().map(|change| format!("{} {}", change.kind, change.key)).collect();
    assert_eq!(seen, ["ADDED a/1"]);
    for key in ["a/2", "a/3", "a/4", "a/5"] {
        put(&store, key, None, "1");
    }
    assert!(slow.take(10).is_err());
    assert!(all.take().is_err());
    put(&store, "a/6", None, "1");
    assert_eq!(all.take().unwrap().len(), 1);
}

#[test]
fn another_tables_history_does_not_expire_a_quiet_one() {
    let store = Arc::new(Store::new(Limits { changes: 2, bytes: 1 << 20 }));
    let quiet = Arc::new(Table { group: "apps".into(), plural: "deployments".into() });
    let mut changes = Changes::after(&store, &quiet, store.revision());
    for key in ["a/1", "a/2", "a/3", "a/4"] {
        put(&store, key, None, "1");
    }
    assert!(changes.take(10).unwrap().is_empty());
    assert_eq!(changes.seen(), store.revision());
}

#[test]
fn what_is_restored_keeps_its_revisions() {
    let store = Store::default();
    let revision = put(&store, "a/x", None, "1");
    let (at, objects) = store.everything();
    let other = Store::default();
    other.restore(at, objects.into_iter().map(|object| (object, revision)));
    assert_eq!(other.get(&place("a/x")).unwrap().0, revision);
    assert_eq!(put(&other, "a/y", None, "1"), at + 1);
}
