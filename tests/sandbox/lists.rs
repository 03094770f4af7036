use serde_json::{Value, json};

use crate::client::{MAPS, start};

#[tokio::test]
async fn pages_are_of_one_moment_whatever_happens_between() {
    let cluster = start().await;
    for name in ["a", "b", "c", "d"] {
        cluster.map(name, "x").await;
    }
    let first = cluster.get(&format!("{MAPS}?limit=2")).await;
    assert_eq!(first.names(), ["a", "b"]);
    assert_eq!(first.body["metadata"]["remainingItemCount"], 2);
    cluster.delete(&format!("{MAPS}/c"), &Value::Null).await;
    cluster.map("bb", "x").await;
    let more = first.body["metadata"]["continue"].as_str().unwrap();
    let second = cluster.get(&format!("{MAPS}?limit=2&continue={more}")).await;
    assert_eq!(second.names(), ["c", "d"]);
    assert_eq!(second.version(), first.version());
    assert!(second.body["metadata"].get("continue").is_none());
    assert_eq!(cluster.get(MAPS).await.names(), ["a", "b", "bb", "d"]);
}

#[tokio::test]
async fn a_page_of_a_moment_that_is_compacted_has_expired() {
    let cluster = start().await;
    for name in ["a", "b", "c"] {
        cluster.map(name, "x").await;
    }
    let first = cluster.get(&format!("{MAPS}?limit=1")).await;
    let more = first.body["metadata"]["continue"].as_str().unwrap();
    cluster.map("d", "x").await;
    let store = cluster.sandbox.api().store();
    store.compact(store.revision());
    let second = cluster.get(&format!("{MAPS}?limit=1&continue={more}")).await;
    assert_eq!((second.code, second.reason()), (410, "Expired"));
}

#[tokio::test]
async fn selectors_choose_by_labels_and_fields() {
    let cluster = start().await;
    for (name, app) in [("a", "x"), ("b", "y"), ("c", "x")] {
        cluster.map(name, app).await;
    }
    for (query, wanted) in [
        ("labelSelector=app%3Dx", vec!["a", "c"]),
        ("labelSelector=app%20in%20(y)", vec!["b"]),
        ("fieldSelector=metadata.name%3Dc", vec!["c"]),
        ("fieldSelector=metadata.name!%3Dc&labelSelector=app%3Dx", vec!["a"]),
        ("labelSelector=app%3Dx&limit=1", vec!["a"]),
    ] {
        assert_eq!(cluster.get(&format!("{MAPS}?{query}")).await.names(), wanted, "{query}");
    }
    let refused = cluster.get(&format!("{MAPS}?fieldSelector=data.x%3D1")).await;
    let wanted = "\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
    assert_eq!((refused.code, refused.message()), (400, wanted));
}

#[tokio::test]
async fn versions_of_lists_are_checked() {
    let cluster = start().await;
    let before = cluster.map("a", "x").await;
    cluster.map("b", "x").await;
    let version = before.version();
    let exact = cluster.get(&format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact")).await;
    assert_eq!(exact.names(), ["a"]);
    let newer = cluster.get(&format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=NotOlderThan")).await;
    assert_eq!(newer.names(), ["a", "b"]);
    for (query, code, reason) in [
        ("resourceVersion=x", 400, "BadRequest"),
        ("resourceVersionMatch=Exact", 422, "Invalid"),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422, "Invalid"),
        ("limit=x", 400, "BadRequest"),
        ("continue=garbage", 400, "BadRequest"),
    ] {
        let answer = cluster.get(&format!("{MAPS}?{query}")).await;
        assert_eq!((answer.code, answer.reason()), (code, reason), "{query}: {answer:?}");
    }
    // The client repeats what is answered by 504 itself.
    assert_eq!(cluster.sandbox.api().check_revision("99999999").unwrap_err().code, 504);
}

#[tokio::test]
async fn one_object_is_served_in_each_of_its_versions() {
    let cluster = start().await;
    let autoscaler = json!({"metadata": {"name": "a"}, "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 70,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}});
    let path = |version: &str| format!("/apis/autoscaling/{version}/namespaces/default/horizontalpodautoscalers");
    assert_eq!(cluster.post(&path("v1"), &autoscaler).await.code, 201);
    let second = cluster.get(&format!("{}/a", path("v2"))).await;
    assert_eq!(second.body["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 70);
    let first = cluster.get(&format!("{}/a", path("v1"))).await;
    assert_eq!(first.body["spec"]["targetCPUUtilizationPercentage"], 70);
    assert_eq!(first.body["apiVersion"], "autoscaling/v1");
}
