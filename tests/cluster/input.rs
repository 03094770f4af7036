//! Bad input: nothing is sent, and the error names the place.

use serde_json::{Value, json};

use super::support::{Evolve, TestCluster};

fn config_map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}})
}

#[tokio::test]
async fn a_broken_file_is_named_with_its_line() {
    let evolve = Evolve::without_cluster();
    evolve.file("broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [settings\n");
    evolve.run(&["deploy", "-f", "broken.yaml", "--app", "shop"]).await.failed(2, &["broken.yaml:4"]);
    evolve.file("cut.json", "{\"apiVersion\": \"v1\",\n\"kind\": ");
    evolve.run(&["deploy", "-f", "cut.json", "--app", "shop"]).await.failed(2, &["cut.json:"]);
    evolve.file("text.yaml", "apiVersion: v1\nkind: ConfigMap\n---\nhello\n");
    evolve.run(&["deploy", "-f", "text.yaml", "--app", "shop"]).await.failed(2, &["text.yaml:"]);
}

#[tokio::test]
async fn an_empty_set_is_refused() {
    let evolve = Evolve::without_cluster();
    evolve.run(&["deploy", "--app", "shop"]).await.failed(2, &["nothing to deploy"]).with_hint();
    evolve.file("comments.yaml", "# nothing yet\n---\n# nor here\n");
    evolve.run(&["deploy", "-f", "comments.yaml", "--app", "shop"]).await.failed(2, &["comments.yaml"]);
    std::fs::create_dir(evolve.folder().join("empty")).unwrap();
    evolve.run(&["deploy", "-f", "empty", "--app", "shop"]).await.failed(2, &["empty"]);
    evolve.run(&["deploy", "-f", "missing.yaml", "--app", "shop"]).await.failed(2, &["missing.yaml"]);
}

#[tokio::test]
async fn a_config_map_of_5_mb_is_refused_and_named() {
    let Some(cluster) = TestCluster::find().await else { return };
    let namespace = cluster.namespace("large").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("large.yaml", &config_map("large", &"x".repeat(5_000_000)).to_string());
    let ended = evolve.run(&["deploy", "-f", "large.yaml", "-n", &namespace.name, "--app", "shop"]).await;
    ended.failed(2, &["large.yaml", "configmap/large", "4883 KiB"]);
    assert!(ended.stdout.len() < 2000, "the report quotes the object");
    assert_eq!(namespace.names("/api/v1", "configmaps").await, ["kube-root-ca.crt"]);
}

#[tokio::test]
async fn a_secret_in_plain_text_is_never_repeated() {
    let Some(cluster) = TestCluster::find().await else { return };
    let namespace = cluster.namespace("plain").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    let secrets = ["hunter-2", "hunter-3"];
    // In base64 as well, because that is how `data` shows a value.
    let unsaid = ["hunter", "aHVudGVy"];
    for (number, secret) in secrets.iter().enumerate() {
        let object =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": secret}});
        evolve.file("secret.yaml", &object.to_string());
        let target = ["-f", "secret.yaml", "-n", &namespace.name, "--app", "shop"];
        let commands: [&[&str]; 5] = [
            &["check"],
            &["diff"],
            &["diff", "-o", "json"],
            &["plan", "--out", "plan.json"],
            &["deploy", "-v", "-o", "json"],
        ];
        for command in commands {
            let arguments = [command, &target].concat();
            let ended = evolve.run(&arguments).await;
            unsaid.iter().for_each(|secret| _ = ended.never_says(secret));
            if command[0] == "deploy" {
                ended.succeeded();
            }
            if number == 1 && command == ["diff"] {
                assert!(ended.stdout.contains("secret/keys"), "a change is shown as a change\n{ended}");
            }
        }
        let plan = std::fs::read_to_string(evolve.folder().join("plan.json")).unwrap();
        assert!(unsaid.iter().all(|secret| !plan.contains(secret)), "the plan holds the value: {plan}");
    }
    // One that the server refuses, and quotes when it does.
    let object =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"key": "hunter?"}});
    evolve.file("secret.yaml", &object.to_string());
    let ended = evolve.run(&["deploy", "-f", "secret.yaml", "-n", &namespace.name, "--app", "shop"]).await;
    assert!(matches!(ended.code, Some(1 | 2)), "{ended}");
    ended.never_says("hunter");
}
