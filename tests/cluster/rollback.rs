//! `history`, `rollback`, `evidence` and `lock` from end to end.

use serde_json::{Value, json};

use super::support::{Ended, Shop};

const ONE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n";
const OLD: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\ndata: {a: b}\n";
const NEW: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\ndata: {a: b}\n";
const SECRET: &str = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {key: hunter2}\n";

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.succeeded().stdout).unwrap()
}

#[tokio::test]
async fn a_rollback_undoes_changes_creations_and_prunes() {
    let shop = Shop::open("rollback").await;
    shop.deploy(&format!("{ONE}{OLD}{SECRET}"), &[]).await.succeeded();
    shop.deploy(&format!("{}{NEW}{}", ONE.replace("red", "blue"), SECRET.replace('2', "3")), &[]).await.succeeded();
    let names = ["kube-root-ca.crt", "new", "settings"];
    assert_eq!(shop.namespace.names("/api/v1", "configmaps").await, names);

    let plan = shop.command(&["rollback", "--dry-run"]).await;
    plan.succeeded().never_says("hunter");
    for line in ["data.color: blue → red", "+ configmap/old", "- configmap/new"] {
        assert!(plan.stdout.contains(line), "{line}\n{plan}");
    }
    let report = json_of(shop.command(&["rollback", "-o", "json"]).await.never_says("hunter"));
    assert_eq!((&report["outcome"], &report["revision"]), (&json!("deployed"), &json!(3)));
    let names = ["kube-root-ca.crt", "old", "settings"];
    assert_eq!(shop.namespace.names("/api/v1", "configmaps").await, names);
    assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], "red");
    assert_eq!(shop.get("secrets", "key").await["data"]["key"], "aHVudGVyMg==");

    let history = json_of(&shop.command(&["history", "-o", "json"]).await);
    assert_eq!(history["kind"], "History");
    let causes: Vec<&str> =
        history["revisions"].as_array().unwrap().iter().map(|revision| revision["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["deploy", "deploy", "rollback to 1"]);
    shop.command(&["rollback", "2"]).await.succeeded();
    assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], "blue");
    shop.command(&["rollback", "9"]).await.failed(2, &["shop has no revision 9"]);
}

#[tokio::test]
async fn a_revision_is_shown_without_the_values_of_secrets() {
    let shop = Shop::open("history").await;
    let missing = shop.command(&["history"]).await;
    missing.failed(2, &["there is nothing of shop in namespace"]);
    shop.deploy(&format!("{ONE}{SECRET}"), &[]).await.succeeded();
    let shown = shop.command(&["history", "show", "--manifests"]).await;
    shown.succeeded().never_says("hunter2").never_says("aHVudGVyMg");
    for words in ["revision:   1 of shop", "outcome:    deployed", "kind: Secret", "color: red"] {
        assert!(shown.stdout.contains(words), "{words}\n{shown}");
    }
    for format in ["json", "yaml"] {
        let shown = shop.command(&["history", "show", "1", "--manifests", "-o", format]).await;
        shown.succeeded().never_says("hunter2").never_says("aHVudGVyMg");
    }
    shop.command(&["evidence"]).await.failed(2, &["no revision of shop failed"]);
    let other = shop.evolve.run(&["history", "--app", "nothing", "-n", &shop.namespace.name]).await;
    other.failed(2, &["the namespace has shop"]);
}

#[tokio::test]
async fn why_a_deploy_failed_can_be_read_later() {
    let shop = Shop::open("evidence").await;
    let broken = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: broken}\nspec: {backoffLimit: 0, template: {spec: \
                  {restartPolicy: Never, containers: [{name: job, image: 'busybox:1.36', imagePullPolicy: Never, \
                  command: [sh, -c, 'echo it is broken; exit 3']}]}}}\n";
    shop.run(&format!("{ONE}{broken}"), &["deploy", "-f", "app.yaml", "--timeout=60s", "--on-failure=keep"]).await;
    let report = json_of(&shop.command(&["evidence", "-o", "json"]).await);
    assert_eq!((&report["revision"], &report["outcome"]), (&json!(1), &json!("failed")));
    assert!(!report["evidence"].as_array().unwrap().is_empty(), "{report}");
    let shown = shop.command(&["evidence", "1"]).await;
    assert!(shown.succeeded().stdout.contains("job.batch/broken"), "{shown}");
}

#[tokio::test]
async fn a_lock_is_shown_and_broken_only_with_a_reason() {
    let shop = Shop::open("lock").await;
    let free = shop.command(&["lock"]).await;
    assert!(free.succeeded().stdout.ends_with("is not locked\n"), "{free}");
    shop.command(&["lock", "break", "--reason", "none"]).await.failed(1, &["nobody holds the lock of shop"]);
    shop.command(&["lock", "break", "--reason", ""]).await.failed(2, &["--reason is empty"]);
}
