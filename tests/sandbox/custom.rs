use serde_json::{Value, json};

use crate::client::start;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const BACKUPS: &str = "/apis/example.com/v1/namespaces/default/backups";

fn definition() -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "backups.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"kind": "Backup", "listKind": "BackupList", "plural": "backups", "singular": "backup"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object",
                "properties": {"spec": {"type": "object", "properties": {"count": {"type": "integer", "default": 3}}}}}}}]}})
}

#[tokio::test]
async fn what_is_defined_is_served_until_it_is_withdrawn() {
    let cluster = start().await;
    assert_eq!(cluster.get(BACKUPS).await.code, 404);
    assert_eq!(cluster.post(DEFINITIONS, &definition()).await.code, 201);
    let stored = cluster.get(&format!("{DEFINITIONS}/backups.example.com")).await;
    let conditions: Vec<&str> = stored.body["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|condition| condition["status"] == "True")
        .map(|condition| condition["type"].as_str().unwrap())
        .collect();
    assert_eq!(conditions, ["NamesAccepted", "Established"]);
    let backup = json!({"apiVersion": "example.com/v1", "kind": "Backup", "metadata": {"name": "a"},
        "spec": {"unknown": 1}});
    let made = cluster.post(BACKUPS, &backup).await;
    assert_eq!((made.code, &made.body["spec"]), (201, &json!({"count": 3})));
    let listed = cluster.get("/apis/example.com/v1").await;
    assert_eq!(listed.body["resources"][0]["kind"], "Backup");
    cluster.delete(&format!("{DEFINITIONS}/backups.example.com"), &Value::Null).await;
    assert_eq!(cluster.get(BACKUPS).await.code, 404);
}
