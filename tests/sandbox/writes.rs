use http::Method;
use serde_json::json;

use crate::client::{APPLY, MAPS, MERGE, start};

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let cluster = start().await;
    cluster.map("a", "x").await;
    let before = cluster.get(MAPS).await;
    let one = format!("{MAPS}/a?dryRun=All");
    for (method, path, content_type, body) in [
        (Method::POST, format!("{MAPS}?dryRun=All"), "application/json", json!({"metadata": {"name": "b"}})),
        (Method::PUT, one.clone(), "application/json", json!({"metadata": {"name": "a"}})),
        (Method::PATCH, one.clone(), MERGE, json!({"data": {"x": "2"}})),
        (Method::DELETE, one, "", json!({})),
    ] {
        let body = if method == Method::DELETE { String::new() } else { body.to_string() };
        let answer = cluster.send(method.clone(), &path, content_type, body).await;
        assert!(answer.code < 300, "{method}: {answer:?}");
    }
    assert_eq!(cluster.get(MAPS).await.body, before.body);
}

#[tokio::test]
async fn some_kinds_are_made_by_an_update() {
    let cluster = start().await;
    let put = async |group: &str, plural: &str| {
        let path = format!("/{group}/namespaces/default/{plural}/a");
        cluster.put(&path, &json!({"metadata": {"name": "a"}})).await.code
    };
    assert_eq!(put("apis/rbac.authorization.k8s.io/v1", "roles").await, 201);
    assert_eq!(put("apis/rbac.authorization.k8s.io/v1", "roles").await, 200);
    assert_eq!(put("api/v1", "configmaps").await, 404);
}

#[tokio::test]
async fn a_write_to_an_older_version_conflicts() {
    let cluster = start().await;
    let old = cluster.map("a", "x").await.body;
    cluster.patch(&format!("{MAPS}/a"), MERGE, &json!({"data": {"x": "2"}})).await;
    let answer = cluster.put(&format!("{MAPS}/a"), &old).await;
    assert_eq!((answer.code, answer.reason()), (409, "Conflict"));
    assert!(answer.message().ends_with("please apply your changes to the latest version and try again"));
}

#[tokio::test]
async fn a_conflict_of_applies_names_the_other_manager() {
    let cluster = start().await;
    let apply =
        |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": value}});
    let path = |manager: &str| format!("{MAPS}/a?fieldManager={manager}");
    assert_eq!(cluster.patch(&path("one"), APPLY, &apply("1")).await.code, 201);
    let refused = cluster.patch(&path("two"), APPLY, &apply("2")).await;
    assert_eq!((refused.code, refused.reason()), (409, "Conflict"));
    let cause = &refused.body["details"]["causes"][0];
    assert_eq!((&cause["reason"], &cause["field"]), (&json!("FieldManagerConflict"), &json!(".data.x")));
    assert_eq!(cluster.patch(&format!("{}&force=true", path("two")), APPLY, &apply("2")).await.code, 200);
}

#[tokio::test]
async fn a_write_that_changes_nothing_keeps_the_version() {
    let cluster = start().await;
    let before = cluster.map("a", "x").await;
    let after = cluster.patch(&format!("{MAPS}/a"), MERGE, &json!({"data": {"x": "1"}})).await;
    assert_eq!(after.body, before.body);
}

#[tokio::test]
async fn unknown_fields_are_warned_of_or_refused() {
    let cluster = start().await;
    let body = json!({"metadata": {"name": "a"}, "dataz": 1}).to_string();
    let strict = format!("{MAPS}?fieldValidation=Strict");
    let refused = cluster.send(Method::POST, &strict, "application/json", body.clone()).await;
    let wanted =
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"dataz\"";
    assert_eq!((refused.code, refused.message()), (400, wanted));
    let warned = cluster.respond(Method::POST, MAPS, "application/json", body).await.unwrap();
    assert_eq!(warned.headers()["warning"], "299 - \"unknown field \\\"dataz\\\"\"");
}

#[tokio::test]
async fn objects_need_a_namespace_that_is_not_ending() {
    let cluster = start().await;
    let map = json!({"metadata": {"name": "a"}});
    let missing = cluster.post("/api/v1/namespaces/nope/configmaps", &map).await;
    assert_eq!((missing.code, missing.message()), (404, "namespaces \"nope\" not found"));
    cluster.post("/api/v1/namespaces", &json!({"metadata": {"name": "going"}})).await;
    let going = cluster.delete("/api/v1/namespaces/going", &json!(null)).await;
    assert_eq!(going.body["status"]["phase"], "Terminating");
    let refused = cluster.post("/api/v1/namespaces/going/configmaps", &map).await;
    assert_eq!((refused.code, refused.reason()), (403, "Forbidden"));
    assert_eq!(refused.body["details"]["causes"][0]["reason"], "NamespaceTerminating");
}

#[tokio::test]
async fn the_scale_of_a_deployment_is_read_and_written() {
    let cluster = start().await;
    let path = "/apis/apps/v1/namespaces/default/deployments";
    let deployment = json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}}});
    assert_eq!(cluster.post(path, &deployment).await.code, 201);
    let scale = format!("{path}/web/scale");
    assert_eq!(cluster.get(&scale).await.body["spec"]["replicas"], 1);
    let scaled = cluster.patch(&scale, MERGE, &json!({"spec": {"replicas": 4}})).await;
    assert_eq!((scaled.code, &scaled.body["spec"]["replicas"]), (200, &json!(4)));
    let after = cluster.get(&format!("{path}/web")).await;
    assert_eq!((&after.body["spec"]["replicas"], &after.body["metadata"]["generation"]), (&json!(4), &json!(2)));
}
