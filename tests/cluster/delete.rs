//! `delete` from end to end.

use serde_json::{Value, json};

use super::support::Shop;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n";
const CLAIM: &str = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {\
                     accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n";

#[tokio::test]
async fn a_delete_keeps_claims_and_history_and_is_undone_by_a_rollback() {
    let shop = Shop::open("delete").await;
    shop.command(&["delete", "--yes"]).await.failed(2, &["there is nothing of shop"]);
    shop.deploy(&format!("{CONFIG}{CLAIM}"), &[]).await.succeeded();
    shop.command(&["delete"]).await.failed(2, &["delete 1 objects of shop", "needs consent"]);
    let plan = shop.command(&["delete", "--dry-run"]).await;
    for line in ["delete configmap/settings", "kept persistentvolumeclaim/data: its data would be lost", "--all-claims"]
    {
        assert!(plan.succeeded().stdout.contains(line), "{line}\n{plan}");
    }
    assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], "red");

    let ended = shop.command(&["delete", "--yes", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&ended.succeeded().stdout).unwrap();
    let outcomes: Vec<&Value> = report["objects"].as_array().unwrap().iter().map(|done| &done["outcome"]).collect();
    assert_eq!(outcomes, [&json!("kept"), &json!("deleted")]);
    assert_eq!(shop.namespace.names("/api/v1", "configmaps").await, ["kube-root-ca.crt"]);
    assert_eq!(shop.namespace.names("/api/v1", "persistentvolumeclaims").await, ["data"]);
    let secrets = ["evolve.shop", "evolve.shop.v1", "evolve.shop.v2"];
    assert_eq!(shop.namespace.names("/api/v1", "secrets").await, secrets);

    shop.command(&["rollback", "--wait=false"]).await.succeeded();
    assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], "red");
    shop.command(&["delete", "--yes", "--claims", "logs"]).await.failed(2, &["shop has no such claim", "it has data"]);
    shop.command(&["delete", "--yes", "--claims", "data", "--purge"]).await.succeeded();
    assert_eq!(shop.namespace.names("/api/v1", "persistentvolumeclaims").await, [""; 0]);
    assert_eq!(shop.namespace.names("/api/v1", "secrets").await, [""; 0]);
    assert_eq!(shop.namespace.names("/apis/coordination.k8s.io/v1", "leases").await, [""; 0]);
}

#[tokio::test]
async fn what_holds_an_object_is_named_and_a_second_delete_goes_on() {
    let shop = Shop::open("delete").await;
    let held = CONFIG.replace("{name: settings}", "{name: settings, finalizers: [example.org/holds]}");
    shop.deploy(&held, &[]).await.succeeded();
    let ended = shop.command(&["delete", "--yes", "--timeout=1s"]).await;
    assert_eq!(ended.code, Some(1), "{ended}");
    let expected = "going configmap/settings: held by the finalizers example.org/holds";
    assert!(ended.stdout.contains(expected), "{ended}");
    shop.patch_config_map_metadata("settings", json!({"finalizers": null})).await;
    shop.command(&["delete", "--yes"]).await.succeeded();
    assert_eq!(shop.namespace.names("/api/v1", "secrets").await, ["evolve.shop.v1", "evolve.shop.v2"]);
}

#[tokio::test]
async fn a_namespace_of_the_set_goes_with_the_history_and_only_when_nothing_else_is_in_it() {
    let shop = Shop::open("delete").await;
    let name = &shop.namespace.name;
    let namespace = format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
    shop.deploy(&format!("{CONFIG}{namespace}"), &[]).await.succeeded();
    let kept = shop.command(&["delete", "--dry-run"]).await;
    let reason = format!("kept namespace/{name}: it holds the history; --purge deletes both");
    assert!(kept.succeeded().stdout.contains(&reason), "{kept}");
    let foreign = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "foreign"}});
    let path = format!("/api/v1/namespaces/{name}/serviceaccounts");
    shop.namespace.send("POST", &path, "application/json", foreign.to_string().into_bytes()).await;
    let kept = shop.command(&["delete", "--dry-run", "--purge"]).await;
    let reason = format!("kept namespace/{name}: it holds what would be lost: serviceaccount/foreign");
    assert!(kept.succeeded().stdout.contains(&reason), "{kept}");
    shop.namespace.delete("/api/v1", "serviceaccounts", "foreign").await;
    let gone = shop.command(&["delete", "--yes", "--purge"]).await;
    assert!(gone.succeeded().stderr.contains(&format!("namespace/{name} deleted")), "{gone}");
}
