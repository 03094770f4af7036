use serde_json::{Value, json};

use crate::client::{MAPS, MERGE, start};

#[tokio::test]
async fn finalizers_hold_an_object_until_the_last_is_gone() {
    let cluster = start().await;
    let map = json!({"metadata": {"name": "a", "finalizers": ["example.com/hold"]}});
    cluster.post(MAPS, &map).await;
    let path = format!("{MAPS}/a");
    let marked = cluster.delete(&path, &Value::Null).await;
    assert!(marked.body["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(marked.body["metadata"]["deletionGracePeriodSeconds"], 0);
    let again = cluster.delete(&path, &Value::Null).await;
    assert_eq!(again.body, marked.body);
    let released = cluster.patch(&path, MERGE, &json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(released.code, 200);
    assert_eq!(cluster.get(&path).await.code, 404);
}

#[tokio::test]
async fn a_deletion_is_of_the_object_that_is_meant() {
    let cluster = start().await;
    cluster.map("a", "x").await;
    let path = format!("{MAPS}/a");
    for condition in [json!({"uid": "other"}), json!({"resourceVersion": "1"})] {
        let refused = cluster.delete(&path, &json!({"preconditions": condition})).await;
        assert_eq!((refused.code, refused.reason()), (409, "Conflict"), "{condition}");
    }
    let done = cluster.delete(&path, &Value::Null).await;
    assert_eq!((&done.body["status"], &done.body["details"]["name"]), (&json!("Success"), &json!("a")));
}

#[tokio::test]
async fn the_propagation_is_kept_as_a_finalizer() {
    let cluster = start().await;
    for (policy, wanted) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
        let name = policy.to_lowercase();
        cluster.map(&name, "x").await;
        let marked = cluster.delete(&format!("{MAPS}/{name}?propagationPolicy={policy}"), &Value::Null).await;
        assert_eq!(marked.body["metadata"]["finalizers"], json!([wanted]));
    }
    cluster.map("b", "x").await;
    let wrong = cluster.delete(&format!("{MAPS}/b"), &json!({"propagationPolicy": "x"})).await;
    assert_eq!((wrong.code, wrong.reason()), (422, "Invalid"));
}

#[tokio::test]
async fn a_collection_is_deleted_by_its_labels() {
    let cluster = start().await;
    for (name, app) in [("a", "x"), ("b", "y"), ("c", "x")] {
        cluster.map(name, app).await;
    }
    let deleted = cluster.delete(&format!("{MAPS}?labelSelector=app%3Dx"), &Value::Null).await;
    assert_eq!(deleted.names(), ["a", "c"]);
    assert_eq!(cluster.get(MAPS).await.names(), ["b"]);
}
